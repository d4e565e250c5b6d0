"""Every verb that changes what patients read. Each owns its transaction; of a page also its lock and its revision."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic_site.models import Clinic

from . import photos, readiness
from .anatomy import USUAL_SECTIONS
from .content_pack.files import Data, PackError, digest
from .content_pack.former import page_at, without_former
from .content_pack.pages import english_words
from .content_pack.spanish import english_digest
from .content_pack.states import came_together, known_keys, page_state, store_state, with_unknown
from .models import (
    ENGLISH,
    SPANISH,
    Kind,
    Page,
    PageRevision,
    Photo,
    PlannedOverride,
    PublishOverride,
    RevisionAction,
    Section,
    Status,
)
from .readiness.problems import Problem

OVERRIDE = "conditions.publish_despite_problems"

log = logging.getLogger(__name__)


class NotReady(Exception):
    """A page may not stand on the site as it is: `problems` say why. Nothing was written."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


def problems_of(page: Page) -> list[Problem]:
    """Everything that the readiness rules see on a page as it is stored now, in both languages."""
    return readiness.problems_of(readiness.pages_to_check().get(pk=page.pk), readiness.Site.now())


@transaction.atomic
def publish(
    page: Page,
    language: str,
    *,
    by: User | None,
    override_reason: str = "",
    comment: str = "",
    planned: PlannedOverride | None = None,
) -> Page:
    """Let the public read a page in a language, and record a revision. Locks the page.

    A page that is published already is left as it is. Raises NotReady, with nothing
    written, while problems are open, unless `by` may override that and gives a reason,
    which is recorded; or the leave that was `planned` covers them all, and its giver
    may still override. Raises ValidationError where the page lacks what the database
    asks of every published page.
    """
    page = Page.objects.select_for_update().get(pk=page.pk)
    stood_in = page.published_languages
    keep_present(page)
    setattr(page, Page.STATUS[language], Status.PUBLISHED)
    note_published(page)
    page.validate_constraints()
    page.save()
    if language in stood_in:
        return page
    problems = problems_of(page)
    leave_by, reason = (planned.by, planned.reason) if planned else (by, override_reason)
    if planned and (found := readiness.in_language(problems, language)):
        if uncovered := readiness.not_covered(found, planned):
            raise NotReady(uncovered)
        comment = f"{comment} {reason}".strip()
    hold_to_readiness(page, problems, by=leave_by, override_reason=reason, stood_in=stood_in, known=problems)
    record_revision(page, by=by, action=RevisionAction.PUBLISHED, comment=comment or override_reason)
    Clinic.bump_content_revision()
    return page


def plan_override(page: Page, language: str, problems: Iterable[Problem], *, by: User, reason: str) -> None:
    """Let a page go out at its planned time with the problems that are open now; call it in the changing transaction.

    Writes nothing where the language is not planned or nothing is open. Raises
    PermissionDenied unless `by` may override problems.
    """
    if not by.has_perm(OVERRIDE):
        raise PermissionDenied
    due_at, found = getattr(page, Page.PUBLISH_AT[language]), readiness.in_language(problems, language)
    if due_at and found and reason.strip():
        given = {"due_at": due_at, "at": timezone.now(), "by": by, "by_name": _name_of(by), "reason": reason.strip()[:500]}
        kinds = [list(problem.kind) for problem in found]
        PlannedOverride.objects.update_or_create(page_id=page.pk, language=language, defaults=given | {"problems": kinds})


def note_published(page: Page) -> None:
    """Remember when a page was first published, and forget plans to publish what is; the caller saves it."""
    for language in page.published_languages:
        page.first_published_on = page.first_published_on or timezone.localdate()
        setattr(page, Page.PUBLISH_AT[language], None)
        setattr(page, Page.PUBLISH_FAILED_AT[language], None)


@transaction.atomic
def unpublish(page: Page, language: str, *, by: User | None, comment: str = "") -> Page:
    """Make a page a draft in a language, and record a revision. Locks the page; never refused."""
    page = Page.objects.select_for_update().get(pk=page.pk)
    keep_present(page)
    setattr(page, Page.STATUS[language], Status.DRAFT)
    page.save()
    record_revision(page, by=by, action=RevisionAction.UNPUBLISHED, comment=comment)
    Clinic.bump_content_revision()
    return page


def hold_to_readiness(
    page: Page,
    problems: Collection[Problem],
    *,
    by: User | None,
    override_reason: str = "",
    stood_in: Collection[str] = (),
    known: Collection[Problem] = (),
) -> None:
    """Let a page stand published as it is now; call it in the changing transaction, after the change.

    In the languages that it `stood_in` before with `known` problems these are let be, so
    that such a page can still be mended. Raises NotReady for others, unless `by` may
    override them and gives a reason; then the override is recorded.
    """
    fresh = readiness.new_problems(problems, known)
    blocking = {
        language: readiness.in_language(fresh if language in stood_in else problems, language)
        for language in page.published_languages
    }
    if not any(blocking.values()):
        return
    if not (override_reason.strip() and by and by.has_perm(OVERRIDE)):
        raise NotReady(list(dict.fromkeys(problem for found in blocking.values() for problem in found)))
    for language, found in blocking.items():
        if found:
            PublishOverride.objects.create(
                page_id=page.pk,
                language=language,
                by=by,
                by_name=_name_of(by),
                reason=override_reason.strip()[:500],
                problems=[str(problem) for problem in found],
            )


def apply_schedule(now: datetime) -> int:
    """Publish and take off the site what is due by now, each exactly once; returns how many changes were made.

    A page that is not ready, and has no leave to go out all the same, stays a draft, keeps the time at which it failed, and
    isn't tried again. One that cannot be changed at all doesn't hold up the others.
    """
    done = 0
    for pk in Page.objects.with_due_schedule(now).order_by("pk").values_list("pk", flat=True):
        try:
            done += _apply_schedule(pk, now)
        except Exception as error:
            log.warning("schedule of page %s: %s", pk, type(error).__name__)
    return done


@transaction.atomic
def _apply_schedule(pk: int, now: datetime) -> int:
    page = Page.objects.select_for_update().with_due_schedule(now).filter(pk=pk).first()
    if page is None:  # another worker was faster
        return 0
    steps = [(getattr(page, Page.PUBLISH_AT[language]), language) for language in Page.STATUS]
    due = sorted((at, language) for at, language in [*steps, (page.unpublish_at, "")] if at and at <= now)
    done = 0
    for at, language in due:
        done += _publish_on_schedule(page, language, at) if language else _unpublish_on_schedule(page)
    return done


def _publish_on_schedule(page: Page, language: str, at: datetime) -> int:
    done = 1
    try:
        publish(page, language, by=None, comment=_("On schedule."), planned=PlannedOverride.of(page, language))
    except (NotReady, ValidationError):
        Page.objects.filter(pk=page.pk).update(**{Page.PUBLISH_AT[language]: None, Page.PUBLISH_FAILED_AT[language]: at})
        log.warning("page %s was not ready to be published on schedule (%s)", page.pk, language)
        done = 0
    page.planned_overrides.filter(language=language).delete()
    return done


def _unpublish_on_schedule(page: Page) -> int:
    for language in Page.objects.get(pk=page.pk).published_languages:
        unpublish(page, language, by=None, comment=_("On schedule."))
    Page.objects.filter(pk=page.pk).update(unpublish_at=None)
    return 1


class CannotRestore(Exception):
    """A page cannot become what it was; the text says why. Nothing was written."""


def add_usual_sections(page: Page) -> None:
    """Give a page the headings that its kind usually has, in both languages, after what it has already."""
    taken = set(page.sections.values_list("anchor", flat=True))
    new = [usual for usual in USUAL_SECTIONS[Kind(page.kind)] if usual.anchor not in taken]
    start = (page.sections.aggregate(last=Max("position"))["last"] or 0) + 1 if taken else 0
    for position, usual in enumerate(new, start):
        texts = {"heading_en": usual.heading, "heading_es": usual.heading_es}
        Section.objects.create(page_id=page.pk, position=position, anchor=usual.anchor, kind=usual.kind, **texts)


def mark_spanish_current(page: Page) -> None:
    """Note that a page's Spanish says what its English, as stored now, says; call it in the changing transaction."""
    stored = Page.objects.prefetch_related("sections", "figures").get(pk=page.pk)
    page.english_digest = english_digest(english_words(stored))
    Page.objects.filter(pk=page.pk).update(english_digest=page.english_digest)


def keep_spanish_current(page: Page) -> None:
    """Note that a page's Spanish goes on saying what its English says, where both were written in the same save.

    Only where the new English stands where nothing stood before: whether an edit was followed, a person says. Call it
    in the changing transaction, after the change and before its revision is recorded.
    """
    last = page.revisions.first()
    if last is None or last.data["spanish"]["english_digest"] != last.english_digest:
        return
    if came_together(last.data, page_state(page)):
        mark_spanish_current(page)


@dataclass(frozen=True)
class Conflict:
    """A page changed after a form was opened on it: what it was then, what it is now, and what happened between."""

    opened: PageRevision | None
    state: Data
    revisions: list[PageRevision]


def record_revision(page: Page, *, by: User | None, action: RevisionAction, comment: str = "") -> PageRevision:
    """Keep the page as it is stored now, and say who made it so; call it in the changing transaction, after the change.

    Where nothing changed since the last revision, nothing is written and that revision is returned.
    """
    state = page_state(page)
    last = page.revisions.defer("data").first()
    if last and last.digest == digest(state):
        return last
    _date_words(page, last.data if last else None, state)
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
def restore(revision: PageRevision, *, by: User | None) -> PageRevision:
    """Make a page say what it said in a revision, in both languages, as a new revision.

    Whether it is published stays as it is, and the state it had is in its history.
    Links to pages that are gone are left out, and the new revision's note says so.
    Locks the page. Raises CannotRestore, with nothing written, where the revision
    breaks a rule of today: its address belongs to another page, its reviewer is gone,
    or it never stood on the site, and has problems that the page there does not have.
    """
    page = Page.objects.select_for_update().get(pk=revision.page_id)
    keep_present(page)
    languages = page.published_languages
    then = {ENGLISH: revision.data["page"]["status"], SPANISH: revision.data["spanish"]["status"]}
    was_draft = any(then[language] == Status.DRAFT for language in languages)
    known = problems_of(page) if was_draft else []
    lost = put_back(page, revision)
    if was_draft:
        try:
            hold_to_readiness(page, problems_of(page), by=by, stood_in=languages, known=known)
        except NotReady as refusal:
            listed = " ".join(str(problem.message) for problem in refusal.problems)
            raise CannotRestore(
                _("Take the page off the site first. This version would bring problems back: %s") % listed
            ) from None
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

    Publication stays as it is: what the public may see is a decision of today. So do the addresses that lead to it,
    and whatever a page could not yet say at that time.
    """
    now = page_state(page)
    data, spanish = (without_former(with_unknown(part, revision.data, now)) for part in ("page", "spanish"))
    found = [(link, page_at(link["to"])) for link in data["links"]]
    links = [link | {"to": target.slug} for link, target in found if target]
    state = {"page": data | {"status": page.status, "links": links}, "spanish": spanish | {"status": page.status_es}}
    return state, [link["to"] for link, target in found if not target]


@transaction.atomic
def store_photo(photo: Photo) -> None:
    """Save a photo whose picture is kept already; the files of the one it replaces go with the commit."""
    before = Photo.objects.filter(pk=photo.pk).values_list("picture", flat=True).first()
    photo.save()
    if before and before != photo.picture.name:
        transaction.on_commit(lambda: photos.remove(before))


@transaction.atomic
def delete_photo(photo: Photo) -> None:
    """Delete a photo; its files go with the commit. Raises ProtectedError while a page or profile shows it."""
    name = photo.picture.name
    photo.delete()
    transaction.on_commit(lambda: photos.remove(name))


def _date_words(page: Page, before: Data | None, now: Data) -> None:
    """Set the date of each language whose words changed; a first revision dates only what has no date yet."""
    moment = timezone.now()
    for column, part in (("revised_at", "page"), ("revised_at_es", "spanish")):
        if getattr(page, column) is None or before and _words(before[part]) != _words(now[part]):
            setattr(page, column, moment)
            Page.objects.filter(pk=page.pk).update(**{column: moment})


def _words(part: Data) -> list[object]:
    sections = [(section["heading"], section["body"]) for section in part["sections"]]
    return [part["title"], part["name"], part["summary"], sections, part["figures"]]


def _name_of(user: User) -> str:
    return user.get_full_name() or user.get_username()


def _revision(page: Page, state: Data, by: User | None, action: RevisionAction, comment: str) -> PageRevision:
    return PageRevision.objects.create(
        page_id=page.pk,
        made_by=by,
        made_by_name=_name_of(by) if by else "",
        action=action,
        comment=comment[:300],
        data=state | {"known_keys": known_keys()},
        digest=digest(state),
        english_digest=english_digest(state["page"]),
    )
