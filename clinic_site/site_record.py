"""The clinic's record as every page needs it: from memory, refreshed, and there even when the database is not."""

import logging
import threading
import time
from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import Error, connection

from .models import Clinic

REFRESH_SECONDS = 1.0

log = logging.getLogger(__name__)
_lock = threading.Lock()
_kept: dict[str, tuple[float, Clinic]] = {}


def current_clinic() -> Clinic:
    """The clinic's record, at most a second old; the last good copy while the database is away.

    Before any good copy exists and with the database away, an unsaved sample record.
    """
    name = str(connection.settings_dict["NAME"])
    now = time.monotonic()
    kept = _kept.get(name)
    if kept and now - kept[0] < REFRESH_SECONDS:
        return kept[1]
    # One thread asks; the others go on with the last copy, so a database that hangs holds up one request, not all.
    if not _lock.acquire(blocking=kept is None):
        return kept[1]
    try:
        clinic = Clinic.current()
    except Error as error:
        log.warning("clinic record not readable: %s", type(error).__name__)
        clinic = kept[1] if kept else Clinic(pk=1, name="", phone="", email="")
    finally:
        _lock.release()
    _kept[name] = (time.monotonic(), clinic)
    return clinic


def forget() -> None:
    """Drop the copies, so that the next call reads the database; for commands and tests that change it."""
    _kept.clear()


def zone_of(name: str) -> tzinfo:
    """The time zone of this name; the site's own where the clinic's record has a wrong one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(settings.TIME_ZONE)
