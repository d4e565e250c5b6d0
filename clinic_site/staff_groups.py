"""What the two kinds of staff may do. The front desk sees requests and no pages under work, editors the reverse."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

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
    _grant(FRONT_DESK, Q(codename__in=["view_consultationrequest", "change_consultationrequest"]))
    writes = Q(codename__startswith="view_") | Q(codename__startswith="add_") | Q(codename__startswith="change_")
    removes = Q(codename__in=[f"delete_{part}" for part in PARTS])
    pages = Q(content_type__app_label="conditions")
    clinic = Q(content_type__app_label="clinic_site") & ~Q(codename="add_clinic")
    _grant(EDITORS, (pages | clinic) & (writes | removes) & ~Q(content_type__model__in=RECORDS))
    _grant(EDITORS, pages & Q(codename__in=["view_publishoverride", "view_reviewreminder"]))


def _grant(name: str, which: Q) -> None:
    group, _ = Group.objects.get_or_create(name=name)
    group.permissions.add(*Permission.objects.filter(which))
