"""What the start page of staff says: what waits, how many requests came, which pages are due for review."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.contrib.auth.models import AbstractUser
from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from conditions.models import Page
from intake import integrity, spool
from intake.models import ConsultationRequest, LeadStatus
from intake.presentation import due as how_due
from intake.queue import VIEWS, next_to_call

DAYS = 14
PAGES_SHOWN = 6

# Height of the chart's bars and the room above them for a number, in the drawing's own units.
BAR_HEIGHT, BAR_TOP = 130, 22

# Tiles that count a quick view of the queue: view, words, and how loud they are when not zero.
QUEUE_TILES: tuple[tuple[str, str | Promise, str], ...] = (
    ("urgent", _("New with a warning sign"), "alert"),
    ("late", _("Past the promised first contact"), "late"),
    ("waiting", _("Waiting for first contact"), ""),
    ("again", _("Tried, but not reached yet"), ""),
    ("mail", _("With a mail that could not be sent"), "late"),
    ("spam", _("Suspected spam to check"), ""),
)


@dataclass(frozen=True)
class Tile:
    """One number with its words; `url` is where the rows behind it are, if anywhere."""

    count: int
    label: str | Promise
    url: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Bar:
    """One day of the chart: its number, and where its bar stands (left edge in per cent of the width)."""

    day: date
    count: int
    left: float
    height: int

    @property
    def top(self) -> int:
        """Where the bar begins, from above."""
        return BAR_TOP + BAR_HEIGHT - self.height

    @property
    def middle(self) -> float:
        """The bar's middle, in per cent of the width."""
        return self.left + 2.5

    @property
    def is_today(self) -> bool:
        """The day that is not over yet."""
        return self.day == timezone.localdate()


@dataclass(frozen=True)
class Today:
    """The start page for one person: only what they may see. `first` is the request to open first, `first_due` when its turn is."""

    tiles: list[Tile] = field(default_factory=list)
    queue_url: str = ""
    first: ConsultationRequest | None = None
    first_due: tuple[str, str, str] | None = None
    bars: list[Bar] = field(default_factory=list)
    pages_due: list[Page] = field(default_factory=list)
    pages_due_count: int = 0

    @property
    def total(self) -> int:
        """Requests in all the days of the chart."""
        return sum(bar.count for bar in self.bars)

    @property
    def busiest(self) -> int:
        """The most requests on one of these days."""
        return max((bar.count for bar in self.bars), default=0)


def today(user: AbstractUser, now: datetime) -> Today:
    """The start page for `user`: a tile or panel for each thing they may look at, at most ten queries."""
    tiles: list[Tile] = []
    queue, first = "", None
    bars: list[Bar] = []
    due: list[Page] = []
    due_count = 0
    if user.has_perm("intake.view_consultationrequest"):
        queue = reverse("admin:intake_consultationrequest_changelist")
        tiles += _request_tiles(user, queue)
        first = next_to_call(user, now)
        bars = list(_bars(timezone.localdate(now)))
    if user.has_perm("conditions.view_page"):
        pages = Page.objects.due_for_review(timezone.localdate(now)).order_by("next_review_on", "name_en")
        every = list(pages)
        due, due_count = every[:PAGES_SHOWN], len(every)
        tiles.append(
            Tile(due_count, _("Pages due for medical review"), reverse("admin:conditions_page_changelist") + "?review=due")
        )
        if missed := Page.objects.with_failed_schedule().count():
            label = ngettext("Page that was not ready at its time", "Pages that were not ready at their time", missed)
            tiles.append(Tile(missed, label, reverse("admin:conditions_page_changelist") + "?schedule=failed", "late"))
    return Today(
        tiles=tiles,
        queue_url=queue,
        first=first,
        first_due=how_due(first, now) if first else None,
        bars=bars,
        pages_due=due,
        pages_due_count=due_count,
    )


def _request_tiles(user: AbstractUser, queue: str) -> Iterator[Tile]:
    leads = ConsultationRequest.objects.all()
    counts = leads.aggregate(
        **{view: Count("pk", filter=Q(pk__in=VIEWS[view][1](leads, user).values("pk"))) for view, _label, _tone in QUEUE_TILES}
    )
    for view, label, tone in QUEUE_TILES:
        yield Tile(counts[view], label, f"{queue}?view={view}", tone if counts[view] else "")
    if waiting := spool.depth():
        yield Tile(waiting, _("Received while the database was away, not in the queue yet"), tone="alert")
    if (report := integrity.last_report()) and report.total:
        label = ngettext(
            "Request, mail or file that disagrees: ask your technical support",
            "Requests, mails or files that disagree: ask your technical support",
            report.total,
        )
        yield Tile(report.total, label, tone="alert")
    if aside := spool.set_aside_count():
        yield Tile(aside, _("Received, but unreadable: ask your technical support"), tone="alert")


def _bars(last: date) -> Iterator[Bar]:
    days = [last - timedelta(days=back) for back in reversed(range(DAYS))]
    since = timezone.make_aware(datetime.combine(days[0], datetime.min.time()))
    counted = (
        ConsultationRequest.objects.filter(received_at__gte=since)
        .exclude(status=LeadStatus.SPAM)
        .order_by()
        .annotate(day=TruncDate("received_at"))
        .values_list("day")
        .annotate(Count("pk"))
    )
    counts = dict(counted)
    # A quiet fortnight isn't drawn as a busy one.
    full = max(5, *counts.values()) if counts else 5
    for position, day in enumerate(days):
        count = counts.get(day, 0)
        yield Bar(day, count, round(position * 100 / DAYS + 1.07, 2), round(count * BAR_HEIGHT / full))
