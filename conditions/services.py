"""Every verb that changes a page. Each owns its transaction, its lock and its revision."""

from dataclasses import dataclass

from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic_site.models import Clinic

from .content_pack.files import Data, PackError, digest
from .content_pack.pages import english_words
from .content_pack.spanish import english_digest
from .content_pack.states import page_state, store_state
from .models import Page, PageRevision, RevisionAction


class CannotRestore(Exception):
    """A page cannot become what it was; the text says why. Nothing was written."""


def mark_spanish_current(page: Page) -> None:
    """Note that a page's Spanish says what its English, as stored now, says; call it in the changing transaction."""
    stored = Page.objects.prefetch_related("sections", "figures").get(pk=page.pk)
    page.english_digest = english_digest(english_words(stored))
    Page.objects.filter(pk=page.pk).update(english_digest=page.english_digest)


@dataclass(frozen=True)
class Conflict:
    """A page changed after a form was opened on it: what it was then, what it is now, and what happened between."""

    opened: PageRevision | None
    state: Data
    revisions: list[PageRevision]


def record_revision(page: Page, *, by: AbstractUser | None, action: RevisionAction, comment: str = "") -> PageRevision:
    """Keep the page as it is stored now, and say who made it so; call it in the changing transaction, after the change.

    Where nothing changed since the last revision, nothing is written and that revision is returned.
    """
    state = page_state(page)
    last = page.revisions.defer("data").first()
    if last and last.digest == digest(state):
        return last
    return _revision(page, state, by, action, comment)


def keep_present(page: Page) -> PageRevision:
    """The revision that equals the page as it is stored now; made, by nobody, where its history does not have it yet.

    Call it before a change, so that what a change replaces can always be had back.
    """
    return record_revision(page, by=None, action=RevisionAction.SAVED, comment=_("As it stood before the next change."))


def conflict(page: Page, opened_on: str) -> Conflict | None:
    """What changed since the revision that a form was opened on, or None; call it while the page is locked.

    A form that does not say what it was opened on counts as changed: what it would overwrite was never shown.
    """
    state = page_state(page)
    opened = page.revisions.filter(pk=opened_on).first() if opened_on.isdecimal() and len(opened_on) < 19 else None
    if opened and opened.digest == digest(state):
        return None
    since = page.revisions.filter(pk__gt=opened.pk) if opened else page.revisions.all()[:1]
    return Conflict(opened, state, list(since.defer("data")))


@transaction.atomic
def restore(revision: PageRevision, *, by: AbstractUser | None) -> PageRevision:
    """Make a page say what it said in a revision, in both languages, as a new revision.

    Whether it is published stays as it is, and the state it had is in its history.
    Links to pages that are gone are left out, and the new revision's note says so.
    Locks the page. Raises CannotRestore, with nothing written, where the revision
    breaks a rule of today: its address belongs to another page, its reviewer is gone.
    """
    page = Page.objects.select_for_update().get(pk=revision.page_id)
    keep_present(page)
    lost = put_back(page, revision)
    comment = _("Restored the version of %s") % date_format(timezone.localtime(revision.made_at), "DATETIME_FORMAT")
    if lost:
        comment += "; " + _("left out links to pages that are gone: %s") % ", ".join(lost)
    restored = record_revision(page, by=by, action=RevisionAction.RESTORED, comment=comment)
    Clinic.bump_content_revision()
    return restored


def put_back(page: Page, revision: PageRevision) -> list[str]:
    """Store what a page said in a revision; returns the addresses of linked pages that are gone. Raises CannotRestore."""
    state, lost = restorable(page, revision)
    try:
        with transaction.atomic():
            store_state(page, state)
    except PackError as error:
        raise CannotRestore(error.cause) from None
    return lost


def restorable(page: Page, revision: PageRevision) -> tuple[Data, list[str]]:
    """What a restore makes of a page, and the addresses of linked pages that are gone.

    Publication stays as it is: what the public may see is a decision of today.
    """
    data, spanish = revision.data["page"], revision.data["spanish"]
    known = set(Page.objects.filter(slug__in=[link["to"] for link in data["links"]]).values_list("slug", flat=True))
    links = [link for link in data["links"] if link["to"] in known]
    state = {"page": data | {"status": page.status, "links": links}, "spanish": spanish | {"status": page.status_es}}
    return state, [link["to"] for link in data["links"] if link["to"] not in known]


def _revision(page: Page, state: Data, by: AbstractUser | None, action: RevisionAction, comment: str) -> PageRevision:
    return PageRevision.objects.create(
        page_id=page.pk,
        made_by=by,
        made_by_name=(by.get_full_name() or by.get_username()) if by else "",
        action=action,
        comment=comment[:300],
        data=state,
        digest=digest(state),
        english_digest=english_digest(state["page"]),
    )
