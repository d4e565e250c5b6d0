"""What the site's parts are up to, in numbers: for the balancer's health check and for `manage.py doctor`."""

from dataclasses import asdict, dataclass
from datetime import timedelta

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from intake import integrity, spool
from intake.models import Outbox, OutboxState

# A mail that has been due for so long, or a request that waits in the spool, says that no worker runs.
LATE_SECONDS = 15 * 60


@dataclass(frozen=True)
class SpoolState:
    """Requests stored in files, to be moved to the database by the worker; `reserve_kb` is room for more on a full disk.

    Where the folder is not usable, the counts say nothing.
    """

    waiting: int
    oldest_seconds: int
    set_aside: int
    reserve_kb: int
    is_usable: bool


@dataclass(frozen=True)
class OutboxStateCounts:
    """Mails that the worker has to send. `late_seconds`: how long the one due first has been due."""

    waiting: int
    failed: int
    late_seconds: int


def database_answers() -> bool:
    """Whether the database takes a query now."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        connection.close()
        return False
    return True


def spool_state() -> SpoolState:
    """The spool's depth and age, read from its folder."""
    age = spool.oldest_age() or timedelta(0)
    return SpoolState(
        spool.depth(), int(age.total_seconds()), spool.set_aside_count(), spool.reserve_bytes() // 1024, spool.is_usable()
    )


def outbox_state() -> OutboxStateCounts:
    """The outbox's counts. Raises a database error where it can't be read."""
    waiting = Outbox.objects.filter(state=OutboxState.PENDING)
    first = waiting.order_by("due_at").values_list("due_at", flat=True).first()
    late = timezone.now() - first if first else timedelta(0)
    return OutboxStateCounts(
        waiting.count(), Outbox.objects.filter(state=OutboxState.FAILED).count(), max(0, int(late.total_seconds()))
    )


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 as long as the site can answer at all; `degraded` says that a person should look.

    Without its database the site still shows pages and takes requests, so the
    balancer must not take it out.
    """
    database = database_answers()
    files = spool_state()
    outbox = None
    if database:
        try:
            outbox = outbox_state()
        except Error:
            database = False
            connection.close()
    report = integrity.last_report()
    disagreements = report.total if report else 0
    mail_is_well = outbox is not None and not outbox.failed and outbox.late_seconds <= LATE_SECONDS
    spool_is_well = files.is_usable and not files.waiting and not files.set_aside
    is_well = database and mail_is_well and spool_is_well and not disagreements
    response = JsonResponse(
        {
            "status": "ok" if is_well else "degraded",
            "database": "ok" if database else "away",
            "spool": asdict(files),
            "outbox": asdict(outbox) if outbox else None,
            "integrity": {"checked_at": report.checked_at.isoformat(), "disagreements": disagreements} if report else None,
        }
    )
    response["Cache-Control"] = "no-store"
    return response
