"""Whatever disagrees is found, counted, and said with what to do; where nothing does, nothing is said."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from intake import integrity, spool
from intake.integrity import check
from intake.models import ConsultationRequest, LeadEvent, LeadStatus, NoticeKind, Outbox, SearchKey
from intake.services import change_status, replay_spool
from tests.factories import ConsultationRequestFactory, UserFactory, submission, submitted

MARKER = "Zebra-marker"


@pytest.fixture(autouse=True)
def _impatient(db, monkeypatch):
    monkeypatch.setattr(integrity, "PATIENCE_SECONDS", 0)


def kinds():
    return {finding.what: finding.count for finding in check()}


def test_requests_from_every_way_in_agree(capsys):
    submitted()
    submitted(email="")
    submitted(name="!!!")
    submitted(spam_reasons=["honeypot"])
    change_status(submitted(spam_reasons=["honeypot"], message="Not spam").pk, LeadStatus.NEW, by=UserFactory())
    press = submission()
    spool.write(press)
    spool.write(submission(submission_id=press.submission_id, message="Changed"))
    replay_spool()
    assert check() == []
    call_command("check_integrity")
    assert "Every request has its record" in capsys.readouterr().out


def test_a_request_without_its_mails_is_found():
    for kind in NoticeKind:
        Outbox.objects.get(request=submitted(), kind=kind).delete()
    assert kinds() == {"requests without their mails": 2}


def test_suspected_spam_needs_no_mails():
    submitted(spam_reasons=["honeypot"])
    assert ConsultationRequest.objects.get().status == LeadStatus.SPAM
    assert kinds() == {}


def test_a_mail_without_its_request_is_found():
    submitted().delete()
    stray = Outbox.objects.get(request=submitted(), kind=NoticeKind.STAFF)
    Outbox.objects.filter(pk=stray.pk).update(reference="ZZZZZZZZ")
    assert kinds() == {"mails without their request": 3}


def test_a_request_without_record_or_search_keys_is_found():
    lead = submitted()
    LeadEvent.objects.filter(request=lead).delete()
    assert kinds() == {"requests without a record of their arrival": 1}
    SearchKey.objects.filter(request=submitted()).delete()
    assert kinds()["requests that no search finds"] == 1


def test_an_altered_answer_is_found_by_reference_without_its_content():
    lead = submitted(message=MARKER)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {ConsultationRequest._meta.db_table} SET name = %s WHERE id = %s", [MARKER, lead.pk])
    (finding,) = check()
    assert finding.what == "rows that no key opens"
    assert lead.shown_reference in str(finding)
    assert MARKER not in str(finding)


@pytest.mark.parametrize("column", ["message", "phone", "red_flags"])
def test_answers_that_were_exchanged_between_two_requests_are_found(column):
    leads = [submitted(message=MARKER, phone="+17035550163", red_flags="none"), submitted(phone="+17035550164", red_flags="fever")]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM intake_consultationrequest ORDER BY id")
        for lead, (token,) in zip(reversed(leads), cursor.fetchall(), strict=True):
            cursor.execute(f"UPDATE intake_consultationrequest SET {column} = %s WHERE id = %s", [token, lead.pk])
    (finding,) = check()
    assert finding.what == "requests whose answers are not those that were sent"
    assert finding.examples == tuple(lead.shown_reference for lead in leads)
    assert MARKER not in str(finding)


def test_spool_files_already_stored_and_unreadable_ones_are_found():
    press = submission()
    spool.write(press)
    replay_spool()
    spool.write(press)
    spool.folder().joinpath("bad.sealed").write_bytes(b"altered")
    assert kinds() == {"spool files already stored": 1, "spool files that cannot be read": 1}
    replay_spool()
    assert kinds() == {"spool files that cannot be read": 1}


def test_a_spool_file_that_waits_for_the_database_is_no_finding():
    spool.write(submission())
    assert check() == []


def test_the_command_counts_says_what_to_do_and_fails(capsys):
    leads = ConsultationRequestFactory.create_batch(12)
    with pytest.raises(CommandError, match="^36 things disagree"):
        call_command("check_integrity")
    report = capsys.readouterr().err
    assert "12 requests without their mails" in report
    assert "answer them now" in report
    assert leads[0].shown_reference in report
    assert leads[-1].shown_reference not in report


def test_once_mended_the_command_takes_the_warning_back():
    lead = submitted()
    Outbox.objects.filter(request=lead).update(request=None)
    with pytest.raises(CommandError):
        call_command("check_integrity")
    assert integrity.last_report().total == 3
    Outbox.objects.update(request=lead)
    call_command("check_integrity")
    assert integrity.last_report().total == 0


def test_the_command_says_so_where_the_database_is_away(database):
    database.goes_away()
    with pytest.raises(CommandError, match="Nothing was checked"):
        call_command("check_integrity")


def test_a_spool_that_cannot_be_used_is_found_and_the_rest_is_still_checked(db, no_spool):
    overwritten = submitted()
    Outbox.objects.filter(request=overwritten).delete()
    assert [finding.what for finding in check()] == ["requests without their mails", "spool folders that cannot be used"]
