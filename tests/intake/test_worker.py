"""The worker does its rounds, outlives trouble, and stops when told."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from clinic_site import site_record
from clinic_site.models import Clinic
from conditions.models import Page, SearchMiss
from conditions.search import misses
from intake import integrity, spool
from intake.management.commands.worker import Command
from intake.models import ConsultationRequest, Outbox, OutboxState, RateBucket
from tests.factories import submission, submitted


def test_one_round_sends_stores_and_forgets(transactional_db):
    submitted()
    spool.write(submission(name="Pat Sample"))
    RateBucket.objects.create(key="old", expires_at=timezone.now() - timedelta(hours=2))
    call_command("worker", once=True)
    assert ConsultationRequest.objects.count() == 2
    assert len(mail.outbox) == 4
    assert not RateBucket.objects.exists()


def test_a_mail_server_that_hangs_holds_up_stored_requests_for_one_mail_at_most(transactional_db, mail_server, monkeypatch):
    monkeypatch.setattr("intake.management.commands.worker.SEND_SECONDS", 0.1)
    mail_server.mode = "hang"
    for number in range(3):
        submitted(message=f"number {number}")
    call_command("worker", once=True)
    assert Outbox.objects.filter(attempts=1).count() == 1


def test_a_round_publishes_what_is_due(transactional_db, content):
    Page.objects.filter(slug="privacy").update(status="draft", publish_at=timezone.now())
    call_command("worker", once=True)
    assert Page.objects.get(slug="privacy").status == "published"


def test_a_round_with_the_database_away_is_survived_and_the_next_one_works(database, caplog):
    submitted()
    database.goes_away()
    spool.write(submission(name="Zebra-marker"))
    call_command("worker", once=True)
    assert "OperationalError" in caplog.text
    assert "Zebra-marker" not in caplog.text
    database.comes_back()
    call_command("worker", once=True)
    assert ConsultationRequest.objects.count() == 2
    assert {row.state for row in Outbox.objects.all()} == {OutboxState.SENT}


def address_of_the_test_database():
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    host = given["HOST"] or "%2Fvar%2Frun%2Fpostgresql"
    return f"postgresql://{given['USER']}:{given['PASSWORD']}@{host}:{given['PORT']}/{given['NAME']}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("mode", ["accept", "hang"])
def test_a_running_worker_stops_soon_even_while_a_mail_server_hangs(transactional_db, mail_server, tmp_path, number, mode):
    mail_server.mode = mode
    submitted()
    environment = os.environ | {
        "DATABASE_URL": address_of_the_test_database(),
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_server.port}",
        "SPOOL_DIR": str(tmp_path / "spool"),
    }
    worker = subprocess.Popen([sys.executable, "manage.py", "worker"], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 20
        while not (mail_server.connections if mode == "hang" else len(mail_server.messages) == 2):
            assert time.monotonic() < deadline
            assert worker.poll() is None
            time.sleep(0.02)
        worker.send_signal(number)
        assert worker.wait(5) == 0  # long before it gives that server up
    finally:
        worker.kill()
        log = worker.communicate()[1]
    assert "worker stopped" in log
    assert "sam@example.org" not in log


@pytest.fixture
def clock(monkeypatch):
    """`clock(timedelta)` sets the time forward for whoever asks `timezone.now()`; each call stands for a restart too."""
    real = timezone.now

    def forward(by):
        monkeypatch.setattr(timezone, "now", lambda: real() + by)

    return forward


def checks(caplog):
    return caplog.text.count("integrity checked")


def test_everything_is_checked_once_a_day_over_restarts(transactional_db, caplog, clock):
    caplog.set_level("INFO")
    for hours, done in ((0, 1), (1, 1), (23, 1), (25, 2), (26, 2), (50, 3)):
        clock(timedelta(hours=hours))
        call_command("worker", once=True)
        assert checks(caplog) == done, hours


def test_a_check_made_while_the_clock_was_ahead_does_not_stand_for_the_days_until_then(transactional_db, caplog, clock):
    caplog.set_level("INFO")
    for days, done in ((400, 1), (0, 2), (0.5, 2)):
        clock(timedelta(days=days))
        call_command("worker", once=True)
        assert checks(caplog) == done


def test_what_disagrees_is_logged_by_kind_and_count_and_never_by_content(transactional_db, caplog):
    Outbox.objects.filter(request=submitted(name="Zebra-marker", email="zebra-marker@example.org")).delete()
    call_command("worker", once=True)
    assert "integrity: 1 requests without their mails" in caplog.text
    assert "ebra-marker" not in caplog.text
    report = integrity.last_report()
    assert report.counts == {"requests without their mails": 1}


def test_a_check_that_fails_is_made_up_for_later_and_not_in_every_round(transactional_db, caplog, monkeypatch):
    caplog.set_level("INFO")
    asked = []
    with monkeypatch.context() as broken:
        broken.setattr(integrity, "check", lambda: asked.append(1) or 1 / 0)
        worker = Command()
        worker.stop = threading.Event()
        worker.round()
        worker.round()
    assert len(asked) == 1
    assert "ZeroDivisionError" in caplog.text
    assert integrity.last_report() is None
    call_command("worker", once=True)
    assert integrity.last_report().total == 0


def test_searches_that_found_nothing_are_forgotten_after_their_time(transactional_db, clock):
    today = timezone.localdate()
    for query, age in (("old", misses.KEPT_DAYS + 1), ("young", 1)):
        SearchMiss.objects.create(query=query, language="en", first_on=today, last_on=today - timedelta(days=age))
    call_command("worker", once=True)
    assert [miss.query for miss in SearchMiss.objects.all()] == ["young"]


def test_the_days_of_the_worker_are_those_of_the_clinic(transactional_db, monkeypatch):
    Clinic.objects.update_or_create(pk=1, defaults={"time_zone": "Pacific/Kiritimati"})
    site_record.forget()
    zones = []
    monkeypatch.setattr("conditions.services.apply_schedule", lambda now: zones.append(timezone.get_current_timezone_name()))
    call_command("worker", once=True)
    assert zones == ["Pacific/Kiritimati"]
