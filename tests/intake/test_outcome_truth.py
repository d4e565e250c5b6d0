"""What a person was told is what a new connection reads, whatever fails at whichever step."""

import fcntl
import os
import re
import threading
from pathlib import Path

import pytest
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from django.test import Client
from django.utils.html import escape

from clinic_site import site_record
from clinic_site.models import HEADLINE, Clinic
from intake import middleware, services, spool, views
from intake.forms import ConsultationForm
from intake.models import ConsultationRequest, LeadEvent, Outbox, SearchKey
from intake.services import replay_spool
from tests.factories import form_data
from tests.live import hidden_values

NOT_SENT = "Your request was not sent"
NOT_SURE = "We could not make sure that we have your request"
RECEIVED, NOT_STORED, IN_DOUBT, ASKED_AGAIN, BROKEN = (
    "received",
    "told that nothing was sent",
    "told that nobody knows",
    "asked again",
    "error page",
)
FAULTS = [
    OperationalError("database is locked"),
    InterfaceError("gone"),
    DatabaseError("disk full"),
    IntegrityError("no"),
    ValueError("bug"),
]
STEPS = {
    "insert": (ConsultationRequest.objects, "create"),
    "search keys": (SearchKey.objects, "bulk_create"),
    "event": (LeadEvent.objects, "create"),
    "outbox rows": (Outbox.objects, "bulk_create"),
    "promise": (services, "promise"),
    "clinic record": (services, "current_clinic"),
}


@pytest.fixture(autouse=True)
def _site(transactional_db):
    site_record.forget()


@pytest.fixture
def person():
    return Person()


@pytest.fixture
def fail(monkeypatch):
    """`fail(where, name, error)` makes a step raise, until `fail.over()`."""

    def install(where, name, error):
        def raise_it(*args, **kwargs):
            raise error

        monkeypatch.setattr(where, name, raise_it)

    install.over = monkeypatch.undo
    install.instead = monkeypatch.setattr
    return install


class Person:
    """Opens the form, sends it, and says what they were told."""

    def __init__(self):
        self.client = Client(raise_request_exception=False)
        self.form = form_data(self.client, email="sam@example.org")
        self.reference = ""

    def send(self):
        response = self.client.post("/consultation/", self.form)
        text = response.content.decode()
        assert not (escape(HEADLINE) in text and "your request was not sent" in text)
        if response.status_code == 303:
            receipt = self.client.get(response.headers["Location"])
            assert escape(HEADLINE) in receipt.content.decode()
            assert NOT_SENT not in receipt.content.decode()
            self.reference = response.headers["Location"].split("/")[-2].split(".")[0]
            return RECEIVED
        if response.status_code == 200 and escape(HEADLINE) in text:
            assert NOT_SENT not in text
            assert response.headers["Cache-Control"] == "no-store, private"
            self.reference = re.search(r"[2-9A-Z]{4}-[2-9A-Z]{4}", text)[0].replace("-", "")
            return RECEIVED
        assert escape(HEADLINE) not in text
        assert (NOT_SENT in text or NOT_SURE in text) == (response.status_code == 503)
        if response.status_code == 503:
            assert ("your request was not sent" in text) == (NOT_SENT in text) != (NOT_SURE in text)
            assert response.headers["Retry-After"]
            assert 'href="tel:' in text
            assert 'value="Sam Sample"' in text
            self.form |= hidden_values(text)  # the next press is from this page
            return NOT_STORED if NOT_SENT in text else IN_DOUBT
        return ASKED_AGAIN if response.status_code == 422 else BROKEN


def anew(look):
    """The answer of a connection that had no part in what happened."""
    found = []

    def ask():
        found.append(look())
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return found[0]


def stored():
    """References in the database, each with its mails, events and whether it can be searched for."""
    return anew(
        lambda: [
            (lead.reference, lead.notices.count(), lead.events.count(), lead.search_keys.exists())
            for lead in ConsultationRequest.objects.all()
        ]
    )


def leftovers():
    """Rows that belong to no request."""
    return anew(lambda: (SearchKey.objects.count(), LeadEvent.objects.count(), Outbox.objects.count()))


def spooled():
    return [spool.read(path).reference() for path in spool.waiting()] if Path(spool.settings.SPOOL_DIR).is_dir() else []


def assert_stored_once(person):
    assert stored() == [(person.reference, 2, 1, True)]
    assert spooled() == []


def test_a_request_is_on_disk_before_the_answer_leaves(person):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous" if connection.vendor == "sqlite" else "SHOW synchronous_commit")
        assert cursor.fetchone()[0] in {2, "on"}
    assert person.send() == RECEIVED
    assert_stored_once(person)


@pytest.mark.parametrize("step", STEPS)
def test_a_failing_step_leaves_no_half_request_and_the_spool_keeps_the_whole(fail, step):
    for number, error in enumerate(FAULTS):
        person = Person()
        person.form["message"] = f"different each time {number}"
        fail(*STEPS[step], error)
        assert person.send() == RECEIVED
        fail.over()
        # Each whole request so far: six search keys, one event, two mails.
        assert (len(stored()), leftovers()) == (number, (6 * number, number, 2 * number))
        assert spooled() == [person.reference]
        assert replay_spool().stored == 1
        assert person.reference in [reference for reference, *_ in stored()]


@pytest.mark.parametrize("step", STEPS)
def test_with_the_spool_failing_too_the_person_is_told_and_nothing_is_anywhere(person, fail, no_spool, step):
    for error in FAULTS:
        fail(*STEPS[step], error)
        assert person.send() == NOT_STORED
        fail.over()
        assert (stored(), leftovers()) == ([], (0, 0, 0))


def test_a_commit_that_fails_sends_the_request_to_the_spool(person, fail):
    fail(BaseDatabaseWrapper, "_commit", OperationalError("gone"))
    assert person.send() == RECEIVED
    fail.over()
    assert (stored(), leftovers()) == ([], (0, 0, 0))
    assert spooled() == [person.reference]
    replay_spool()
    assert_stored_once(person)


@pytest.fixture
def commit_answer_lost(monkeypatch):
    """The next commit happens, but its answer never comes back."""
    commit, lost = BaseDatabaseWrapper._commit, []

    def commit_and_lose(self):
        commit(self)
        if not lost:
            lost.append(True)
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(BaseDatabaseWrapper, "_commit", commit_and_lose)


def test_a_commit_whose_answer_is_lost_is_stored_once(person, commit_answer_lost):
    assert person.send() == RECEIVED
    assert len(stored()) == 1
    replay_spool()
    assert_stored_once(person)


def test_a_commit_whose_answer_is_lost_is_not_called_unsent(person, commit_answer_lost, no_spool):
    told = person.send()
    assert (told == RECEIVED) == bool(stored())


@pytest.fixture
def commit_lost_and_database_gone(database, fail):
    """The next commit happens, or is said to; its answer never comes back, and nothing answers after it."""

    def install(*, is_done):
        commit = BaseDatabaseWrapper._commit

        def commit_and_lose(self):
            if is_done:
                commit(self)
            self.close()
            database.goes_away()
            raise OperationalError("server closed the connection unexpectedly")

        fail.instead(BaseDatabaseWrapper, "_commit", commit_and_lose)

    return install


@pytest.mark.parametrize("is_done", [True, False])
def test_where_nothing_can_tell_whether_it_was_stored_the_person_is_told_just_that(
    person, database, no_spool, commit_lost_and_database_gone, fail, is_done
):
    commit_lost_and_database_gone(is_done=is_done)
    assert person.send() == IN_DOUBT
    fail.over()
    assert person.send() == IN_DOUBT  # it may still be stored, so a plain failure must not say "not sent"
    database.comes_back()
    assert len(stored()) == is_done
    assert person.send() == RECEIVED
    assert_stored_once(person)


def test_a_process_that_hangs_in_the_spool_holds_up_nobody_for_good(person, database, monkeypatch):
    monkeypatch.setattr(spool, "LOCK_SECONDS", 0.1)
    database.goes_away()
    held = os.open(spool.folder(), os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    assert person.send() == IN_DOUBT
    os.close(held)
    assert person.send() == RECEIVED
    database.comes_back()
    replay_spool()
    assert_stored_once(person)


def test_a_doubt_is_settled_by_storing_once_more(person, no_spool, monkeypatch):
    commit, lost = BaseDatabaseWrapper._commit, []

    def lose_before(self):
        if not lost:
            lost.append(True)
            raise OperationalError("server closed the connection unexpectedly")
        commit(self)

    monkeypatch.setattr(BaseDatabaseWrapper, "_commit", lose_before)
    assert person.send() == RECEIVED
    assert_stored_once(person)


def test_a_doubt_ends_in_the_spool_once_it_can_be_written(
    person, database, commit_lost_and_database_gone, fail, no_spool, settings
):
    commit_lost_and_database_gone(is_done=True)
    assert person.send() == IN_DOUBT
    fail.over()
    settings.SPOOL_DIR = settings.SPOOL_DIR.parent.parent / "mended"
    assert person.send() == RECEIVED
    database.comes_back()
    assert replay_spool().stored == 1
    assert_stored_once(person)


def test_the_page_of_a_doubt_keeps_it_in_the_other_language(person, database, commit_lost_and_database_gone, fail, no_spool):
    commit_lost_and_database_gone(is_done=True)
    assert person.send() == IN_DOUBT
    fail.over()
    text = person.client.post("/es/consulta/", person.form | {"switch_language": "es"}).content.decode()
    assert 'name="in_doubt"' in text


def test_sqlite_without_room_for_a_commit_is_no_doubt(person, no_spool):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL gives up whole where it cannot write")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
    for number in range(30):
        person.form = form_data(person.client, message=f"{number}" * 2000)
        told = person.send()
        assert told in {RECEIVED, NOT_STORED}
        if told == NOT_STORED:
            break
    assert told == NOT_STORED
    assert len(stored()) == number


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
def test_a_spool_that_fails_at_any_step_keeps_nothing_that_the_person_was_told_is_unsent(person, fail, step):
    spool.folder()
    fail(services, "_store", OperationalError("away"))
    fail(os, step, OSError(28, "No space left on device"))
    assert person.send() == NOT_STORED
    fail.over()
    assert (stored(), spooled()) == ([], [])


def test_a_folder_that_cannot_be_synced_keeps_nothing_that_the_person_was_told_is_unsent(person, fail):
    spool.folder()
    fail(services, "_store", OperationalError("away"))
    fail(spool, "sync_folder", OSError(5, "Input/output error"))
    assert person.send() == IN_DOUBT  # a power cut now might bring the file back
    fail.over()
    assert (stored(), spooled()) == ([], [])


def test_a_file_that_cannot_be_taken_back_is_not_called_unsent(person, fail):
    spool.folder()
    fail(services, "_store", OperationalError("away"))
    fail(spool, "sync_folder", OSError(5, "Input/output error"))
    fail(Path, "unlink", OSError(30, "Read-only file system"))
    assert person.send() == IN_DOUBT
    fail.over()
    assert len(spooled()) == 1
    assert replay_spool().stored == 1
    assert person.send() == RECEIVED
    assert_stored_once(person)


def test_a_second_press_that_fails_takes_nothing_from_the_first(person, fail):
    fail(services, "_store", OperationalError("away"))
    assert person.send() == RECEIVED
    fail(spool, "sync_folder", OSError(5, "Input/output error"))
    assert person.send() == IN_DOUBT
    fail.over()
    assert spooled() == [person.reference]


@pytest.mark.parametrize("step", ["replace", "unlink"])
def test_a_second_press_needs_no_room_for_what_the_spool_has(person, fail, step):
    fail(services, "_store", OperationalError("away"))
    assert person.send() == RECEIVED
    fail(os, step, OSError(28, "No space left on device"))
    assert person.send() == RECEIVED
    fail.over()
    assert spooled() == [person.reference]


def test_an_error_in_validation_stores_nothing(person, fail):
    fail(ConsultationForm, "clean", RuntimeError("bug"))
    assert person.send() == BROKEN
    assert (stored(), spooled()) == ([], [])
    fail.over()
    assert person.send() == RECEIVED
    assert_stored_once(person)


def test_the_error_page_says_whom_to_call(person, fail):
    fail(ConsultationForm, "clean", RuntimeError("bug"))
    text = person.client.post("/consultation/", person.form).content.decode()
    clinic = Clinic.current()
    assert f'href="tel:{clinic.phone}"' in text
    assert f'href="mailto:{clinic.email}"' in text


def test_an_invalid_form_stores_nothing(person):
    person.form["consent"] = ""
    assert person.send() == ASKED_AGAIN
    assert (stored(), spooled()) == ([], [])


WAYS_TO_THE_RECEIPT = {
    "view": (views, "to_receipt"),
    "token": (middleware, "receipt_token"),
    "address": (middleware, "reverse"),
    "redirect": (middleware, "HttpResponseRedirect"),
    "session": (SessionMiddleware, "process_response"),
    "CSRF cookie": (CsrfViewMiddleware, "process_response"),
    "language": (LocaleMiddleware, "process_response"),
}


@pytest.mark.parametrize("where", ["database", "spool"])
@pytest.mark.parametrize("step", WAYS_TO_THE_RECEIPT)
def test_an_error_after_the_request_is_durable_still_shows_the_receipt(person, fail, step, where):
    if where == "spool":
        fail(services, "_store", OperationalError("away"))
    fail(*WAYS_TO_THE_RECEIPT[step], RuntimeError("bug"))
    assert person.client.post("/consultation/", person.form).status_code in {200, 303}
    assert person.send() == RECEIVED
    fail.over()
    shown = person.reference
    replay_spool()
    assert person.send() == RECEIVED
    assert person.reference == shown
    assert_stored_once(person)


@pytest.mark.parametrize(("where", "name"), [(views, "render"), (views, "promise")])
def test_a_receipt_that_fails_to_render_is_shown_plainly(person, fail, where, name):
    assert person.send() == RECEIVED
    address = person.client.post("/consultation/", person.form).headers["Location"]
    fail(where, name, RuntimeError("bug"))
    response = person.client.get(address)
    text = response.content.decode()
    assert response.status_code == 200
    assert escape(HEADLINE) in text
    assert f"{person.reference[:4]}-{person.reference[4:]}" in text
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["Content-Security-Policy"]
    fail.over()
    assert escape(HEADLINE) in person.client.get(address).content.decode()
    assert_stored_once(person)


def test_an_error_before_the_request_is_durable_never_shows_a_receipt(person, fail, no_spool):
    fail(services, "_store", OperationalError("away"))
    fail(views, "_show", RuntimeError("bug"))
    assert person.send() == BROKEN
    assert (stored(), spooled()) == ([], [])


@pytest.fixture
def read_only():
    """Every connection, old or new, refuses to write; the error is the database's own."""
    statement = "PRAGMA query_only = ON" if connection.vendor == "sqlite" else "SET default_transaction_read_only = on"

    def refuse_writes(connection, **kwargs):
        with connection.cursor() as cursor:
            cursor.execute(statement)

    connection.close()
    connection_created.connect(refuse_writes)
    yield
    connection_created.disconnect(refuse_writes)
    connection.close()


def test_a_read_only_database_shows_pages_and_sends_requests_to_the_spool(request, person):
    request.getfixturevalue("read_only")
    assert person.client.get("/glossary/").status_code == 200
    assert Person().send() == RECEIVED
    assert person.send() == RECEIVED
    assert stored() == []
    assert len(spooled()) == 2


@pytest.mark.parametrize("is_plain", [True, False])
def test_a_receipt_before_the_clinics_name_was_ever_read_leaves_no_gap(person, monkeypatch, is_plain):
    assert person.send() == RECEIVED
    address = person.client.post("/consultation/", person.form).headers["Location"]
    for module in (middleware, views):
        monkeypatch.setattr(module, "current_clinic", lambda: Clinic(pk=1, name="", phone="", email=""))
    if is_plain:
        monkeypatch.setattr(views, "render", lambda *args, **kwargs: 1 / 0)
    monkeypatch.setattr("clinic_site.context_processors.current_clinic", lambda: Clinic(pk=1, name="", phone="", email=""))
    text = person.client.get(address).content.decode()
    assert escape(HEADLINE) in text
    assert "choosing" not in text
    assert "and give your reference number" not in text
