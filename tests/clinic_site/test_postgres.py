"""A PostgreSQL that takes questions and says nothing is soon a database that is away."""

import time
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection, connections, transaction

from clinic_site.health import database_answers
from intake import services
from intake.services import replay_spool, submit_consultation_request
from tests.factories import submission

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server that could hang")


@contextmanager
def impatient():
    """Nobody waits longer than a moment for an answer."""
    wrapper = connections["default"]
    wrapper.answer_seconds = 0.3
    try:
        yield
    finally:
        del wrapper.answer_seconds
        connection.close()


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
