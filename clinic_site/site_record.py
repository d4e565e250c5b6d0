"""The clinic's record as every page needs it: from memory, refreshed, and there even when the database is not."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import tzinfo
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import Error, connection

from .models import Clinic

REFRESH_SECONDS = 1.0

log = logging.getLogger(__name__)
_lock = threading.Lock()
_kept: dict[str, tuple[float, Clinic]] = {}
# Databases that did not answer the last time: what was worked out meanwhile is not to be trusted afterwards.
_away: set[str] = set()
T = TypeVar("T")


def current_clinic() -> Clinic:
    """The clinic's record, at most a second old; the last good copy while the database is away.

    The same object until something changed. Before any good copy exists and with the database away, an unsaved sample record.
    """
    name = str(connection.settings_dict["NAME"])
    kept = _kept.get(name)
    if kept and _is_fresh(kept):
        return kept[1]
    # One thread asks; the others go on with the last copy, so a database that hangs holds up one request, not all.
    if kept is None:
        _lock.acquire()
    elif not _lock.acquire(blocking=False):
        return kept[1]
    try:
        return _read(name)
    finally:
        _lock.release()


def _is_fresh(kept: tuple[float, Clinic]) -> bool:
    return time.monotonic() - kept[0] < REFRESH_SECONDS


def _read(name: str) -> Clinic:
    """The record as it is now, unless another thread asked while this one waited for the lock."""
    kept = _kept.get(name)
    if kept and _is_fresh(kept):
        return kept[1]
    try:
        clinic = Clinic.current(kept[1] if kept and name not in _away else None)
        _away.discard(name)
    except Error as error:
        _away.add(name)
        log.warning("clinic record not readable: %s", type(error).__name__)
        clinic = kept[1] if kept else Clinic(pk=1, name="", phone="", email="")
    _kept[name] = (time.monotonic(), clinic)
    return clinic


def kept_with_content(name: str, make: Callable[[], T]) -> T:
    """What `make` works out from published content, kept in memory until content changes."""
    kept = current_clinic().__dict__.setdefault("_worked_out", {})
    if name not in kept:
        kept[name] = make()
    return kept[name]


def forget() -> None:
    """Drop the copies, so that the next call reads the database; for commands and tests that change it."""
    _kept.clear()
    _away.clear()


def zone_of(name: str) -> tzinfo:
    """The time zone of this name; the site's own where the clinic's record has a wrong one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(settings.TIME_ZONE)
