"""Reviewers hear of a due review once for each page and date, whatever happens to mail server and worker on the way."""

import datetime
import os
import signal
import subprocess
import sys
import time

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from conditions import reminders
from conditions.models import REVIEW_GRACE, Page, Physician, ReviewReminder
from tests.intake.conftest import mail_server  # noqa: F401
from tests.intake.test_worker import address_of_the_test_database

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
NOW = datetime.datetime(2027, 3, 1, 15, tzinfo=datetime.UTC)
TODAY = datetime.date(2027, 3, 1)
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def nothing_due(content):
    """No page of the pack is due, whatever the date."""
    Page.objects.update(next_review_on="2099-01-01")


def due(on, slug="kyphosis", **values):
    reviewer = Physician.objects.order_by("pk").first()
    Page.objects.filter(slug=slug).update(next_review_on=on, reviewed_by=reviewer, **values)
    return Page.objects.get(slug=slug)


def test_the_reviewer_is_told_thirty_days_before_and_once():
    Physician.objects.update(email="reviewer@clinic.example")
    page = due(TODAY + 30 * DAY)
    assert reminders.send_due(NOW - DAY) == 0
    assert reminders.send_due(NOW) == 1
    assert reminders.send_due(NOW + DAY) == 0
    (message,) = mail.outbox
    assert message.to == ["reviewer@clinic.example"]
    assert message.subject == "Medical review due on March 31, 2027: Kyphosis"
    assert page.title in message.body
    assert f"/conditions/{page.slug}/" in message.body
    assert reverse("admin:conditions_page_change", args=[page.pk]) in message.body
    assert message.message()["Auto-Submitted"] == "auto-generated"


def test_without_an_address_of_the_reviewer_the_clinic_is_told():
    due(TODAY)
    reminders.send_due(NOW)
    assert mail.outbox[0].to == ["newpatients@clinic.example"]


def test_a_new_date_is_a_new_mail():
    due(TODAY + 10 * DAY)
    reminders.send_due(NOW)
    due(TODAY + 190 * DAY)
    assert reminders.send_due(NOW + DAY) == 0
    assert reminders.send_due(NOW + 160 * DAY) == 1
    assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == 2


def test_drafts_are_nobodys_hurry():
    due(TODAY, status="draft", status_es="draft")
    assert reminders.send_due(NOW) == 0
    assert not ReviewReminder.objects.exists()


def test_a_review_that_came_first_needs_no_mail():
    due(TODAY)
    reminders._plan(NOW)
    due(TODAY + 180 * DAY)
    assert reminders.send_due(NOW) == 0
    assert not ReviewReminder.objects.exists()


def test_several_pages_are_several_mails():
    due(TODAY, "kyphosis")
    due(TODAY, "scoliosis")
    assert reminders.send_due(NOW) == 2


def test_addresses_of_reviewers_are_never_shown(client):
    Physician.objects.update(email="reviewer@clinic.example")
    physician = Physician.objects.filter(is_published=True).first()
    for path in (physician.get_absolute_url(), "/physicians/", due(TODAY).get_absolute_url()):
        assert "reviewer@" not in client.get(path).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_dead_mail_server_is_waited_for(mail_server, caplog):  # noqa: F811
    due(TODAY)
    mail_server.mode = "defer"
    assert reminders.send_due(NOW) == 0
    waiting = ReviewReminder.objects.get()
    assert (waiting.attempts, waiting.last_error) == (1, "SMTPRecipientsRefused")
    assert "example.org" not in caplog.text
    mail_server.mode = "accept"
    assert reminders.send_due(NOW + 9 * reminders.FIRST_WAIT / 10) == 0
    assert reminders.send_due(NOW + reminders.FIRST_WAIT) == 1
    assert [message["Message-ID"] for message in mail_server.messages] == [waiting.message_id]


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_never_gets_through_is_given_up_after_a_week_and_stays_on_the_list(mail_server):  # noqa: F811
    due(TODAY)
    mail_server.mode = "refuse"
    now, first = NOW, NOW
    for _try in range(40):
        reminders.send_due(now)
        now += datetime.timedelta(hours=12)
    reminder = ReviewReminder.objects.get()
    assert (reminder.attempts, reminder.sent_at) == (reminders.MAX_ATTEMPTS, None)
    assert datetime.timedelta(days=5) < reminder.next_try_at - first < datetime.timedelta(days=14)


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_sending_sends_again_under_the_same_message_id(mail_server, tmp_path):  # noqa: F811
    due(timezone.localdate())
    mail_server.mode = "hang after data"
    environment = os.environ | {
        "DATABASE_URL": address_of_the_test_database(),
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_server.port}",
        "SPOOL_DIR": str(tmp_path / "spool"),
    }
    worker = subprocess.Popen([sys.executable, "manage.py", "worker"], env=environment, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not mail_server.messages:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        worker.send_signal(signal.SIGKILL)
        worker.wait(5)
    finally:
        worker.kill()
    killed = ReviewReminder.objects.get()
    assert (killed.attempts, killed.sent_at) == (1, None)
    mail_server.mode = "accept"
    assert reminders.send_due(killed.next_try_at) == 1
    assert {message["Message-ID"] for message in mail_server.messages} == {killed.message_id}
    assert len(mail_server.messages) == 2


# --- what the public and search engines see of a late review


def test_a_page_leaves_the_sitemap_after_the_grace_period_and_comes_back_with_a_review():
    page = due(TODAY, review_state="reviewed")
    listed = Page.objects.indexable
    assert page in listed(TODAY + REVIEW_GRACE)
    assert page not in listed(TODAY + REVIEW_GRACE + DAY)
    due(TODAY + 400 * DAY)
    assert page in listed(TODAY + REVIEW_GRACE + DAY)


def test_a_page_without_a_date_stays_listed():
    page = due(None, "privacy")
    assert page in Page.objects.indexable(TODAY)


def test_the_sitemap_leaves_out_a_page_that_is_long_overdue(client):
    page = due(timezone.localdate() - REVIEW_GRACE - DAY)
    assert page.get_absolute_url() not in client.get("/sitemap.xml").content.decode()
    due(timezone.localdate() - DAY)
    assert page.get_absolute_url() in client.get("/sitemap.xml").content.decode()


def test_readers_are_told_of_a_late_review_from_the_first_day(client):
    late = client.get(due(timezone.localdate() - DAY, "kyphosis").get_absolute_url()).content.decode()
    current = client.get(due(timezone.localdate(), "scoliosis").get_absolute_url()).content.decode()
    assert "A new review has been due since" in late
    assert "A new review has been due since" not in current
