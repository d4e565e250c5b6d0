"""The staff queue: which requests it holds, in which quick view, and how much of each it reads."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core import signing
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from .models import ConsultationRequest, LeadStatus
from .presentation import shown_user

SEARCH_SALT = "intake.admin.search"
# A result can be read for a working day.
SEARCH_SECONDS = 10 * 60 * 60
SEARCH_LIMIT = 200

# What the list may decrypt. Where it hurts, what they wrote and every other answer stay closed.
LIST_FIELDS = (
    "reference",
    "status",
    "priority",
    "received_at",
    "respond_by",
    "first_contact_at",
    "name",
    "preferred_contact",
    "needs_interpreter",
    "language",
    "assigned_to__username",
    "assigned_to__first_name",
)

# What is said of the request that comes next: when its turn is, and nothing that was typed.
NEXT_FIELDS = ("reference", "status", "priority", "respond_by", "first_contact_at")

# The quick view from which people who were not reached are called again.
AGAIN = "again"

# The quick views above the queue, by the word in their address: label, and which requests they hold for whom.
VIEWS: dict[str, tuple[Any, Callable[[Any, Any], QuerySet]]] = {
    "open": (gettext_lazy("Open"), lambda leads, user: leads.still_open()),
    "mine": (gettext_lazy("Mine"), lambda leads, user: leads.still_open().filter(assigned_to=user)),
    "new": (pgettext_lazy("requests", "New"), lambda leads, user: leads.filter(status=LeadStatus.NEW)),
    "urgent": (gettext_lazy("Urgent"), lambda leads, user: leads.new_and_urgent()),
    "late": (gettext_lazy("Late"), lambda leads, user: leads.overdue(timezone.now())),
    "waiting": (gettext_lazy("Waiting for first contact"), lambda leads, user: leads.awaiting_first_contact()),
    AGAIN: (gettext_lazy("Not reached yet"), lambda leads, user: leads.to_try_again()),
    "mail": (gettext_lazy("Mail failed"), lambda leads, user: leads.with_failed_notices().filter(has_failed_notice=True)),
    "spam": (gettext_lazy("Suspected spam"), lambda leads, user: leads.filter(status=LeadStatus.SPAM)),
    "all": (pgettext_lazy("requests", "All"), lambda leads, user: leads),
}
COUNTED = ("mine", "new", "urgent", "late", AGAIN, "mail", "spam")
# Reached from the start page; among the quick views only while there is something in them.
ONLY_WHEN_NEEDED = ("waiting", AGAIN, "mail")


class ViewFilter(admin.SimpleListFilter):
    """The quick views. Without one: what is open, or everything that a search found."""

    title = gettext_lazy("view")
    parameter_name = "view"
    template = "admin/intake/consultationrequest/views.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: admin.ModelAdmin) -> None:
        super().__init__(request, params, model, model_admin)
        self.user = request.user
        view = self.value() or ""
        self.current = view if view in VIEWS else ("all" if FoundFilter.parameter_name in request.GET else "open")

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [(key, label) for key, (label, _narrow) in VIEWS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return VIEWS[self.current][1](queryset, request.user)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        found = FoundFilter.parameter_name in changelist.params
        for key, (label, narrow) in VIEWS.items():
            is_current = key == self.current and not found
            count = narrow(ConsultationRequest.objects.all(), self.user).count() if key in COUNTED else None
            if key in ONLY_WHEN_NEEDED and not count and not is_current:
                continue
            yield {
                "key": key,
                "display": label,
                "count": count,
                "selected": is_current,
                "query_string": f"?{self.parameter_name}={key}",
            }


class FoundFilter(admin.SimpleListFilter):
    """What a search found: a signed list of row numbers, so that no search term stands in an address."""

    title = gettext_lazy("search")
    parameter_name = "found"
    template = "admin/intake/consultationrequest/found.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: admin.ModelAdmin) -> None:
        super().__init__(request, params, model, model_admin)
        found = self.value()
        self.pks = read_found(found) if found else None

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        found = self.value()
        return [(found, self.title)] if found else []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(pk__in=self.pks or []) if self.value() else queryset

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        yield {"expired": self.pks is None, "count": len(self.pks or []), "limit": SEARCH_LIMIT}


def sign_found(pks: list[int]) -> str:
    """A search's result for an address bar."""
    return signing.dumps(pks, salt=SEARCH_SALT, compress=True)


def read_found(value: str) -> list[int] | None:
    """The row numbers in a signed result; None where it is altered or older than a working day."""
    try:
        return signing.loads(value, salt=SEARCH_SALT, max_age=SEARCH_SECONDS)
    except signing.BadSignature:
        return None


class ColleagueFilter(admin.SimpleListFilter):
    """Whose requests."""

    title = gettext_lazy("colleague")
    parameter_name = "colleague"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        holders = ConsultationRequest.objects.still_open().exclude(assigned_to=None).values("assigned_to")
        people = get_user_model().objects.filter(pk__in=holders).order_by("first_name", "username")
        return [("nobody", _("Nobody yet")), *((str(person.pk), shown_user(person)) for person in people)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "nobody":
            return queryset.filter(assigned_to=None)
        known = self.value() in dict(self.lookup_choices)
        return queryset.filter(assigned_to=self.value()) if known else queryset


class Queue(ChangeList):
    """The list of requests, reading no more of each than it shows."""

    def get_ordering_field_columns(self) -> dict[int, str]:
        """No column is marked as the order of the list unless somebody chose it: what is due first depends on several."""
        return super().get_ordering_field_columns() if ORDER_VAR in self.params else {}

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str | None] | None = None) -> QuerySet:
        leads: Any = super().get_queryset(request, exclude_parameters)
        return (
            leads.select_related("assigned_to").with_failed_notices().with_last_attempt().with_ways_to_answer().only(*LIST_FIELDS)
        )


def next_to_call(user: User, now: datetime, view: str = "", after: ConsultationRequest | None = None) -> ConsultationRequest | None:
    """Which request to open next: of those that wait for first contact or, called again from their view, of those not reached."""
    leads = ConsultationRequest.objects.all()
    waiting = leads.to_try_again() if view == AGAIN else leads.awaiting_first_contact()
    return waiting.next_to_call(user, now, after).with_last_attempt().only(*NEXT_FIELDS).first()
