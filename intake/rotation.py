"""Brings everything under today's keys, so that older ones can be retired or a lost one replaced; and tells keys that are not ours.

Needs no memory of its own: whatever is under the key already is done, so a run
that was killed is simply started again.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, TextField

from . import spool
from .fields import EncryptedTextField, Undecryptable, blind, box, folded
from .models import ConsultationRequest, ContactAttempt, SearchKey, SearchKind
from .services import search_keys
from .submission import ANSWERS, digest_of, shown_reference

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

    def opened(self) -> dict[str, str]:
        """The texts of those columns that a key opens."""
        texts = dict[str, str]()
        for name, token in self.columns.items():
            with suppress(InvalidToken, ValueError):
                texts[name] = box().decrypt(token).decode()
        return texts


@dataclass
class Inspection:
    """References of requests, and what else of theirs, that are not as they should be.

    `not_as_sent`: each answer opens, but together they are not what was sent: one was
    put there that belongs elsewhere.
    """

    unreadable: list[str] = field(default_factory=list)
    under_another_search_key: list[str] = field(default_factory=list)
    not_as_sent: list[str] = field(default_factory=list)


@dataclass
class Rotation:
    """What a run has done so far; `unreadable` names the rows and files that no key opens."""

    looked_at: int = 0
    changed: int = 0
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


def rebuild_search_keys(batch: int = BATCH, progress: Callable[[str, Rotation], None] = lambda what, done: None) -> Rotation:
    """Make every request be found under SEARCH_KEY, and known again when it is sent once more, from its answers alone.

    Newest first: after the first batch the site starts and serves while the rest is
    done. What an unreadable answer was found by is given up; its request is reported.
    """
    done = Rotation()
    wanted = ConsultationRequest.objects.order_by("-pk").prefetch_related("search_keys")
    leads = list(wanted[:batch])
    while leads:
        if stale := [lead.pk for lead in leads if not _is_found(lead)]:
            _index_anew(stale, done)
        done.looked_at += len(leads)
        done.unreadable += [shown_reference(lead.reference) for lead in leads if lead.unreadable_fields()]
        progress(str(ConsultationRequest._meta.verbose_name_plural), done)
        leads = list(wanted.filter(pk__lt=leads[-1].pk)[:batch])
    return done


def inspect_rows() -> Inspection:
    """Open every encrypted column once, and compare answers with the keyed hashes that were stored with them."""
    found = Inspection()
    for model in SEALED:
        for rows in batches(model, BATCH):
            opened = [(row, row.opened()) for row in rows]
            found.unreadable += [described(model, row) for row, texts in opened if len(texts) < len(row.columns)]
            if model is ConsultationRequest:
                _compare_with_hashes(opened, found)
    return found


def _compare_with_hashes(opened: list[tuple[SealedRow, dict[str, str]]], found: Inspection) -> None:
    pks = [row.pk for row, _ in opened]
    names = dict[int, set[str]]()
    for pk, digest in SearchKey.objects.filter(kind=SearchKind.NAME, request__in=pks).values_list("request_id", "digest"):
        names.setdefault(pk, set()).add(digest)
    sent = {lead.pk: lead for lead in ConsultationRequest.objects.filter(pk__in=names).only("submission_id", "answers_digest")}
    for row, answers in opened:
        if "name" not in answers or row.pk not in sent:
            continue
        if blind(folded(answers["name"]), SearchKind.NAME) not in names[row.pk]:
            found.under_another_search_key.append(shown_reference(row.reference))
        elif len(answers) == len(ANSWERS) and not _is_as_sent(sent[row.pk], digest_of(answers)):
            found.not_as_sent.append(shown_reference(row.reference))


def is_as_sent(lead: ConsultationRequest) -> bool:
    """Whether its answers are together what was sent. True also where that can't be told: one is unreadable, the key another."""
    answers = _readable(lead)
    digest = digest_of(answers)
    if len(answers) < len(ANSWERS) or lead.answers_digest == digest:
        return True
    by_name = SearchKey.objects.filter(request=lead, kind=SearchKind.NAME, digest=blind(folded(lead.name), SearchKind.NAME))
    return not by_name.exists() or _is_as_sent(lead, digest)


def _is_as_sent(lead: ConsultationRequest, digest: str) -> bool:
    # One that was sent once more after a change of SEARCH_KEY has left its digest to the second.
    same = ConsultationRequest.objects.filter(submission_id=lead.submission_id, answers_digest=digest)
    return lead.answers_digest == digest or same.exists()


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
        yield (
            "SEARCH_KEY is not the one that the stored requests are found by. Put that one back; "
            "if it is lost for good: python manage.py rebuild_search_keys"
        )


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
        stale = row.not_opened_by(is_newest)
        readable = {name: text for name, text in row.opened().items() if name in stale}
        if readable:
            # The field seals with the newest key on its way in.
            model._base_manager.filter(pk=row.pk).update(**readable)
            done.changed += 1
        if len(readable) < len(stale):
            done.unreadable.append(described(model, row))


def _readable(lead: ConsultationRequest) -> dict[str, str]:
    return {name: getattr(lead, name) for name in ANSWERS if not isinstance(getattr(lead, name), Undecryptable)}


def _is_found(lead: ConsultationRequest) -> bool:
    # A reference that was told beside the stored one can't be computed again, so its hash is left alone.
    stored = {(key.kind, key.digest) for key in lead.search_keys.all() if key.kind != SearchKind.REFERENCE}
    answers = _readable(lead)
    return stored == set(search_keys(answers)) and (len(answers) < len(ANSWERS) or lead.answers_digest == digest_of(answers))


@transaction.atomic
def _index_anew(keys: list[int], done: Rotation) -> None:
    leads = list(ConsultationRequest.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
    SearchKey.objects.filter(request__in=leads).exclude(kind=SearchKind.REFERENCE).delete()
    SearchKey.objects.bulk_create(
        SearchKey(request=lead, kind=kind, digest=digest)
        for lead in leads
        for kind, digest in sorted(set(search_keys(_readable(lead))))
    )
    for lead in leads:
        answers = _readable(lead)
        # Sent once more since the key was changed, it was stored as a second request, which has the digest now.
        with suppress(IntegrityError), transaction.atomic():
            if len(answers) == len(ANSWERS):
                ConsultationRequest.objects.filter(pk=lead.pk).update(answers_digest=digest_of(answers))
    done.changed += len(leads)


def _reseal_spool(is_newest: Callable[[str | bytes], object], done: Rotation) -> None:
    for path in spool.waiting():
        done.looked_at += 1
        try:
            if not _accepts(is_newest, path.read_bytes()):
                spool.reseal(path)
                done.changed += 1
        except FileNotFoundError:
            continue  # the worker has stored it meanwhile
        except spool.Unreadable:
            done.unreadable.append(f"spool file {path.name}")
