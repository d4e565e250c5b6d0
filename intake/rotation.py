"""Brings everything sealed under the newest key, so that older keys can be retired; and tells keys that are not ours.

Needs no memory of its own: whatever the newest key opens is done already, so a
run that was killed is simply started again.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, TextField

from . import spool
from .fields import EncryptedTextField, Undecryptable, blind, box, folded
from .models import ConsultationRequest, ContactAttempt, SearchKey, SearchKind
from .submission import shown_reference

BATCH = 200
# Requests that keys are tried on: so many of the oldest and of the newest.
SAMPLE = 10

# Every model with encrypted columns, and where a row's reference is.
SEALED: dict[type[models.Model], str] = {ConsultationRequest: "reference", ContactAttempt: "request__reference"}


@dataclass(frozen=True)
class SealedRow:
    """A row's encrypted columns as they are stored."""

    pk: int
    reference: str
    columns: dict[str, str]

    def not_opened_by(self, opens: Callable[[str | bytes], object]) -> list[str]:
        """The columns that `opens` refuses."""
        return [name for name, token in self.columns.items() if not _accepts(opens, token)]


@dataclass
class Rotation:
    """What a run has done so far; `unreadable` names the rows and files that no key opens."""

    looked_at: int = 0
    resealed: int = 0
    unreadable: list[str] = field(default_factory=list)


def reencrypt(batch: int = BATCH, progress: Callable[[str, Rotation], None] = lambda what, done: None) -> Rotation:
    """Seal every encrypted column and waiting spool file with the newest key.

    Works while the site serves: a batch locks only the rows that it changes and
    reads them again under the lock, so a change by staff is never overwritten.
    What no key opens stays as it is and is reported. Every server and worker must
    already know the newest key.
    """
    done = Rotation()
    is_newest = Fernet(settings.ENCRYPTION_KEYS[0]).extract_timestamp  # checks the seal, doesn't open it
    for model in SEALED:
        for rows in batches(model, batch):
            if stale := [row.pk for row in rows if row.not_opened_by(is_newest)]:
                _reseal(model, stale, is_newest, done)
            done.looked_at += len(rows)
            progress(str(model._meta.verbose_name_plural), done)
    _reseal_spool(is_newest, done)
    progress("spool", done)
    return done


def keys_that_do_not_fit() -> Iterator[str]:
    """What is wrong with ENCRYPTION_KEYS or SEARCH_KEY, by the oldest and the newest requests; nothing where there are none.

    Altered answers don't count as a wrong key: one column that opens is enough.
    Raises django.db.Error where the database is away.
    """
    for which, order in (("oldest", "pk"), ("newest", "-pk")):
        rows = list(_rows(ConsultationRequest, ConsultationRequest.objects.order_by(order)[:SAMPLE]))
        if rows and not any(_accepts(box().decrypt, token) for row in rows for token in row.columns.values()):
            yield f"ENCRYPTION_KEYS opens none of the {which} requests. Put the key that sealed them back, behind the newest one."
            return
    keys = SearchKey.objects.filter(kind=SearchKind.NAME)
    indexed = ConsultationRequest.objects.filter(Exists(keys.filter(request=OuterRef("pk")))).order_by("-pk")[:SAMPLE]
    names = [lead.name for lead in indexed if not isinstance(lead.name, Undecryptable)]
    if names and not keys.filter(digest__in={blind(folded(name), SearchKind.NAME) for name in names}).exists():
        yield "SEARCH_KEY is not the one that the stored requests are found by. Put that one back."


def batches(model: type[models.Model], size: int) -> Iterator[list[SealedRow]]:
    """All rows of a model in the order of their keys, so many at a time, without decrypting them."""
    last = 0
    while rows := list(_rows(model, model._base_manager.filter(pk__gt=last).order_by("pk")[:size])):
        yield rows
        last = rows[-1].pk


def described(model: type[models.Model], row: SealedRow) -> str:
    """A row as a person finds it: what it is, and of which request."""
    return f"{model._meta.verbose_name} {shown_reference(row.reference)}" + (
        "" if model is ConsultationRequest else f" no. {row.pk}"
    )


def _rows(model: type[models.Model], rows: models.QuerySet) -> Iterator[SealedRow]:
    names = [column.name for column in model._meta.concrete_fields if isinstance(column, EncryptedTextField)]
    # Wrapped as plain text, so that the field doesn't decrypt on the way.
    raw = [ExpressionWrapper(F(name), output_field=TextField()) for name in names]
    for pk, reference, *tokens in rows.values_list("pk", SEALED[model], *raw):
        yield SealedRow(pk, reference, {name: token for name, token in zip(names, tokens, strict=True) if token is not None})


def _accepts(opens: Callable[[str | bytes], object], token: str | bytes) -> bool:
    try:
        opens(token)
    except (InvalidToken, ValueError):
        return False
    return True


@transaction.atomic
def _reseal(model: type[models.Model], keys: list[int], is_newest: Callable[[str | bytes], object], done: Rotation) -> None:
    for row in _rows(model, model._base_manager.select_for_update().filter(pk__in=keys).order_by("pk")):
        readable: dict[str, str] = {}
        stale = row.not_opened_by(is_newest)
        for name in stale:
            with suppress(InvalidToken, ValueError):
                readable[name] = box().decrypt(row.columns[name]).decode()
        if readable:
            # The field seals with the newest key on its way in.
            model._base_manager.filter(pk=row.pk).update(**readable)
            done.resealed += 1
        if len(readable) < len(stale):
            done.unreadable.append(described(model, row))


def _reseal_spool(is_newest: Callable[[str | bytes], object], done: Rotation) -> None:
    for path in spool.waiting():
        done.looked_at += 1
        try:
            if not _accepts(is_newest, path.read_bytes()):
                spool.reseal(path)
                done.resealed += 1
        except FileNotFoundError:
            continue  # the worker has stored it meanwhile
        except spool.Unreadable:
            done.unreadable.append(f"spool file {path.name}")
