"""Signed values can't be made up, altered, swapped or used too late."""

import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from intake.tokens import SubmissionToken, has_read_warning, read_receipt, receipt_token, warning_token

SAVED_AT = datetime(2026, 11, 24, 15, 42, tzinfo=UTC)


def test_an_id_knows_how_long_ago_it_was_given_out():
    token = SubmissionToken.read(SubmissionToken.issue())
    assert timedelta(0) <= token.age < timedelta(seconds=5)


def test_an_id_is_good_for_a_day(monkeypatch):
    token = SubmissionToken.issue()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 23 * 3600)
    assert SubmissionToken.read(token)
    monkeypatch.setattr(time, "time", lambda: now + 25 * 3600)
    assert SubmissionToken.read(token) is None


@pytest.mark.parametrize("token", ["", "x", "a:b:c", ":::", "\x00", "é:é:é", "5b20fa276e8b43ee827802993dd45a23", "x" * 10_000])
def test_what_we_did_not_sign_is_no_id_and_no_receipt(token):
    assert SubmissionToken.read(token) is None
    assert read_receipt(token) is None
    assert not has_read_warning(token, uuid.uuid4())


def test_an_altered_id_is_refused():
    token = SubmissionToken.issue()
    assert SubmissionToken.read("0" + token[1:] if token[0] != "0" else "1" + token[1:]) is None


def test_a_receipt_gives_back_reference_and_time():
    assert read_receipt(receipt_token("7KQ4M2XB", SAVED_AT)) == ("7KQ4M2XB", SAVED_AT)


def test_a_receipt_for_another_reference_cannot_be_made():
    token = receipt_token("7KQ4M2XB", SAVED_AT)
    assert read_receipt(token.replace("7KQ4M2XB", "7KQ4M2XC")) is None


def test_a_token_of_one_kind_is_none_of_another():
    ours = uuid.uuid4()
    assert read_receipt(SubmissionToken.issue()) is None
    assert not has_read_warning(warning_token(uuid.uuid4()), ours)
    assert has_read_warning(warning_token(ours), ours)
