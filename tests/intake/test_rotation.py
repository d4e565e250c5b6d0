"""A new key takes over every stored answer, while staff work, after a kill, and without guessing at what it cannot read."""

import threading

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from intake import rotation, spool
from intake.fields import EncryptedTextField
from intake.integrity import check
from intake.models import AttemptOutcome, ConsultationRequest, ContactAttempt, Outbox, SearchKey
from intake.rotation import SEALED, batches, keys_that_do_not_fit, rebuild_search_keys, reencrypt
from intake.services import Receipt, log_contact, replay_spool, submit_consultation_request
from tests.factories import ConsultationRequestFactory, UserFactory, submission, submitted

MARKER = "Zebra-marker"


@pytest.fixture
def new_key(settings):
    """Call it to put a new key before the others."""

    def make():
        settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]

    return make


@pytest.fixture
def drop_old_keys(settings):
    """Call it to keep the newest key alone."""

    def drop():
        settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]

    return drop


def stored(field, pk, model=ConsultationRequest):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {field} FROM {model._meta.db_table} WHERE id = %s", [pk])
        return cursor.fetchone()[0]


def overwrite(field, pk, value):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {ConsultationRequest._meta.db_table} SET {field} = %s WHERE id = %s", [value, pk])


def test_every_model_with_an_encrypted_column_is_covered():
    with_columns = {
        model for model in apps.get_models() for column in model._meta.concrete_fields if isinstance(column, EncryptedTextField)
    }
    assert with_columns == set(SEALED)


def test_everything_can_be_read_with_the_new_key_alone(db, new_key, drop_old_keys):
    lead = submitted(message=MARKER)
    log_contact(lead.pk, by=UserFactory(), outcome=AttemptOutcome.VOICEMAIL, note="Left a word")
    waiting = spool.write(submission(message="Waits on disk"))
    new_key()
    done = reencrypt()
    assert (done.looked_at, done.changed, done.unreadable) == (3, 3, [])
    drop_old_keys()
    lead = ConsultationRequest.objects.get()
    assert (lead.message, lead.name, lead.unreadable_fields()) == (MARKER, "Sam Sample", [])
    assert ContactAttempt.objects.get().note == "Left a word"
    assert spool.read(waiting).answers["message"] == "Waits on disk"
    assert ConsultationRequest.objects.matching("sam@example.org").get() == lead


def test_what_is_under_the_newest_key_already_is_left_alone(db, new_key):
    lead = submitted()
    new_key()
    reencrypt()
    before = stored("message", lead.pk)
    assert reencrypt().changed == 0
    assert stored("message", lead.pk) == before


def test_nothing_is_ever_stored_in_clear_on_the_way(db, new_key):
    lead = submitted(message=MARKER)
    new_key()
    reencrypt()
    assert MARKER not in stored("message", lead.pk)


def test_a_run_killed_half_way_is_taken_up_again(db, new_key, drop_old_keys):
    ConsultationRequestFactory.create_batch(7)
    new_key()

    def killed(what, done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reencrypt(3, killed)
    assert reencrypt(3).changed == 4
    drop_old_keys()
    assert all(lead.name == "Sam Sample" for lead in ConsultationRequest.objects.all())


def test_rows_stored_while_it_runs_are_not_skipped(db, new_key, drop_old_keys):
    ConsultationRequestFactory.create_batch(3)
    new_key()
    arrivals = iter([submission(message="late")])

    def one_more_comes(what, done):
        for late in arrivals:
            ConsultationRequestFactory(submission_id=late.submission_id)

    assert reencrypt(2, one_more_comes).looked_at == 4
    drop_old_keys()
    assert not [lead for lead in ConsultationRequest.objects.all() if lead.unreadable_fields()]


def test_what_no_key_opens_is_left_untouched_and_reported_by_reference(db, new_key, capsys):
    bad, good = ConsultationRequestFactory.create_batch(2)
    overwrite("message", bad.pk, "altered")
    spool.folder().joinpath("bad.sealed").write_bytes(b"altered")
    new_key()
    with pytest.raises(CommandError, match="^2 could not be read"):
        call_command("reencrypt")
    assert stored("message", bad.pk) == "altered"
    report = capsys.readouterr()
    assert bad.shown_reference in report.err
    assert good.shown_reference not in report.err
    assert "bad.sealed" in report.err
    assert "consultation requests: 2 looked at, 2 re-encrypted" in report.out
    bad.refresh_from_db()
    assert (bad.unreadable_fields(), bad.name) == (["message"], "Sam Sample")


def test_the_command_says_when_older_keys_can_go(db, new_key, capsys):
    submitted()
    new_key()
    call_command("reencrypt", batch=1)
    assert "Older keys can be taken out" in capsys.readouterr().out
    with pytest.raises(CommandError, match="--batch"):
        call_command("reencrypt", batch=0)


def test_a_change_by_staff_in_the_middle_is_never_overwritten(transactional_db, new_key, monkeypatch):
    """A colleague corrects an answer after the batch was read and before it is locked."""
    lead = ConsultationRequestFactory(message="before")
    new_key()
    reseal = rotation._reseal

    def after_a_colleague(*args):
        thread = threading.Thread(target=correct)
        thread.start()
        thread.join()
        reseal(*args)

    def correct():
        with transaction.atomic():
            row = ConsultationRequest.objects.select_for_update().get(pk=lead.pk)
            row.message = "corrected"
            row.save(update_fields=["message"])
        connection.close()

    monkeypatch.setattr(rotation, "_reseal", after_a_colleague)
    reencrypt()
    assert ConsultationRequest.objects.get().message == "corrected"


def test_staff_and_rotation_at_the_same_time_lose_nothing(transactional_db, new_key, drop_old_keys):
    leads = ConsultationRequestFactory.create_batch(30, message="before")
    new_key()

    def correct_all():
        for lead in leads:
            with transaction.atomic():
                row = ConsultationRequest.objects.select_for_update().get(pk=lead.pk)
                row.message = f"corrected {lead.pk}"
                row.save(update_fields=["message"])
        connection.close()

    colleague = threading.Thread(target=correct_all)
    colleague.start()
    reencrypt(3)
    colleague.join()
    drop_old_keys()
    assert {row.message for row in ConsultationRequest.objects.all()} == {f"corrected {lead.pk}" for lead in leads}


def test_ten_thousand_rows_change_their_key(db, new_key, drop_old_keys):
    first = ConsultationRequestFactory()
    columns = [column.column for column in ConsultationRequest._meta.concrete_fields if column.column != "id"]
    changed = {"reference": "printf('%08d', n)", "answers_digest": "printf('%064d', n + 10000000)"}
    if connection.vendor == "postgresql":
        changed = {"reference": "lpad(n::text, 8, '0')", "answers_digest": "lpad((n + 10000000)::text, 64, '0')"}
    chosen = ", ".join(changed.get(name, f'"{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    table = ConsultationRequest._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 9999)"
            f" INSERT INTO {table} ({names}) SELECT {chosen} FROM {table}, counted WHERE id = %s",
            [first.pk],
        )
    new_key()
    seen = []
    done = reencrypt(500, lambda what, done: seen.append(done.looked_at))
    assert (done.looked_at, done.changed, done.unreadable) == (10_000, 10_000, [])
    assert len(seen) == 21
    drop_old_keys()
    from intake.fields import box

    assert not [row for rows in batches(ConsultationRequest, 1000) for row in rows if row.not_opened_by(box().decrypt)]
    assert not SearchKey.objects.exists()


# --- a search key that is lost


@pytest.fixture
def new_search_key(settings):
    """Call it to lose the search key and set another."""

    def make():
        settings.SEARCH_KEY = Fernet.generate_key().decode()

    return make


SEARCHES = ["sam@example.org", "(703) 555-0163", "Sam Sample", "sample", "Pät Other"]


def found(lead):
    return [text for text in SEARCHES if lead in ConsultationRequest.objects.matching(text)]


def test_after_the_search_key_is_lost_every_search_finds_again_under_a_new_one(db, new_search_key, capsys):
    lead, other = submitted(patient_name="Pat Other"), submitted(name="Someone Else", phone="", email="")
    new_search_key()
    assert found(lead) == []
    call_command("rebuild_search_keys", batch=1)
    assert found(lead) == SEARCHES
    assert found(other) == []
    assert ConsultationRequest.objects.matching(lead.shown_reference).get() == lead
    assert ConsultationRequest.objects.from_same_contact(lead).count() == 0
    assert refused() == []
    report = capsys.readouterr()
    assert "2 looked at, 2 made to be found again" in report.out
    assert "Sample" not in report.out + report.err
    assert rebuild_search_keys().changed == 0
    with pytest.raises(CommandError, match="--batch"):
        call_command("rebuild_search_keys", batch=0)


def test_a_request_sent_again_after_the_search_key_changed_is_known(db, new_search_key):
    press = submission()
    first = submit_consultation_request(press)
    new_search_key()
    rebuild_search_keys()
    assert submit_consultation_request(press) == Receipt(first.reference, first.received_at, is_repeat=True)
    assert ConsultationRequest.objects.count() == 1


def test_a_request_sent_again_before_its_turn_hinders_nothing(db, new_search_key):
    press = submission()
    first = submit_consultation_request(press)
    new_search_key()
    second = submit_consultation_request(press)
    rebuild_search_keys()
    assert {lead.reference for lead in ConsultationRequest.objects.matching("Sam Sample")} == {first.reference, second.reference}


def test_what_waits_in_the_spool_keeps_the_reference_its_person_was_told(db, new_search_key):
    press = submission()
    spool.write(press)
    told = press.reference()
    new_search_key()
    assert replay_spool().stored == 1
    assert ConsultationRequest.objects.get().reference == told


def test_what_was_stored_already_is_not_stored_again_from_the_spool_under_a_new_key(db, new_search_key):
    press = submission()
    told = submit_consultation_request(press).reference
    spool.write(press)  # as a worker killed before it dropped the file leaves it, or a backup restored
    changed = submission(submission_id=press.submission_id, message="What I forgot to say")
    spool.write(changed)
    changed_reference = changed.reference()
    new_search_key()
    assert replay_spool().stored == 2
    assert {lead.reference: lead.message for lead in ConsultationRequest.objects.all()} == {
        told: press.answers["message"],
        changed_reference: changed.answers["message"],
    }


def test_a_rebuild_that_was_killed_is_seen_by_the_daily_check_and_taken_up_again(db, new_search_key):
    leads = [submitted(message=f"number {number}") for number in range(5)]
    new_search_key()

    def killed(what, done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild_search_keys(2, killed)
    assert refused() == []  # the newest come first, so the site starts again at once
    (finding,) = check()
    assert (finding.what, finding.count) == ("requests found under another SEARCH_KEY only", 3)
    assert "rebuild_search_keys" in finding.advice
    assert rebuild_search_keys(2).changed == 3
    assert check() == []
    assert set(ConsultationRequest.objects.matching("Sam Sample")) == set(leads)


def test_an_unreadable_answer_is_reported_and_the_rest_is_found(db, new_search_key, capsys):
    lead = submitted()
    overwrite("email", lead.pk, "altered")
    new_search_key()
    with pytest.raises(CommandError, match="^1 have answers that no key opens"):
        call_command("rebuild_search_keys")
    assert lead.shown_reference in capsys.readouterr().err
    assert found(lead) == ["(703) 555-0163", "Sam Sample", "sample"]
    assert stored("email", lead.pk) == "altered"


# --- keys that are not ours


def refused():
    return [problem.split()[0] for problem in keys_that_do_not_fit()]


def test_keys_fit_an_empty_site_and_the_requests_they_sealed(db, new_key):
    assert refused() == []
    submitted()
    assert refused() == []
    new_key()
    assert refused() == []


def test_a_foreign_key_or_one_taken_out_too_early_is_named(db, settings, new_key, drop_old_keys):
    for number in range(rotation.SAMPLE + 1):
        submitted(message=f"number {number}")
    new_key()
    for number in range(rotation.SAMPLE + 1):
        submitted(message=f"later number {number}")
    drop_old_keys()  # the newest requests open, the oldest don't
    assert refused() == ["ENCRYPTION_KEYS"]
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert refused() == ["ENCRYPTION_KEYS"]


def test_a_foreign_search_key_is_named(db, settings):
    submitted()
    settings.SEARCH_KEY = Fernet.generate_key().decode()
    assert refused() == ["SEARCH_KEY"]


def test_an_altered_answer_is_no_foreign_key(db):
    overwrite("name", submitted().pk, "altered")
    assert refused() == []


@pytest.mark.parametrize("setting", ["ENCRYPTION_KEYS", "SEARCH_KEY"])
def test_the_worker_touches_nothing_with_foreign_keys(transactional_db, settings, setting):
    submitted()
    waiting = spool.write(submission(name="Pat Sample"))
    foreign = Fernet.generate_key().decode()
    setattr(settings, setting, foreign if setting == "SEARCH_KEY" else [foreign])
    with pytest.raises(SystemExit, match=f"clinic_site will not start: {setting} "):
        call_command("worker", once=True)
    assert waiting.exists()
    assert {row.attempts for row in Outbox.objects.all()} == {0}
