"""Rules about who stands behind a page: reviewer, dates, people quoted."""

import datetime
import re
from collections.abc import Iterator

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from conditions.models import ENGLISH, SPANISH, Page, ReviewState, Testimonial

from .problems import MEDICAL, Problem, Site, bodies, languages_of, rule, spoken

# A review holds a year; about surgery, whose risks are studied all the time, half of one. A few days' grace for the calendar.
REVIEW_HOLDS = datetime.timedelta(days=370)
SURGERY_REVIEW_HOLDS = datetime.timedelta(days=186)
BARE_CERTIFICATION = re.compile(r"\bboard[- ]certified\b(?!,? by the American Board of)", re.I)


@rule
def has_reviewer(page: Page, site: Site) -> Iterator[Problem]:
    """A medical page was reviewed by a real, named physician."""
    if page.kind not in MEDICAL:
        return
    if page.review_state == ReviewState.UNREVIEWED:
        yield Problem(_("No physician has reviewed this page."), field="review_state", language=ENGLISH)
    elif page.review_state == ReviewState.SAMPLE or (page.reviewed_by and page.reviewed_by.is_sample):
        yield Problem(_("The review is a sample. A real physician must sign."), field="review_state", language=ENGLISH)


@rule
def review_is_current(page: Page, site: Site) -> Iterator[Problem]:
    """Review dates are set, in order, not passed, and not further apart than a review holds."""
    if page.kind not in MEDICAL or page.review_state == ReviewState.UNREVIEWED:
        return
    holds = SURGERY_REVIEW_HOLDS if page.schema_type == "SurgicalProcedure" else REVIEW_HOLDS
    if not page.reviewed_on or not page.next_review_on:
        field = "next_review_on" if page.reviewed_on else "reviewed_on"
        yield Problem(_("A date of review is missing."), field=field)
    elif page.reviewed_on > site.today:
        yield Problem(_("The last review lies in the future."), field="reviewed_on")
    elif page.next_review_on < site.today:
        yield Problem(_("The next review was due on %s.") % date_format(page.next_review_on), field="next_review_on")
    elif page.next_review_on <= page.reviewed_on:
        yield Problem(_("The next review comes before the last."), field="next_review_on")
    elif page.next_review_on - page.reviewed_on > holds:
        months = 6 if holds == SURGERY_REVIEW_HOLDS else 12
        yield Problem(_("The next review is more than %d months after the last.") % months, field="next_review_on")


@rule
def names_the_board(page: Page, site: Site) -> Iterator[Problem]:
    """Who certified a doctor is named in full, never “board certified” alone."""
    if page.reviewed_by and not page.reviewed_by.board.strip():
        yield Problem(_("The profile of %s names no certifying board.") % page.reviewed_by.name, field="reviewed_by")
    for section, body in bodies(page, ENGLISH):
        for match in BARE_CERTIFICATION.finditer(spoken(body)):
            yield Problem(_("Name the board in full beside “%s”.") % match[0], "body_en", section.anchor, language=ENGLISH)


def _shown(page: Page) -> list[Testimonial]:
    return [testimonial for testimonial in page.testimonials.all() if testimonial.is_published]


@rule
def shows_no_sample_people(page: Page, site: Site) -> Iterator[Problem]:
    """No sample testimonial is shown."""
    if any(testimonial.is_sample for testimonial in _shown(page)):
        yield Problem(_("A sample testimonial is shown on this page."))


@rule
def quotes_are_authorised(page: Page, site: Site) -> Iterator[Problem]:
    """A patient's words stand only while the patient's authorisation does."""
    for testimonial in _shown(page):
        ends = testimonial.consent_expires_on
        if not testimonial.is_sample and (testimonial.consent_withdrawn_on or (ends and ends <= site.today)):
            yield Problem(_("The authorisation of %s has ended.") % testimonial.display_name)


@rule
def quotes_are_whole(page: Page, site: Site) -> Iterator[Problem]:
    """A patient's words are not cut off."""
    for testimonial in page.testimonials.all():
        for language in languages_of(page):
            words = (getattr(testimonial, f"quote_{language}") or "").strip()
            if (words or language != SPANISH) and not re.search(r"(?<!\.\.)[.!?][”\"’')]*$", words):
                message = _("The words of %s stop in the middle of a sentence.") % testimonial.display_name
                yield Problem(message, language=language)
