"""What people searched for and did not find: for editors, with nothing that could tell who it was."""

import datetime
import logging
import re
import time
from contextlib import suppress

from django.db import Error, IntegrityError, connection, transaction
from django.db.models import F

from ..models import SearchMiss
from .words import fold

LONGEST = 60
MOST_WORDS = 6
# A telephone number and a date of birth have more digits, a record number or postal code more in a row; “L4 L5 2019” does not.
MOST_DIGITS = 6
MOST_ROWS = 2000
MOST_A_MINUTE = 60
KEPT_DAYS = 90
_TELLING = re.compile(r"@|\d{5}|://|\bwww\.|\.(?:com|org|net|edu|gov|io)\b", re.I)

log = logging.getLogger(__name__)
_written: list[float] = []


def as_kept(query: str) -> str:
    """The query as it may be kept, folded; empty where it could tell who searched, or is no search at all."""
    folded = fold(query)
    if len(query) > LONGEST or len(folded.split()) > MOST_WORDS or _TELLING.search(query):
        return ""
    if sum(letter.isdigit() for letter in query) > MOST_DIGITS:
        return ""
    return folded


def record(query: str, language: str, today: datetime.date) -> None:
    """Count a search that found nothing. Never raises: what cannot be counted is let go, and no more than MOST_A_MINUTE are."""
    kept = as_kept(query)
    if not kept or not _is_within_budget():
        return
    try:
        _count(kept, language, today)
    except Exception as error:
        log.warning("search miss not counted: %s", type(error).__name__)
        if not connection.in_atomic_block:
            with suppress(Error):
                connection.close()


def _is_within_budget() -> bool:
    now = time.monotonic()
    _written[:] = [at for at in _written if now - at < 60]
    if len(_written) >= MOST_A_MINUTE:
        return False
    _written.append(now)
    return True


def _count(query: str, language: str, today: datetime.date) -> None:
    known = SearchMiss.objects.filter(query=query, language=language)
    if known.update(count=F("count") + 1, last_on=today) or SearchMiss.objects.count() >= MOST_ROWS:
        return
    try:
        with transaction.atomic():
            SearchMiss.objects.create(query=query, language=language, first_on=today, last_on=today)
    except IntegrityError:
        known.update(count=F("count") + 1, last_on=today)


def forget_expired(today: datetime.date) -> int:
    """Delete what nobody searched for in KEPT_DAYS; returns how many rows went."""
    deleted, _ = SearchMiss.objects.filter(last_on__lt=today - datetime.timedelta(days=KEPT_DAYS)).delete()
    return deleted
