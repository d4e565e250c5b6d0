"""Every verb that changes a page. Each owns its transaction, its lock and its revision."""

from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic_site.models import Clinic

from .content_pack.files import Data, PackError, digest
from .content_pack.spanish import english_digest
from .content_pack.states import page_state, store_state
from .models import Page, PageRevision, RevisionAction


class CannotRestore(Exception):
    """A page cannot become what it was; the text says why. Nothing was written."""


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
    data = revision.data["page"]
    known = set(Page.objects.filter(slug__in=[link["to"] for link in data["links"]]).values_list("slug", flat=True))
    state: Data = {
        "page": data | {"status": page.status, "links": [link for link in data["links"] if link["to"] in known]},
        "spanish": revision.data["spanish"] | {"status": page.status_es},
    }
    try:
        with transaction.atomic():
            store_state(page, state)
    except PackError as error:
        raise CannotRestore(error.cause) from None
    return [link["to"] for link in data["links"] if link["to"] not in known]


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
