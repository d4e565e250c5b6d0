"""How the installation is, in a dozen plain lines."""

import shutil
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.checks import run_checks
from django.core.management.base import BaseCommand
from django.db import Error, connection
from django.utils import timezone

from clinic_site.backup import last_backup_at
from clinic_site.checks import PDF_PACKAGES, missing_pdf_libraries, start_up_problems
from clinic_site.health import LATE_SECONDS, database_answers, outbox_state, spool_state
from conditions.models import Page
from intake.integrity import last_report
from intake.models import ConsultationRequest

FREE_BYTES = 1024**3
BACKUP_EVERY = timedelta(days=1)
CHECK_HOURS = 26

OK, NOTE, TROUBLE = "ok", "note", "TROUBLE"
Finding = tuple[str, str]


class Command(BaseCommand):
    """Prints one line a part; numbers only, nothing that a person sent. Exits with 1 on trouble."""

    help = "Report on database, migrations, content, outbox, spool, integrity, disk and backups."
    requires_system_checks = []

    def handle(self, *args: object, **options: object) -> None:
        """Look at everything, also after the first trouble."""
        findings = list(look_around())
        for level, text in findings:
            self.stdout.write(f"{level:8} {text}")
        if any(level == TROUBLE for level, _ in findings):
            sys.exit(1)


def look_around() -> Iterator[Finding]:
    """Every finding, in the order in which troubles cause each other."""
    is_reachable = database_answers()
    yield (OK, f"database: {connection.vendor}, reachable") if is_reachable else (TROUBLE, "database: not reachable")
    problems = list(start_up_problems())
    yield from ((TROUBLE, f"start: {problem}") for problem in problems)
    if not problems:
        yield OK, "start: folders can be written" + (", migrations are applied" if is_reachable else "")
    if is_reachable:
        try:
            yield from look_into_database()
        except Error as error:
            yield TROUBLE, f"database: not readable ({type(error).__name__})"
    yield look_at_spool()
    yield look_at_integrity()
    yield from look_at_disk()
    yield look_at_backup(is_reachable)
    if missing_pdf_libraries():
        yield NOTE, f"PDF: packets come without PDF until Pango is there: apt-get install {' '.join(PDF_PACKAGES)}"


def look_into_database() -> Iterator[Finding]:
    """Content, samples and outbox."""
    published = Page.objects.published_anywhere().count()
    yield OK if published else TROUBLE, f"content: {published} pages published, {Page.objects.count() - published} drafts"
    yield from ((NOTE, f"samples: {warning.msg}") for warning in run_checks(tags=["golive"], include_deployment_checks=True))
    outbox = outbox_state()
    text = f"outbox: {outbox.waiting} waiting, {outbox.failed} failed"
    if outbox.late_seconds > LATE_SECONDS:
        yield TROUBLE, f"{text}; the first has been due for {outbox.late_seconds // 60} min. Is the worker running?"
    else:
        yield TROUBLE if outbox.failed else OK, text


def look_at_spool() -> Finding:
    """Depth and age of what waits for the database."""
    spool = spool_state()
    if not spool.is_usable:
        return TROUBLE, "spool: SPOOL_DIR cannot be used. Requests that wait there are not stored, and none can wait in an outage"
    text = f"spool: {spool.waiting} waiting, oldest {spool.oldest_seconds // 60} min, {spool.set_aside} unreadable and set aside, "
    text += f"{spool.reserve_kb} KB kept for a full disk"
    return TROUBLE if spool.set_aside or spool.oldest_seconds > LATE_SECONDS else OK, text


def look_at_integrity() -> Finding:
    """What the worker's daily check found, and whether it is still made."""
    report = last_report()
    if report is None:
        return NOTE, "integrity: not checked yet. The worker does it once a day"
    hours = (timezone.now() - report.checked_at).total_seconds() / 3600
    if report.total:
        found = ", ".join(f"{count} {what}" for what, count in report.counts.items())
        return TROUBLE, f"integrity: {found}. What to do is told by: python manage.py check_integrity"
    if hours < 0:
        return TROUBLE, f"integrity: last checked {-hours:.0f} hours from now. Is this machine's clock right?"
    if hours > CHECK_HOURS:
        return TROUBLE, f"integrity: last checked {hours:.0f} hours ago. Is the worker running?"
    return OK, f"integrity: all agreed {hours:.0f} hours ago"


def look_at_disk() -> Iterator[Finding]:
    """Room for data."""
    folder = Path(settings.DATA_DIR)
    if folder.is_dir():
        free = shutil.disk_usage(folder).free
        yield OK if free > FREE_BYTES else TROUBLE, f"disk: {free / 1024**3:.1f} GB free for data"


def look_at_backup(is_reachable: bool) -> Finding:
    """The age of the newest backup; none at all is trouble once there are requests that one should hold."""
    last = last_backup_at()
    now = timezone.now()
    if last is None:
        try:
            is_late = is_reachable and ConsultationRequest.objects.filter(received_at__lt=now - BACKUP_EVERY).exists()
        except Error:
            is_late = False
        return TROUBLE if is_late else NOTE, "backup: none was made here. Make one every day: python manage.py backup"
    hours = (now - last).total_seconds() / 3600
    if hours < 0:
        return TROUBLE, f"backup: the last one is of {-hours:.0f} hours from now. Is this machine's clock right?"
    return OK if now - last < BACKUP_EVERY else TROUBLE, f"backup: the last one is {hours:.0f} hours old"
