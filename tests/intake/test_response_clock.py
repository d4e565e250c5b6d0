"""When the clinic says it will have answered."""

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from clinic_site.site_record import zone_of
from intake.response_clock import promised_by

NEW_YORK = ZoneInfo("America/New_York")
THANKSGIVING = date(2026, 11, 26)


@dataclass
class Stretch:
    weekday: int
    opens_at: time
    closes_at: time


WEEK = [Stretch(day, time(8), time(17)) for day in range(5)]


def by(*received, hours=WEEK, holidays=frozenset({THANKSGIVING}), days=1):
    return promised_by(datetime(*received, tzinfo=NEW_YORK), hours, holidays, days, NEW_YORK)


def test_a_request_in_the_morning_is_answered_by_closing_time_of_the_next_working_day():
    assert by(2026, 11, 24, 10, 42) == datetime(2026, 11, 25, 17, tzinfo=NEW_YORK)


def test_a_request_late_at_night_counts_from_the_same_day():
    assert by(2026, 11, 24, 23, 59) == datetime(2026, 11, 25, 17, tzinfo=NEW_YORK)


def test_weekends_and_holidays_do_not_count():
    assert by(2026, 11, 25, 9) == datetime(2026, 11, 27, 17, tzinfo=NEW_YORK)
    assert by(2026, 11, 27, 9) == datetime(2026, 11, 30, 17, tzinfo=NEW_YORK)
    assert by(2026, 11, 28, 9) == datetime(2026, 11, 30, 17, tzinfo=NEW_YORK)


def test_a_promise_of_several_days_counts_working_days_only():
    assert by(2026, 11, 24, 9, days=3) == datetime(2026, 11, 30, 17, tzinfo=NEW_YORK)


def test_the_last_stretch_of_a_day_is_what_counts():
    split = [Stretch(2, time(8), time(12)), Stretch(2, time(13), time(18, 30))]
    assert by(2026, 11, 24, 9, hours=split) == datetime(2026, 11, 25, 18, 30, tzinfo=NEW_YORK)


def test_without_opening_hours_usual_office_hours_hold():
    assert by(2026, 11, 27, 9, hours=[]) == datetime(2026, 11, 30, 17, tzinfo=NEW_YORK)


def test_closing_time_is_local_on_both_sides_of_a_clock_change():
    promised = by(2026, 10, 30, 9)
    assert promised.utcoffset().total_seconds() == -5 * 3600
    assert promised.time() == time(17)


def test_the_day_of_receipt_is_the_clinics_day_not_the_servers():
    received = datetime(2026, 11, 25, 2, 30, tzinfo=ZoneInfo("UTC"))
    assert promised_by(received, WEEK, set(), 1, NEW_YORK) == datetime(2026, 11, 25, 17, tzinfo=NEW_YORK)


def test_a_clinic_that_is_never_open_still_gets_a_date():
    every_day = {date.fromordinal(date(2026, 11, 24).toordinal() + days) for days in range(400)}
    assert by(2026, 11, 24, 9, holidays=every_day) > datetime(2026, 11, 24, tzinfo=NEW_YORK)


@pytest.mark.parametrize("name", ["", "Nowhere/Land", "../etc/passwd"])
def test_a_wrong_time_zone_falls_back_to_the_sites_own(name, settings):
    assert zone_of(name) == ZoneInfo(settings.TIME_ZONE)
