"""Mails go out at least once, hold no answer, and never stand in a patient's way."""

import smtplib
import threading
import time
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connections
from django.utils import timezone

from intake import outbox
from intake.models import ConsultationRequest, NoticeKind, Outbox, OutboxState
from tests.factories import ANSWERS, submission, submitted

MARKER = "Zebra-marker"


def row(kind=NoticeKind.STAFF):
    return Outbox.objects.get(kind=kind)


def make_due():
    Outbox.objects.filter(state=OutboxState.PENDING).update(due_at=timezone.now())


def send_all():
    make_due()
    return outbox.send_due()


# --- what they say


def test_staff_are_told_the_first_name_the_reference_and_where_to_look(db, settings):
    lead = submitted()
    assert outbox.send_due() == 2
    message = next(m for m in mail.outbox if m.to == settings.STAFF_NOTICE_EMAIL)
    assert lead.shown_reference in message.subject
    assert lead.shown_reference in message.body
    assert "Sam" in message.body
    assert f"{settings.SITE_URL}/admin/intake/consultationrequest/{lead.pk}/change/" in message.body


def test_the_person_is_told_the_reference_and_how_to_reach_the_clinic(db):
    lead = submitted()
    outbox.send_due()
    message = next(m for m in mail.outbox if m.to == ["sam@example.org"])
    assert "Hello Sam," in message.body
    assert lead.shown_reference in message.body
    assert "call 911" in message.body


def test_no_answer_is_in_any_mail(db):
    typed = {name: f"{MARKER}{number}" for number, name in enumerate(ANSWERS) if name not in {"name", "email", "phone"}}
    submitted(name=f"Sam {MARKER}", email="marker@example.org", phone="+17035550163", **typed)
    outbox.send_due()
    assert len(mail.outbox) == 2
    for message in mail.outbox:
        text = message.message().as_string() + message.body + message.subject
        assert MARKER not in text
        assert "555-0163" not in text
        assert "5550163" not in text
    staff = next(m for m in mail.outbox if m.to != ["marker@example.org"])
    assert "marker@example.org" not in staff.message().as_string()


def test_mails_are_plain_text_say_that_they_are_automatic_and_keep_their_message_id(db):
    submitted()
    ids = {r.message_id for r in Outbox.objects.all()}
    outbox.send_due()
    sent = [m.message() for m in mail.outbox]
    assert {m["Message-ID"] for m in sent} == ids
    assert {m["Auto-Submitted"] for m in sent} == {"auto-generated"}
    assert {m.get_content_type() for m in sent} == {"text/plain"}


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Sam Sample", "Sam"),
        ("María-José O’Neill", "María-José"),
        ("http://spam.example now", ""),
        ("Buy.now at", ""),
        ("X" * 80, ""),
        ("R2D2", ""),
    ],
)
def test_only_what_reads_like_a_name_is_used_as_one(db, name, first):
    assert outbox.first_name(submitted(name=name)) == first


def test_a_person_is_answered_in_the_language_of_the_form(db):
    submitted(language="es")
    with_spanish = outbox.write(row(NoticeKind.ACKNOWLEDGEMENT))
    assert with_spanish.subject


# --- how they are sent


def test_a_real_server_gets_both_mails_once(transactional_db, mail_server):
    submitted()
    assert send_all() == 2
    assert send_all() == 0
    assert len(mail_server.messages) == 2
    assert {r.state for r in Outbox.objects.all()} == {OutboxState.SENT}
    assert all(r.sent_at for r in Outbox.objects.all())


def test_a_server_that_defers_is_tried_again_later_and_later(transactional_db, mail_server):
    submitted(email="")
    mail_server.mode = "defer"
    waits = []
    for _ in range(4):
        assert send_all() == 0
        waits.append(round((row().due_at - timezone.now()).total_seconds() / 60))
    assert waits == [1, 2, 4, 8]
    assert (row().state, row().last_error) == (OutboxState.PENDING, "SMTPRecipientsRefused 451")
    mail_server.mode = "accept"
    assert send_all() == 1
    assert row().last_error == ""


def test_an_address_that_bounces_is_given_up_at_once_and_marks_the_lead(transactional_db, mail_server):
    submitted(email="")
    mail_server.mode = "refuse"
    send_all()
    assert (row().state, row().attempts, row().last_error) == (OutboxState.FAILED, 1, "SMTPRecipientsRefused 550")
    assert ConsultationRequest.objects.with_failed_notices().get().has_failed_notice


def test_no_server_at_all_is_an_error_without_text(transactional_db, mail_server, caplog):
    submitted()
    mail_server.shutdown()
    mail_server.server_close()
    send_all()
    assert {r.last_error for r in Outbox.objects.all()} == {"ConnectionRefusedError"}
    assert "sam@example.org" not in caplog.text


def test_a_mail_is_given_up_after_about_two_days(transactional_db, mail_server):
    submitted(email="")
    mail_server.mode = "defer"
    Outbox.objects.update(attempts=outbox.MAX_ATTEMPTS - 1)
    send_all()
    assert row().state == OutboxState.FAILED
    waited = sum((outbox.wait_after(number) for number in range(1, outbox.MAX_ATTEMPTS)), timedelta())
    assert timedelta(hours=44) < waited < timedelta(hours=54)


def test_a_hanging_server_holds_up_no_patient_and_loses_nothing(transactional_db, mail_server):
    submitted(email="")
    mail_server.mode = "hang"

    def send():
        send_all()
        connections.close_all()

    sending = threading.Thread(target=send)
    sending.start()
    while not mail_server.connections:
        time.sleep(0.01)
    started = time.monotonic()
    submitted(name="Pat Sample")
    assert time.monotonic() - started < 1
    sending.join()
    hung = Outbox.objects.order_by("pk").first()
    assert (hung.state, hung.attempts) == (OutboxState.PENDING, 1)


def test_a_worker_killed_while_sending_sends_again_under_the_same_message_id(transactional_db, mail_server):
    submitted(email="")
    mail_server.mode = "hang after data"
    send_all()
    mail_server.mode = "accept"
    assert send_all() == 1
    assert len(mail_server.messages) == 2
    assert len({m["Message-ID"] for m in mail_server.messages}) == 1


def test_a_claimed_mail_is_left_alone_until_its_lease_ends(db, settings):
    submitted(email="")
    now = timezone.now()
    claimed = outbox.claim(now)
    assert claimed.attempts == 1
    assert outbox.claim(now + timedelta(seconds=settings.EMAIL_TIMEOUT * 10)) is None
    assert outbox.claim(now + timedelta(seconds=max(60, settings.EMAIL_TIMEOUT * 12) + 1)).attempts == 2


@pytest.mark.parametrize("ahead", [timedelta(hours=4), timedelta(days=400)])
def test_a_mail_written_while_the_clock_was_ahead_does_not_wait_until_then(db, ahead):
    submitted()
    Outbox.objects.update(due_at=timezone.now() + ahead)
    assert outbox.send_due() == 2
    assert outbox.send_due() == 0


def test_a_late_answer_of_an_old_claim_does_not_undo_a_newer_one(db):
    submitted(email="")
    old = outbox.claim(timezone.now())
    Outbox.objects.update(attempts=2)
    outbox._mark(old, state=OutboxState.FAILED)
    assert row().state == OutboxState.PENDING


def test_many_workers_send_each_mail_once(transactional_db, mail_server):
    for number in range(6):
        submitted(name=f"Sam {number}", email="")
    make_due()

    def send():
        outbox.send_due()
        connections.close_all()

    workers = [threading.Thread(target=send) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len({m["Message-ID"] for m in mail_server.messages}) == len(mail_server.messages) == 6


def test_a_mail_without_its_request_or_address_is_given_up_with_the_reason(db, settings):
    submitted()
    settings.ENCRYPTION_KEYS = ["A" * 43 + "="]
    Outbox.objects.filter(kind=NoticeKind.STAFF).update(request=None)
    outbox.send_due()
    assert row(NoticeKind.ACKNOWLEDGEMENT).last_error == "address cannot be read"
    assert row(NoticeKind.STAFF).last_error == "request is gone"


def test_errors_are_described_without_their_text():
    refused = smtplib.SMTPRecipientsRefused({"sam@example.org": (550, b"no such user sam@example.org")})
    assert outbox.described(refused) == "SMTPRecipientsRefused 550"
    assert outbox.described(smtplib.SMTPDataError(554, b"sam@example.org")) == "SMTPDataError 554"
    assert outbox.described(TimeoutError("sam@example.org")) == "TimeoutError"
    mixed = smtplib.SMTPRecipientsRefused({"a@example.org": (550, b""), "b@example.org": (451, b"")})
    assert not outbox.is_permanent(mixed)


def test_a_request_in_the_outbox_is_told_apart_by_reference(db):
    press = submission()
    lead = submitted(submission_id=press.submission_id)
    assert {r.reference for r in Outbox.objects.all()} == {lead.reference}
