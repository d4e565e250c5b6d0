"""The health address says how the site is, and stays up when the database is not."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from clinic_site import health
from intake import integrity, spool
from intake.models import Outbox, OutboxState
from tests.factories import submission, submitted


def ask(client):
    response = client.get("/health/")
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    return response.json()


def test_a_well_site_is_ok(client, db):
    assert ask(client) == {
        "status": "ok",
        "database": "ok",
        "spool": {"waiting": 0, "oldest_seconds": 0, "set_aside": 0, "reserve_kb": 0, "is_usable": True},
        "outbox": {"waiting": 0, "failed": 0, "late_seconds": 0},
        "integrity": None,
    }


def test_mail_that_waits_is_no_trouble(client, content):
    submitted()
    assert ask(client)["outbox"]["waiting"] >= 1
    assert ask(client)["status"] == "ok"


def test_mail_that_nobody_sends_degrades(client, content):
    submitted()
    Outbox.objects.update(due_at=timezone.now() - timedelta(hours=1))
    found = ask(client)
    assert found["status"] == "degraded"
    assert found["outbox"]["late_seconds"] >= 3600


def test_failed_mail_degrades(client, content):
    submitted()
    Outbox.objects.update(state=OutboxState.FAILED)
    assert ask(client)["status"] == "degraded"


def test_waiting_files_degrade_and_show_their_number(client, db):
    spool.write(submission())
    spool.set_aside(spool.write(submission()))
    found = ask(client)
    assert found["status"] == "degraded"
    assert (found["spool"]["waiting"], found["spool"]["set_aside"]) == (1, 1)


def test_a_spool_that_cannot_be_used_degrades_and_is_not_called_empty(client, db, spool_dir, capsys):
    spool_dir.write_text("a file, not a folder")
    found = ask(client)
    assert found["status"] == "degraded"
    assert not found["spool"]["is_usable"]
    with pytest.raises(SystemExit):
        call_command("doctor")
    assert "TROUBLE  spool: SPOOL_DIR cannot be used." in capsys.readouterr().out


def test_missing_database_degrades_and_keeps_answering(client, db, monkeypatch):
    monkeypatch.setattr(health, "database_answers", lambda: False)
    found = ask(client)
    assert (found["status"], found["database"], found["outbox"]) == ("degraded", "away", None)


def test_database_lost_between_two_questions_counts_as_away(client, db, monkeypatch):
    def lost():
        raise OperationalError

    monkeypatch.setattr(health, "outbox_state", lost)
    monkeypatch.setattr(health.connection, "close", lambda: None)
    assert ask(client)["database"] == "away"


def test_what_the_daily_check_found_degrades_until_a_check_finds_nothing(client, content):
    lead = submitted()
    Outbox.objects.filter(request=lead).update(request=None)
    integrity.check_and_report(timezone.now())
    found = ask(client)
    assert found["status"] == "degraded"
    assert found["integrity"]["disagreements"] == 3
    Outbox.objects.update(request=lead)
    integrity.check_and_report(timezone.now())
    assert ask(client)["status"] == "ok"
