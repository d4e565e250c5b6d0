"""One press of the send button: what it carries, and the reference it will have wherever it is kept."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from .fields import blind

# Every field that holds something a person typed or chose. Encrypted in the database.
ANSWERS = (
    "name",
    "email",
    "phone",
    "preferred_contact",
    "best_time",
    "may_leave_voicemail",
    "on_behalf_of",
    "patient_name",
    "relation",
    "patient_is_minor",
    "pain_area",
    "interest",
    "message",
    "imaging",
    "referral_source",
    "spoken_language",
    "needs_interpreter",
    "access_needs",
    "red_flags",
)

# Digits and consonants: nothing that is misread on paper or over the phone, and no words.
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 8


@dataclass(frozen=True)
class Submission:
    """A valid form, ready to be stored. `answers` holds normalised text under the names in ANSWERS.

    `network` is where it came from, for limits alone; stored nowhere but in the sealed spool.
    `told` is the reference that its person was told where it waited there, whatever the keys are by now.
    """

    submission_id: uuid.UUID
    answers: Mapping[str, str]
    received_at: datetime
    consent_version: str
    consent_text: str
    language: str = "en"
    origin: str = ""
    spam_reasons: tuple[str, ...] = field(default=())
    network: str = ""
    told: str = ""

    def __post_init__(self) -> None:
        unknown = set(self.answers) - set(ANSWERS)
        if unknown or self.received_at.tzinfo is None:
            raise ValueError("A submission holds known answers and an aware time.")

    def __repr__(self) -> str:
        return f"<Submission {self.submission_id}>"

    @property
    def has_red_flag(self) -> bool:
        """Whether a sign was ticked that needs an emergency room."""
        return self.answers.get("red_flags", "") not in {"", "none"}

    @property
    def answers_digest(self) -> str:
        """A keyed hash that is equal for equal answers."""
        return digest_of(self.answers)

    def reference(self, attempt: int = 0) -> str:
        """The request's number: the same for the same submission and answers, in every process.

        `attempt` gives the next candidate where another request already has this one.
        """
        if self.told and not attempt:
            return self.told
        digest = blind(f"{self.submission_id.hex}\0{self.answers_digest}\0{attempt}", "reference")
        number = int(digest, 16)
        letters = []
        for _ in range(REFERENCE_LENGTH):
            number, index = divmod(number, len(ALPHABET))
            letters.append(ALPHABET[index])
        return "".join(letters)

    def as_json(self) -> str:
        """Everything needed to store the request later."""
        values = asdict(self) | {"submission_id": self.submission_id.hex, "received_at": self.received_at.isoformat()}
        return json.dumps(values | {"answers": dict(self.answers), "told": self.reference()})

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The reverse of `as_json`. Raises ValueError, KeyError or TypeError on anything else."""
        values: dict[str, Any] = json.loads(text)
        values["submission_id"] = uuid.UUID(values["submission_id"])
        values["received_at"] = datetime.fromisoformat(values["received_at"])
        values["spam_reasons"] = tuple(values["spam_reasons"])
        if not all(isinstance(value, str) for value in values["answers"].values()):
            raise ValueError("Answers are text.")
        return cls(**values)


def digest_of(answers: Mapping[str, str]) -> str:
    """A keyed hash that is equal for equal answers."""
    return blind(json.dumps([answers.get(name, "") for name in ANSWERS]), "answers")


def shown_reference(reference: str) -> str:
    """A reference as people read it: `7KQ4-M2XB`."""
    return f"{reference[:4]}-{reference[4:]}"


def plain_reference(text: str) -> str:
    """A reference as stored, from what a person typed; empty where it can't be one."""
    reference = "".join(text.split()).replace("-", "").upper()
    return reference if len(reference) == REFERENCE_LENGTH and set(reference) <= set(ALPHABET) else ""
