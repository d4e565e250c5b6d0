"""Every verb that writes about a request. Each owns its transaction, its lock, its LeadEvent and its mails."""

import logging
import uuid
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import Error, IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.urls import NoReverseMatch
from django.utils import timezone
from django.utils.translation import override

from clinic_site.models import Clinic
from clinic_site.site_record import current_clinic, zone_of
from conditions.models import Page

from . import spam, spool
from .fields import blind, folded, phone_forms
from .models import (
    AccessAction,
    AttemptChannel,
    AttemptOutcome,
    ConsultationRequest,
    ContactAttempt,
    EventKind,
    LeadAccess,
    LeadEvent,
    LeadStatus,
    NoticeKind,
    Outbox,
    OutboxState,
    Priority,
    SearchKey,
    SearchKind,
)
from .response_clock import promised_by
from .submission import ANSWERS, Submission

REFERENCE_ATTEMPTS = 5

log = logging.getLogger(__name__)


class InvalidTransition(Exception):
    """The workflow has no such step. Nothing was written."""

    def __init__(self, lead: ConsultationRequest, status: LeadStatus) -> None:
        super().__init__(f"{lead.reference}: {lead.status} to {status}")
        self.lead, self.status = lead, status


class StalePage(Exception):
    """Somebody changed the request after the page that this came from was shown. Nothing was written."""

    def __init__(self, lead: ConsultationRequest) -> None:
        super().__init__(lead.reference)
        self.lead = lead


class NotStored(Exception):
    """A request could be kept neither in the database nor in the spool."""


class OutcomeUnknown(Exception):
    """A request may have been kept, and nothing answers that could tell. The same request again is safe."""


class CommitInDoubt(OperationalError):
    """The database was asked to commit, and whether it did is not known."""


@dataclass(frozen=True)
class Receipt:
    """What a person may be told: their request is durable under this reference since then."""

    reference: str
    received_at: datetime
    is_spooled: bool = False
    is_repeat: bool = False


@dataclass(frozen=True)
class Replay:
    """What a pass over the spool did: files stored, left for later, and set aside as unreadable."""

    stored: int = 0
    left: int = 0
    set_aside: int = 0


# --- receiving -----------------------------------------------------------------------


def submit_consultation_request(submission: Submission, *, was_in_doubt: bool = False) -> Receipt:
    """Keep a request for good, and say under which reference.

    One transaction writes the request, its search keys, event and mails. The same
    submission with the same answers gives the same receipt however often and from
    wherever it comes; with other answers it is a second request that amends the first.
    With the database failing in any way the request goes, fsynced, to the encrypted
    spool. Returns only once it is durable. Raises FloodLimit where its network sent too
    many, NotStored where nothing could be written, OutcomeUnknown where something may
    have been: by this press, or by an earlier one of the same form that `was_in_doubt`.
    """
    try:
        lead, is_new = _store(submission, EventKind.RECEIVED)
    except spam.FloodLimit:
        raise
    except Exception as error:
        # Whatever went wrong, a person's request outlives it: the worker tries again from the spool.
        log.error("request goes to the spool, database failed: %s", type(error).__name__)
        _let_go_of_connection()
        try:
            spool.write(submission)
        except Exception as spool_error:
            in_doubt = was_in_doubt or isinstance(error, CommitInDoubt) or isinstance(spool_error, spool.MayBeKept)
            if isinstance(spool_error, spam.FloodLimit) and not in_doubt:
                raise
            log.critical("request not spooled, spool failed too: %s", type(spool_error).__name__)
            return _asked_again(submission, in_doubt=in_doubt)
        return Receipt(submission.reference(), submission.received_at, is_spooled=True)
    return Receipt(lead.reference, lead.received_at, is_repeat=not is_new)


def _asked_again(submission: Submission, *, in_doubt: bool) -> Receipt:
    """The receipt, where the database has the request after all. Raises OutcomeUnknown or NotStored where it doesn't answer so.

    A doubt is settled by storing once more, never by looking: a commit whose answer
    was lost may still be under way, and only another insert of the same row waits for it.
    """
    try:
        if in_doubt:
            lead, _ = _store(submission, EventKind.RECEIVED)
        else:
            lead = ConsultationRequest.objects.of(submission).first()
    except spam.FloodLimit:
        raise
    except Exception as error:
        log.critical("request not stored: %s", type(error).__name__)
        _let_go_of_connection()
        lead = None
    if lead:
        return Receipt(lead.reference, lead.received_at, is_repeat=True)
    raise OutcomeUnknown if in_doubt else NotStored


def _let_go_of_connection() -> None:
    if not connection.in_atomic_block:
        with suppress(Error):
            connection.close()


def _store(submission: Submission, kind: EventKind) -> tuple[ConsultationRequest, bool]:
    """The stored request and whether it is new; safe against the same submission stored at the same moment.

    Raises CommitInDoubt where it may have been stored all the same; after any other error it was not.
    """
    respond_by = promise(current_clinic(), submission.received_at)
    attempt = 0
    while True:
        is_complete = False
        try:
            with transaction.atomic():
                earlier = ConsultationRequest.objects.of(submission).first()
                lead = earlier or _insert(submission, kind, submission.reference(attempt), respond_by)
                is_complete = True
            return lead, earlier is None
        except spam.FloodLimit:
            if lead := ConsultationRequest.objects.of(submission).first():
                return lead, False
            raise
        except IntegrityError:
            # Either the same submission won the race, or another request has this reference.
            if lead := ConsultationRequest.objects.of(submission).first():
                return lead, False
            attempt += 1
            if attempt == REFERENCE_ATTEMPTS:
                raise
        except Exception as error:
            if is_complete and not _is_refused(error):
                raise CommitInDoubt from error
            raise


def _is_refused(error: Exception) -> bool:
    """Whether the database says for certain that a commit did not happen: SQLite, where its disk has no room for it."""
    return getattr(error.__cause__, "sqlite_errorname", "") == "SQLITE_FULL"


def _insert(submission: Submission, kind: EventKind, reference: str, respond_by: datetime) -> ConsultationRequest:
    reasons = list(submission.spam_reasons)
    if submission.network:
        was_received = kind == EventKind.REPLAYED
        count = spam.count_in_window(submission.network, submission.received_at, was_received=was_received)
        reasons += spam.rate_reasons(count)
    reasons += spam.repeat_reasons(
        ConsultationRequest.objects.filter(
            answers_digest=submission.answers_digest, received_at__gt=submission.received_at - spam.REPEAT_WINDOW
        ).count()
    )
    score = spam.score(reasons)
    earlier = ConsultationRequest.objects.filter(submission_id=submission.submission_id).order_by("pk").first()
    page = Page.objects.published(submission.language).filter(slug=submission.origin).first() if submission.origin else None
    lead = ConsultationRequest.objects.create(
        reference=reference,
        submission_id=submission.submission_id,
        answers_digest=submission.answers_digest,
        amends=earlier,
        status=LeadStatus.SPAM if score >= spam.THRESHOLD else LeadStatus.NEW,
        priority=Priority.URGENT if submission.has_red_flag else Priority.ROUTINE,
        received_at=submission.received_at,
        respond_by=respond_by,
        origin_page=page,
        origin_path=_path_of(page, submission.language),
        language=submission.language,
        consent_version=submission.consent_version,
        consent_text=submission.consent_text,
        consented_at=submission.received_at,
        spam_score=score,
        spam_reasons=reasons,
        **{name: submission.answers.get(name, "") for name in ANSWERS},
    )
    keys = set(search_keys(submission.answers))
    if reference != submission.reference():
        keys.add((SearchKind.REFERENCE, blind(submission.reference(), SearchKind.REFERENCE)))
    SearchKey.objects.bulk_create(SearchKey(request=lead, kind=kind, digest=digest) for kind, digest in sorted(keys))
    LeadEvent.objects.create(request=lead, kind=kind, to_status=lead.status)
    if earlier:
        LeadEvent.objects.create(request=earlier, kind=EventKind.AMENDED)
    if lead.status != LeadStatus.SPAM:
        _write_notices(lead)
    return lead


def _path_of(page: Page | None, language: str) -> str:
    try:
        with override(language):  # a worker that stores it later has no language of its own
            return page.get_absolute_url() if page else ""
    except NoReverseMatch:
        return ""


def search_keys(answers: Mapping[str, str]) -> Iterable[tuple[SearchKind, str]]:
    """The keyed hashes under which staff find a request with these answers."""
    if email := answers.get("email", ""):
        yield SearchKind.EMAIL, blind(email.casefold(), SearchKind.EMAIL)
    for form in phone_forms(answers.get("phone", "")):
        yield SearchKind.PHONE, blind(form, SearchKind.PHONE)
    for name in (answers.get("name", ""), answers.get("patient_name", "")):
        if words := folded(name).split():
            yield SearchKind.NAME, blind(" ".join(words), SearchKind.NAME)
            for word in words:
                yield SearchKind.WORD, blind(word, SearchKind.WORD)


def promise(clinic: Clinic, received_at: datetime) -> datetime:
    """When the clinic has promised first contact, by its record; by usual office hours where that can't be read."""
    if not clinic.is_stored:
        return promised_by(received_at, [], [], clinic.response_working_days, zone_of(clinic.time_zone))
    try:
        hours, holidays = list(clinic.opening_hours.all()), {holiday.date for holiday in clinic.holidays.all()}
    except Error:
        hours, holidays = [], set()
    return promised_by(received_at, hours, holidays, clinic.response_working_days, zone_of(clinic.time_zone))


def _write_notices(lead: ConsultationRequest) -> None:
    kinds = [NoticeKind.STAFF, *([NoticeKind.ACKNOWLEDGEMENT] if lead.email else [])]
    host = urlsplit(settings.SITE_URL).hostname
    now = timezone.now()
    Outbox.objects.bulk_create(
        [
            Outbox(request=lead, reference=lead.reference, kind=kind, message_id=f"<{uuid.uuid4().hex}@{host}>", due_at=now)
            for kind in kinds
        ],
        ignore_conflicts=True,
    )


def replay_spool() -> Replay:
    """Store what waits in the spool, each file exactly once; a file goes only after its commit.

    Unreadable files are set aside, never deleted. A file that can't be stored, or
    can't be removed afterwards, holds up no other. Stops at the first sign that the
    database is still away. Any number of processes may do this at once, and each
    may be killed at any step.
    """
    done = Replay()
    waiting = spool.waiting()
    for position, path in enumerate(waiting):
        try:
            try:
                _store(spool.read(path), EventKind.REPLAYED)
            except spool.Unreadable as error:
                spool.set_aside(path)
                log.error("spool file set aside: %s (%s)", path.name, error.reason)
                done = replace(done, set_aside=done.set_aside + 1)
            else:
                spool.remove(path)
                done = replace(done, stored=done.stored + 1)
        except FileNotFoundError:
            continue  # another process took it
        except (OperationalError, InterfaceError) as error:
            log.warning("spool not replayed, database failed: %s", type(error).__name__)
            return replace(done, left=done.left + len(waiting) - position)
        except Exception as error:
            log.error("spool file left: %s (%s)", path.name, type(error).__name__)
            done = replace(done, left=done.left + 1)
    return done


# --- staff ---------------------------------------------------------------------------


@transaction.atomic
def change_status(pk: int, status: LeadStatus, *, by: User, seen: LeadStatus | None = None) -> ConsultationRequest:
    """Move a request along NEXT_STATUSES and record who did it.

    Locks the row, so two people cannot both move it. A request that leaves
    suspected spam gets the mails it was kept from. Raises InvalidTransition when
    the workflow has no such step, StalePage when the request is no longer in the
    status that the person had `seen`; writes nothing then.
    """
    lead = ConsultationRequest.objects.select_for_update().get(pk=pk)
    if seen is not None and lead.status != seen:
        raise StalePage(lead)
    if not lead.can_move_to(status):
        raise InvalidTransition(lead, status)
    _move(lead, status, by)
    return lead


def _move(lead: ConsultationRequest, status: LeadStatus, by: User) -> None:
    LeadEvent.objects.create(request=lead, actor=by, kind=EventKind.STATUS, from_status=lead.status, to_status=status)
    if lead.status == LeadStatus.SPAM:
        _write_notices(lead)
    lead.status = status
    lead.save(update_fields=["status"])


@transaction.atomic
def assign(pk: int, to: User | None, *, by: User, seen: Collection[int | None] | None = None) -> ConsultationRequest:
    """Give a request to a colleague, or to nobody. Assigning it to the same person again records nothing.

    Raises StalePage, and writes nothing, when it is no longer with one of those
    (account ids, None for nobody) that the person had `seen`.
    """
    lead = ConsultationRequest.objects.select_for_update().get(pk=pk)
    if seen is not None and lead.assigned_to_id not in seen:
        raise StalePage(lead)
    if lead.assigned_to_id != (to.pk if to else None):
        lead.assigned_to = to
        lead.save(update_fields=["assigned_to"])
        LeadEvent.objects.create(request=lead, actor=by, kind=EventKind.ASSIGNED)
    return lead


@transaction.atomic
def log_contact(
    pk: int, *, by: User, outcome: AttemptOutcome, channel: AttemptChannel = AttemptChannel.PHONE, note: str = ""
) -> ContactAttempt:
    """Record a try to reach the person. The first one answers the response promise; a new request that was reached moves on.

    Raises InvalidTransition for suspected spam: restore it first.
    """
    lead = ConsultationRequest.objects.select_for_update().get(pk=pk)
    if lead.status == LeadStatus.SPAM:
        raise InvalidTransition(lead, LeadStatus.CONTACTED)
    attempt = ContactAttempt.objects.create(request=lead, by=by, channel=channel, outcome=outcome, note=note)
    LeadEvent.objects.create(request=lead, actor=by, kind=EventKind.CONTACT)
    if lead.first_contact_at is None:
        lead.first_contact_at = attempt.at
        lead.save(update_fields=["first_contact_at"])
    if outcome == AttemptOutcome.REACHED and lead.status == LeadStatus.NEW:
        _move(lead, LeadStatus.CONTACTED, by)
    return attempt


def record_access(leads: Iterable[ConsultationRequest], *, by: User, action: AccessAction, via: str = "") -> None:
    """Record that `by` saw these requests. Every look counts, not only the first."""
    LeadAccess.objects.bulk_create(
        LeadAccess(request=lead, user=by, username=by.get_username(), action=action, via=via) for lead in leads
    )


@transaction.atomic
def erase(pk: int) -> None:
    """Delete a request for good with everything about it, its mails included. The caller records who did it and why."""
    lead = ConsultationRequest.objects.select_for_update().get(pk=pk)
    Outbox.objects.filter(reference=lead.reference).delete()
    lead.delete()


@transaction.atomic
def resend_notice(pk: int, *, by: User) -> Outbox:
    """Put a mail (an Outbox row) back in line, due now, under its old Message-ID."""
    row = Outbox.objects.select_for_update().get(pk=pk)
    row.state, row.attempts, row.due_at, row.last_error = OutboxState.PENDING, 0, timezone.now(), ""
    row.save(update_fields=["state", "attempts", "due_at", "last_error"])
    if row.request_id:
        LeadEvent.objects.create(request_id=row.request_id, actor=by, kind=EventKind.RESENT)
    return row
