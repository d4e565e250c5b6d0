"""What each notice says, and the loop that sends what is due.

Sent at least once: a row is claimed in a short transaction with a lease longer
than any one sending may take, sent outside it, then marked. A worker killed in
between sends it again under the same Message-ID.
"""

import logging
import re
import smtplib
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from clinic_site.site_record import current_clinic, zone_of

from .fields import Undecryptable
from .models import ConsultationRequest, NoticeKind, Outbox, OutboxState

# A sending makes about ten exchanges with the server, each of which may take EMAIL_TIMEOUT.
LEASE_EXCHANGES = 12
FIRST_RETRY = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
# With these waits, the last try comes two days after the first.
MAX_ATTEMPTS = 17
PLAIN_NAME = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")

log = logging.getLogger(__name__)


class CannotWrite(Exception):
    """A mail that can never be written: its request is gone, or the address can't be read."""


def send_due(stop: Callable[[], bool] = lambda: False) -> int:
    """Send what is due, one mail at a time, until nothing is or `stop` says so; returns how many were sent."""
    sent = 0
    while not stop() and (row := claim(timezone.now())):
        sent += _send(row)
    return sent


@transaction.atomic
def claim(now: datetime) -> Outbox | None:
    """The next due row, leased to the caller: no other worker sees it until the lease ends.

    Due is also what was never tried, and what no wait or lease puts off so far: it was written while the clock was ahead.
    """
    lease = timedelta(seconds=max(LEASE_EXCHANGES * settings.EMAIL_TIMEOUT, 60))
    due = Q(due_at__lte=now) | Q(attempts=0) | Q(due_at__gt=now + lease + LONGEST_WAIT)
    rows = Outbox.objects.filter(due, state=OutboxState.PENDING).order_by("due_at", "pk")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    row = rows.first()
    if row:
        row.attempts += 1
        row.due_at = now + lease
        row.save(update_fields=["attempts", "due_at"])
    return row


def _send(row: Outbox) -> bool:
    try:
        write(row).send()
    except CannotWrite as error:
        _mark(row, state=OutboxState.FAILED, last_error=str(error))
    except Exception as error:
        gave_up = is_permanent(error) or row.attempts >= MAX_ATTEMPTS
        _mark(
            row,
            state=OutboxState.FAILED if gave_up else OutboxState.PENDING,
            last_error=described(error),
            due_at=timezone.now() + wait_after(row.attempts),
        )
        log.warning("mail %s not sent: %s%s", row.pk, described(error), ", given up" if gave_up else "")
    else:
        _mark(row, state=OutboxState.SENT, sent_at=timezone.now(), last_error="")
        return True
    return False


def _mark(row: Outbox, **values: object) -> None:
    # Only the claim that is still the newest may speak for the row.
    Outbox.objects.filter(pk=row.pk, attempts=row.attempts, state=OutboxState.PENDING).update(**values)


def wait_after(attempts: int) -> timedelta:
    """How long to wait after that many tries: twice as long each time, at most six hours."""
    return min(FIRST_RETRY * 2 ** (attempts - 1), LONGEST_WAIT)


def is_permanent(error: Exception) -> bool:
    """Whether the mail server refused every recipient for good."""
    return isinstance(error, smtplib.SMTPRecipientsRefused) and all(500 <= code <= 599 for code, _ in error.recipients.values())


def described(error: Exception) -> str:
    """An error as its kind and the server's code; never its text, which may quote an address."""
    code = getattr(error, "smtp_code", None)
    if isinstance(error, smtplib.SMTPRecipientsRefused) and error.recipients:
        code = next(iter(error.recipients.values()))[0]
    return f"{type(error).__name__} {code}" if isinstance(code, int) else type(error).__name__


def write(row: Outbox) -> EmailMessage:
    """The mail of a row. Holds a first name, the reference and the clinic's contact; for staff a link, never an answer.

    Raises CannotWrite where it can't be addressed.
    """
    lead = row.request
    if lead is None:
        raise CannotWrite("request is gone")
    if row.kind == NoticeKind.ACKNOWLEDGEMENT:
        if isinstance(lead.email, Undecryptable) or not lead.email:
            raise CannotWrite("address cannot be read")
        recipients, language, template = [lead.email], lead.language, "acknowledgement"
    else:
        recipients, language, template = list(settings.STAFF_NOTICE_EMAIL), settings.LANGUAGE_CODE, "staff_notice"
    clinic = current_clinic()
    context = {
        "clinic": clinic,
        "first_name": first_name(lead),
        "reference": lead.shown_reference,
        "received_at": lead.received_at,
        "respond_by": lead.respond_by,
        "lead_url": settings.SITE_URL + reverse("admin:intake_consultationrequest_change", args=[lead.pk]),
    }
    with translation.override(language), timezone.override(zone_of(clinic.time_zone)):
        subject = render_to_string(f"email/{template}_subject.txt", context)
        body = render_to_string(f"email/{template}.txt", context)
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=body,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=recipients,
        reply_to=[clinic.email] if clinic.email else None,
        headers={"Message-ID": row.message_id, "Auto-Submitted": "auto-generated"},
    )


def first_name(lead: ConsultationRequest) -> str:
    """The first word of the name if it reads like a name, else nothing: a form must not become a way to mail strangers."""
    if isinstance(lead.name, Undecryptable):
        return ""
    word = (unicodedata.normalize("NFC", lead.name).split() or [""])[0]
    return word if len(word) <= 30 and PLAIN_NAME.fullmatch(word) else ""
