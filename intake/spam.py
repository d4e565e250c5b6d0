"""Signs that a request was not written by a person: a score and its reasons, never a rejection.

Only the flood limit refuses, far above what a family or a kiosk in the waiting
room sends; it counts in the database, so it holds across processes.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import F

from .fields import blind
from .models import RateBucket

SCORES = {"honeypot": 5, "too_fast": 3, "links": 2, "many_links": 4, "markup": 3, "repeat": 4, "busy_network": 2, "flood": 5}
THRESHOLD = 5
# Nobody reads the form, types a name and a number and agrees in less time.
FASTEST = timedelta(seconds=3)
WINDOW = timedelta(hours=1)
REPEAT_WINDOW = timedelta(days=1)
REPEATS = 2
LINK = re.compile(r"https?://|www\.\w", re.I)
MARKUP = re.compile(r"<a\s|\[url[=\]]|\[link[=\]]", re.I)


class FloodLimit(Exception):
    """A network sent more than FLOOD_LIMIT requests in an hour. Nothing was written."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("flood limit")
        self.retry_after = retry_after


class Window(NamedTuple):
    """An hour in which requests of a network are counted: its keyed hash, and when it ends."""

    key: str
    ends: datetime


def window_of(network: str, now: datetime) -> Window:
    """The hour of a network that `now` lies in."""
    seconds = int(WINDOW.total_seconds())
    started = int(now.timestamp()) // seconds * seconds
    return Window(blind(f"{network}\0{started}", "rate"), datetime.fromtimestamp(started + seconds, tz=now.tzinfo))


def reasons_in(texts: Iterable[str], *, honeypot: str, took: timedelta | None) -> list[str]:
    """Reason codes for a form with these free texts. `took`: None where the form's age is unknown.

    Below zero it says nothing either: the clock was set back since the form was opened.
    """
    reasons = []
    if honeypot:
        reasons.append("honeypot")
    if took is not None and timedelta(0) <= took < FASTEST:
        reasons.append("too_fast")
    text = "\n".join(texts)
    links = len(LINK.findall(text))
    if links:
        reasons.append("many_links" if links > 2 else "links")
    if MARKUP.search(text):
        reasons.append("markup")
    return reasons


def rate_reasons(count: int) -> list[str]:
    """Reason codes for the number of requests a network sent in this hour."""
    if count > settings.FLOOD_LIMIT:
        return ["flood"]
    return ["busy_network"] if count > settings.FLOOD_LIMIT // 2 else []


def repeat_reasons(earlier: int) -> list[str]:
    """Reason codes where the very same answers were already sent, in other submissions, `earlier` times."""
    return ["repeat"] if earlier >= REPEATS else []


def score(reasons: Iterable[str]) -> int:
    """The sum of what the reasons weigh."""
    return sum(SCORES.get(reason, 0) for reason in reasons)


def count_in_window(network: str, now: datetime, *, was_received: bool = False) -> int:
    """Count one more request of this network; returns how many that makes in the hour.

    Call it inside the transaction that stores the request. Raises FloodLimit past
    settings.FLOOD_LIMIT, unless the person was told "received" already. Exact on
    SQLite and PostgreSQL, whatever the number of processes.
    """
    window = window_of(network, now)
    RateBucket.objects.bulk_create([RateBucket(key=window.key, expires_at=window.ends)], ignore_conflicts=True)
    RateBucket.objects.filter(key=window.key).update(count=F("count") + 1)
    count = RateBucket.objects.values_list("count", flat=True).get(key=window.key)
    if count > settings.FLOOD_LIMIT and not was_received:
        raise FloodLimit(window.ends - now)
    return count


def forget_expired(now: datetime) -> int:
    """Drop counters whose hour is over; returns how many."""
    return RateBucket.objects.filter(expires_at__lt=now).delete()[0]
