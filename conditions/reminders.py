"""Mails to reviewers before a medical review is due: one for each page and due date, sent at least once.

The claim of a mail sets the time of its next try. So a mail server that is away
and a worker that is killed come to the same: the mail goes out later, under the
Message-ID it always had.
"""

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from clinic_site.site_record import current_clinic, zone_of

from .models import Page, ReviewReminder

# Longer than any one sending may take; doubled after each try.
FIRST_WAIT = timedelta(minutes=10)
LONGEST_WAIT = timedelta(days=1)
# With these waits, the last try comes a week after the first.
MAX_ATTEMPTS = 14

log = logging.getLogger(__name__)


def send_due(now: datetime, stop: Callable[[], bool] = lambda: False) -> int:
    """Send what is due, one mail at a time, until nothing is or `stop` says so; returns how many were sent."""
    _plan(now)
    sent = 0
    while not stop() and (reminder := claim(now)):
        sent += _send(reminder)
    return sent


def _plan(now: datetime) -> None:
    """A row for each page whose review is due soon, and that has none for this date yet."""
    pages = Page.objects.due_for_review(timezone.localdate(now)).exclude(reminders__due_on=F("next_review_on"))
    host = urlsplit(settings.SITE_URL).hostname
    rows = [
        ReviewReminder(page=page, due_on=page.next_review_on, message_id=f"<{uuid.uuid4().hex}@{host}>", next_try_at=now)
        for page in pages
    ]
    ReviewReminder.objects.bulk_create(rows, ignore_conflicts=True)


@transaction.atomic
def claim(now: datetime) -> ReviewReminder | None:
    """The next due mail, the caller's until its next try; one that is no longer wanted is dropped on the way."""
    waiting = ReviewReminder.objects.filter(sent_at=None, attempts__lt=MAX_ATTEMPTS, next_try_at__lte=now)
    rows = waiting.select_related("page__reviewed_by").order_by("next_try_at", "pk")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    for reminder in rows:
        if (
            not Page.objects.due_for_review(timezone.localdate(now))
            .filter(pk=reminder.page_id, next_review_on=reminder.due_on)
            .exists()
        ):
            reminder.delete()
            continue
        reminder.attempts += 1
        reminder.next_try_at = now + min(FIRST_WAIT * 2 ** (reminder.attempts - 1), LONGEST_WAIT)
        reminder.save(update_fields=["attempts", "next_try_at"])
        return reminder
    return None


def _send(reminder: ReviewReminder) -> bool:
    try:
        write(reminder).send()
    except Exception as error:
        log.warning("reminder %s not sent: %s", reminder.pk, type(error).__name__)
        _mark(reminder, last_error=type(error).__name__)
        return False
    _mark(reminder, last_error="", sent_at=timezone.now())
    return True


def _mark(reminder: ReviewReminder, **values: object) -> None:
    # Only the claim that is still the newest may speak for the row.
    ReviewReminder.objects.filter(pk=reminder.pk, attempts=reminder.attempts, sent_at=None).update(**values)


def write(reminder: ReviewReminder) -> EmailMessage:
    """The mail of a reminder, to the reviewer, or to the clinic where the reviewer has no address here."""
    clinic, page = current_clinic(), reminder.page
    with translation.override(settings.LANGUAGE_CODE), timezone.override(zone_of(clinic.time_zone)):
        context = {
            "clinic": clinic,
            "page": page,
            "reviewer": page.reviewed_by,
            "due_on": reminder.due_on,
            "page_url": settings.SITE_URL + page.get_absolute_url(),
            "edit_url": settings.SITE_URL + reverse("admin:conditions_page_change", args=[page.pk]),
        }
        subject = render_to_string("email/review_reminder_subject.txt", context)
        body = render_to_string("email/review_reminder.txt", context)
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=body,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[(page.reviewed_by and page.reviewed_by.email) or clinic.email],
        reply_to=[clinic.email] if clinic.email else None,
        headers={"Message-ID": reminder.message_id, "Auto-Submitted": "auto-generated"},
    )
