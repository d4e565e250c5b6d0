"""When the clinic has promised to answer: arithmetic in working days, in the clinic's own time zone."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Protocol

# Where no opening hours are known: Monday to Friday, until five.
USUAL_DAYS = range(5)
USUAL_CLOSING = time(17)


class Hours(Protocol):
    """A stretch of a weekday in which the phone is answered; Monday is 0."""

    weekday: int
    closes_at: time


def promised_by(
    received_at: datetime, hours: Iterable[Hours], holidays: Collection[date], working_days: int, zone: tzinfo
) -> datetime:
    """The end of the n-th working day after the day of receipt, aware and in `zone`.

    A working day is a weekday with opening hours that is no holiday. The day of
    receipt itself never counts, so a person who writes at night, at the weekend
    or just before closing isn't promised too much.
    """
    closing: dict[int, time] = {}
    for stretch in hours:
        closing[stretch.weekday] = max(stretch.closes_at, closing.get(stretch.weekday, time.min))
    if not closing:
        closing = dict.fromkeys(USUAL_DAYS, USUAL_CLOSING)

    day = received_at.astimezone(zone).date()
    left = max(working_days, 1)
    for _ in range(366):
        day += timedelta(days=1)
        if day.weekday() in closing and day not in holidays:
            left -= 1
            if not left:
                return datetime.combine(day, closing[day.weekday()], zone)
    return datetime.combine(day, USUAL_CLOSING, zone)
