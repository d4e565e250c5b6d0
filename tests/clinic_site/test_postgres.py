"""A PostgreSQL that takes questions and says nothing is soon a database that is away."""

import socket
import threading
import time
from contextlib import contextmanager, suppress
from unittest.mock import patch

import psycopg
import pytest
from django.db import OperationalError, close_old_connections, connection, connections, transaction
from django.db.backends.postgresql import base

from clinic_site.health import database_answers
from intake import services
from intake.models import ConsultationRequest
from intake.services import replay_spool, submit_consultation_request
from tests.factories import submission

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server that could hang")


@pytest.fixture(autouse=True)
def own_quiet(monkeypatch):
    """A silent server is tried again after a moment, long enough for a busy machine, and by the next test at once."""
    wrapper = type(connections["default"])
    monkeypatch.setattr(wrapper, "quiet_seconds", 3.0)
    yield
    wrapper.quiet_until = 0.0


@contextmanager
def impatient():
    """Nobody waits longer than a moment for an answer."""
    wrapper = connections["default"]
    wrapper.answer_seconds = wrapper.sign_of_life_seconds = 0.3
    try:
        yield
    finally:
        del wrapper.answer_seconds, wrapper.sign_of_life_seconds
        connection.close()


class Line:
    """The way to the server, which may go dead without a word."""

    def __init__(self, host, port):
        self.target, self.is_dead = (host, int(port)), threading.Event()
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self._open, daemon=True).start()

    def _open(self):
        with suppress(OSError):
            while True:
                near, far = self.door.accept()[0], socket.create_connection(self.target)
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source, target):
        with suppress(OSError), source, target:
            while piece := source.recv(65536):
                if not self.is_dead.is_set():
                    target.sendall(piece)


@pytest.fixture
def line(transactional_db, monkeypatch):
    """The line that the site's connections go through."""
    kept = {name: connection.settings_dict[name] for name in ("HOST", "PORT")}
    line = Line(**{name.lower(): value for name, value in kept.items()})
    connection.close()
    connection.settings_dict.update(HOST="127.0.0.1", PORT=str(line.port))
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "connect_timeout", 2)
    yield line
    connection.close()
    connection.settings_dict.update(kept)
    line.door.close()


def timed(press):
    started = time.monotonic()
    receipt = submit_consultation_request(press)
    return receipt, time.monotonic() - started


def test_a_server_that_does_not_answer_is_given_up_and_asked_anew_later(transactional_db):
    started = time.monotonic()
    with impatient(), pytest.raises(OperationalError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    assert time.monotonic() - started < 4
    assert database_answers()


def test_a_request_goes_to_the_spool_while_the_server_does_not_answer(transactional_db):
    press = submission()
    connection.ensure_connection()
    with patch.object(services, "promise", lambda *args: connection.cursor().execute("SELECT pg_sleep(5)")), impatient():
        assert submit_consultation_request(press).is_spooled
    assert replay_spool().stored == 1


def test_a_line_gone_dead_holds_up_one_request_for_a_moment_and_the_next_not_at_all(line):
    assert not submit_consultation_request(submission()).is_spooled
    line.is_dead.set()
    with impatient():
        close_old_connections()  # as each request does
        receipt, seconds = timed(submission())
        assert receipt.is_spooled
        assert 2 < seconds < 8  # for a sign of life, and for a new connection, which has two seconds at least
        close_old_connections()
        receipt, seconds = timed(submission())
        assert receipt.is_spooled
        assert seconds < 1.5  # less than any try would take
    line.is_dead.clear()
    stored, deadline = 0, time.monotonic() + 20
    while stored < 2 and time.monotonic() < deadline:
        stored += replay_spool().stored
        time.sleep(0.1)
    assert stored == 2
    assert ConsultationRequest.objects.count() == 3


def test_a_kept_connection_gone_dead_is_replaced_at_once(line):
    connection.ensure_connection()
    line.is_dead.set()
    with impatient():
        close_old_connections()
        threading.Timer(0.1, line.is_dead.clear).start()
        assert not submit_consultation_request(submission()).is_spooled


def test_a_server_that_lets_nobody_in_is_not_tried_by_each_in_turn(transactional_db):
    connection.close()
    with patch.object(base.DatabaseWrapper, "get_new_connection", side_effect=psycopg.errors.ConnectionTimeout) as tries:
        assert not database_answers()
        assert not database_answers()
    assert tries.call_count == 1
    deadline = time.monotonic() + 20
    while not database_answers():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextmanager
def knocking(door):
    """After a moment without an answer the server has to let somebody in; `door` is what then happens."""
    connection.ensure_connection()
    wrapper = connections["default"]
    wrapper.sign_of_life_seconds = 0.1
    try:
        with patch.object(base.DatabaseWrapper, "get_new_connection", **door) as tries:
            yield tries
    finally:
        del wrapper.sign_of_life_seconds
        type(wrapper).quiet_until = 0.0
        connection.close()


def test_a_statement_under_way_is_given_up_once_the_server_lets_nobody_in(transactional_db):
    started = time.monotonic()
    with knocking({"side_effect": psycopg.errors.ConnectionTimeout}) as tries, pytest.raises(OperationalError):
        connection.cursor().execute("SELECT pg_sleep(5)")
    assert time.monotonic() - started < 4
    assert tries.call_count == 1


@pytest.mark.parametrize(
    "door",
    [
        {"autospec": True, "side_effect": base.DatabaseWrapper.get_new_connection},
        {"side_effect": psycopg.OperationalError("too many clients")},
    ],
)
def test_a_long_statement_is_waited_for_as_long_as_the_server_answers_others(transactional_db, door):
    with knocking(door) as tries, connection.cursor() as cursor:
        cursor.execute("SELECT 'done' FROM pg_sleep(0.6)")
        assert cursor.fetchone() == ("done",)
    assert tries.call_count > 0
