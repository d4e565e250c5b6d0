"""Whether rows and their side effects agree: no request without its mails, no mail without its request, nothing unreadable."""

import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from . import spool
from .models import ConsultationRequest, EventKind, LeadEvent, LeadStatus, NoticeKind, Outbox, SearchKey, SearchKind
from .rotation import inspect_rows
from .submission import shown_reference

REPORT = "integrity.json"
CHECK_EVERY = timedelta(days=1)
EXAMPLES = 10
PATIENCE_SECONDS = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finding:
    """One kind of disagreement: how many, the first few of them, and what to do. Holds no answers."""

    what: str
    count: int
    examples: tuple[str, ...]
    advice: str

    def __str__(self) -> str:
        more = " and more" if self.count > len(self.examples) else ""
        return f"{self.count} {self.what}: {', '.join(self.examples)}{more}. {self.advice}"


@dataclass(frozen=True)
class Report:
    """What the last check found: how many of each kind. Outlives restarts."""

    checked_at: datetime
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many things disagree."""
        return sum(self.counts.values())

    def is_recent(self, now: datetime) -> bool:
        """Whether the worker need not look again yet. A report of a time to come was made while the clock was ahead."""
        return self.checked_at <= now < self.checked_at + CHECK_EVERY


def last_report() -> Report | None:
    """The last report made here; None where there is none that can be read."""
    try:
        values = json.loads(_report_file().read_text())
        return Report(datetime.fromisoformat(values["checked_at"]), values["counts"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def check_and_report(now: datetime) -> Report:
    """Check everything, log the count of each kind, and keep that as the last report. Raises what `check` raises."""
    report = keep_report(check(), now)
    for what, count in report.counts.items():
        log.error("integrity: %d %s", count, what)
    return report


def keep_report(findings: Iterable[Finding], now: datetime) -> Report:
    """Make these findings the last report: what staff, doctor and health speak of until the next check."""
    report = Report(now, {finding.what: finding.count for finding in findings})
    path = _report_file()
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(json.dumps({"checked_at": now.isoformat(), "counts": report.counts}))
    os.replace(unfinished, path)
    return report


def _report_file() -> Path:
    return Path(settings.DATA_DIR) / REPORT


def check() -> list[Finding]:
    """Everything that disagrees, one finding a kind; empty where all is well. Reads only.

    Takes some seconds for each ten thousand requests, since it opens every answer.
    Raises django.db.Error where the database is away.
    """
    rows = inspect_rows()
    checks: list[tuple[str, Callable[[], Iterable[str]], str]] = [
        (
            "requests without their mails",
            _without_notices,
            "Nobody may have been told: answer them now, and look for what removed the mails.",
        ),
        (
            "mails without their request",
            _without_request,
            "Where a request was deleted on purpose, delete its mails too; else bring it back from the last backup.",
        ),
        (
            "requests without a record of their arrival",
            _without_event,
            "They were not written by the site: find out what did, and compare with the last backup.",
        ),
        (
            "requests that no search finds",
            _without_search_keys,
            "They still stand in the list under their reference. Compare with the last backup.",
        ),
        (
            "requests found under another SEARCH_KEY only",
            lambda: rows.under_another_search_key,
            "Put that key back, or bring them under this one: python manage.py rebuild_search_keys",
        ),
        (
            "rows that no key opens",
            lambda: rows.unreadable,
            "Put the key that opens them back into ENCRYPTION_KEYS; altered ones come back only from a backup.",
        ),
        (
            "requests whose answers are not those that were sent",
            lambda: rows.not_as_sent,
            "Someone changed them in the database, perhaps for another person's. Don't act on them: compare with the last backup.",
        ),
        (
            "spool folders that cannot be used",
            _unusable_spool,
            "Requests cannot wait there in an outage. Give the site's user read and write access to SPOOL_DIR, or set another.",
        ),
        (
            "spool files already stored",
            _stored_spool_files,
            "Harmless, a second storing changes nothing. If they stay, see that the worker runs and may delete in SPOOL_DIR.",
        ),
        (
            "spool files that cannot be read",
            _unreadable_spool_files,
            "Each may be a request nobody has seen. Put the key that opens them back, then move them from set-aside to SPOOL_DIR.",
        ),
    ]
    return [finding for what, find, advice in checks if (finding := _finding(what, find(), advice))]


def _finding(what: str, found: Iterable[str], advice: str) -> Finding | None:
    examples: list[str] = []
    count = 0
    for name in found:
        count += 1
        if len(examples) < EXAMPLES:
            examples.append(name)
    return Finding(what, count, tuple(examples), advice) if count else None


def _references(requests: QuerySet) -> Iterator[str]:
    return (shown_reference(found) for found in requests.order_by("pk").values_list("reference", flat=True).iterator())


def _without_notices() -> Iterator[str]:
    def has(kind: NoticeKind) -> Exists:
        return Exists(Outbox.objects.filter(request=OuterRef("pk"), kind=kind))

    # Whether there is an address to acknowledge to is known without opening it, by its search key.
    has_email = Exists(SearchKey.objects.filter(request=OuterRef("pk"), kind=SearchKind.EMAIL))
    lacking = ~has(NoticeKind.STAFF) | (Q(has_email) & ~has(NoticeKind.ACKNOWLEDGEMENT))
    return _references(ConsultationRequest.objects.exclude(status=LeadStatus.SPAM).filter(lacking))


def _without_request() -> Iterator[str]:
    strays = Outbox.objects.filter(Q(request=None) | ~Q(reference=F("request__reference"))).order_by("pk")
    return (f"{shown_reference(found)} ({kind})" for found, kind in strays.values_list("reference", "kind").iterator())


def _without_event() -> Iterator[str]:
    arrivals = LeadEvent.objects.filter(request=OuterRef("pk"), kind__in=[EventKind.RECEIVED, EventKind.REPLAYED])
    return _references(ConsultationRequest.objects.exclude(Exists(arrivals)))


def _without_search_keys() -> Iterator[str]:
    return _references(ConsultationRequest.objects.exclude(Exists(SearchKey.objects.filter(request=OuterRef("pk")))))


def _unusable_spool() -> Iterator[str]:
    if not spool.is_usable():
        yield "SPOOL_DIR"


def _waiting() -> list[Path]:
    with suppress(OSError):
        return spool.waiting()
    return []


def _stored_spool_files() -> Iterator[str]:
    found = [path for path in _waiting() if _is_stored(path)]
    if found:
        # A worker may be between its commit and dropping the file: only a file that stays is worth a word.
        time.sleep(PATIENCE_SECONDS)
    return (path.name for path in found if path.exists())


def _is_stored(path: Path) -> bool:
    try:
        submission = spool.read(path)
    except (OSError, spool.Unreadable):
        return False
    return ConsultationRequest.objects.of(submission).exists()


def _unreadable_spool_files() -> Iterator[str]:
    for path in _waiting():
        try:
            spool.read(path)
        except FileNotFoundError:
            continue
        except (OSError, spool.Unreadable):
            yield path.name
    aside = Path(settings.SPOOL_DIR) / spool.ASIDE
    yield from (f"{spool.ASIDE}/{path.name}" for path in sorted(_files(aside)))


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
