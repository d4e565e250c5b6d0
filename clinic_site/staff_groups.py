"""What the two kinds of staff may do. The front desk sees requests and no pages under work, editors the reverse."""

from collections.abc import Iterator

from django.contrib.auth.models import Group, Permission
from django.db import OperationalError, ProgrammingError
from django.db.models import Max, Q

FRONT_DESK = "Front desk"
EDITORS = "Editors"

# Rows that are part of a page or of the clinic's record and may go with an edit, and searches that were seen to.
PARTS = {
    "section",
    "figure",
    "photo",
    "pagelink",
    "packet",
    "reference",
    "glossaryterm",
    "openinghours",
    "physicianhours",
    "holiday",
    "searchmiss",
    "formeraddress",
}

# Rows that the site writes itself, and nobody changes.
RECORDS = {"packrecord", "pagerevision", "publishoverride", "reviewreminder"}


def ensure_groups() -> None:
    """Make both groups, or add what they lack; takes nothing away that somebody gave them.

    Needs the permissions in place: call it after the migrations.
    """
    for name, which in _grants():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*Permission.objects.filter(which))


def last_permission() -> int:
    """The key of the newest permission, to call `grant_newer` with after an update; 0 where there is none yet."""
    try:
        return Permission.objects.aggregate(last=Max("pk"))["last"] or 0
    except (OperationalError, ProgrammingError):  # a database without tables
        return 0


def grant_newer(last: int) -> None:
    """Give the groups their share of what an update brought; nothing that somebody took from them, and no group made anew."""
    for name, which in _grants():
        for group in Group.objects.filter(name=name):
            group.permissions.add(*Permission.objects.filter(which, pk__gt=last))


def _grants() -> Iterator[tuple[str, Q]]:
    yield FRONT_DESK, Q(codename__in=["view_consultationrequest", "change_consultationrequest"])
    writes = Q(codename__startswith="view_") | Q(codename__startswith="add_") | Q(codename__startswith="change_")
    removes = Q(codename__in=[f"delete_{part}" for part in PARTS])
    pages = Q(content_type__app_label="conditions")
    clinic = Q(content_type__app_label="clinic_site") & ~Q(codename="add_clinic")
    yield EDITORS, (pages | clinic) & (writes | removes) & ~Q(content_type__model__in=RECORDS)
    yield EDITORS, pages & Q(codename__in=["view_publishoverride", "view_reviewreminder"])
