"""Signed values that travel through the browser: the one-time submission id, the receipt, the read warning."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from django.core.signing import BadSignature, Signer, TimestampSigner, b62_decode, b62_encode
from django.utils import timezone

from .submission import plain_reference

SUBMISSION_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True)
class SubmissionToken:
    """The id that makes one form one request, and how long ago the form was given out."""

    submission_id: uuid.UUID
    age: timedelta

    @staticmethod
    def issue() -> str:
        """A fresh id, signed with the time."""
        return TimestampSigner(salt="intake.submission").sign(uuid.uuid4().hex)

    @staticmethod
    def renewed(token: str) -> str:
        """The id of a token that may be too old, signed anew: what it may have sent stays one request. Empty if not ours."""
        signer = TimestampSigner(salt="intake.submission")
        try:
            return signer.sign(signer.unsign(token))
        except BadSignature:
            return ""

    @classmethod
    def read(cls, token: str) -> Self | None:
        """The id in a token; None where it is altered, foreign or older than a day."""
        try:
            value = TimestampSigner(salt="intake.submission").unsign(token, max_age=SUBMISSION_LIFETIME)
            issued = datetime.fromtimestamp(b62_decode(token.rsplit(":", 2)[1]), tz=UTC)
            return cls(uuid.UUID(value), timezone.now() - issued)
        except (BadSignature, ValueError):
            return None


def warning_token(submission_id: uuid.UUID) -> str:
    """Says that the person of this form was shown the "call 911" advice."""
    return Signer(salt="intake.warning").sign(submission_id.hex)


def has_read_warning(token: str, submission_id: uuid.UUID) -> bool:
    """Whether `token` says so for this very form."""
    try:
        return Signer(salt="intake.warning").unsign(token) == submission_id.hex
    except BadSignature:
        return False


def receipt_token(reference: str, received_at: datetime) -> str:
    """A receipt for an address bar: reference and time, signed. It doesn't expire, so that it can be bookmarked."""
    return Signer(salt="intake.receipt", sep=".").sign(f"{reference}.{b62_encode(int(received_at.timestamp()))}")


def read_receipt(token: str) -> tuple[str, datetime] | None:
    """Reference and time of a receipt; None where it isn't ours."""
    try:
        reference, seconds = Signer(salt="intake.receipt", sep=".").unsign(token).split(".")
        received_at = datetime.fromtimestamp(b62_decode(seconds), tz=UTC)
    except (BadSignature, ValueError, OverflowError, OSError):
        return None
    return (reference, received_at) if plain_reference(reference) == reference else None
