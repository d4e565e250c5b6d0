"""What a page needs before it may be published. Each rule is one function from a page to the problems it sees.

Pages come with sections, figures, outgoing links, testimonials and reviewer
prefetched (`pages_to_check`), so that rules ask the database nothing of their own;
what they need to know about the rest of the site is in `Site`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from . import content_pack, reading
from .addresses import LISTS
from .models import Kind, Page, Reference, ReviewState, Section, SectionKind, Status
from .rich_text import INTERNAL_LINK

MAX_GRADE = 8.0
MIN_INFLESZ = 55.0
MAX_ALT = 125
BANNED = re.compile(
    r"\b(best|leading|#1|world-class|safest|painless|permanent cure|cure|breakthrough|revolutionary|guaranteed?|utilize|facilitate"
    r"|approximately|hunchback|crippled|failed back|sufferer|victim|the elderly|non-compliant|crumbling|bone on bone|click here)\b",
    re.I,
)
BARE_NUMBER = re.compile(r"\d+(?:\.\d+)?\s?%|\b1 in \d+\b")
NEEDS_RED_FLAGS = {Kind.PROCEDURE, Kind.CONDITION, Kind.SYMPTOM}
MEDICAL = {Kind.PROCEDURE, Kind.CONDITION, Kind.SYMPTOM, Kind.GUIDE}


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where: an anchor or the key of a figure; empty for the page as a whole."""

    rule: str
    message: str | Promise
    place: str = ""

    def __str__(self) -> str:
        return f"{self.rule}: {self.message}" + (f" (#{self.place})" if self.place else "")


@dataclass(frozen=True)
class Site:
    """What rules know about the site around a page."""

    today: date
    reference_keys: frozenset[str]
    anchors: dict[str, frozenset[str]] = field(repr=False)

    @classmethod
    def now(cls) -> "Site":
        """The site as it stands. Three queries."""
        anchors: dict[str, set[str]] = {}
        with override("en"):
            for name in LISTS:
                anchors[reverse(name)] = set()
            for page in Page.objects.published("en").prefetch_related("sections"):
                anchors[page.get_absolute_url()] = {section.anchor for section in page.sections.all()} | {"references", "top"}
        keys = frozenset(Reference.objects.values_list("key", flat=True))
        return cls(timezone.localdate(), keys, {path: frozenset(found) for path, found in anchors.items()})


Rule = Callable[[Page, Site], Iterator[Problem]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Put a rule on the list under its function's name."""
    RULES[function.__name__] = function
    return function


def pages_to_check() -> QuerySet[Page]:
    """All pages with what the rules look at."""
    return Page.objects.select_related("reviewed_by").prefetch_related("sections", "figures", "links_out__target", "testimonials")


def problems_of(page: Page, site: Site) -> list[Problem]:
    """Everything the rules see on a page, in the order of the rules."""
    return [problem for check in RULES.values() for problem in check(page, site)]


def _patient_sections(page: Page) -> Iterator[Section]:
    return (section for section in page.sections.all() if section.kind != SectionKind.CLINICIANS)


def _text(page: Page, language: str) -> str:
    parts = (reading.speakable(getattr(section, f"body_{language}") or "") for section in _patient_sections(page))
    return " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in parts if part)


@rule
def has_opening(page: Page, site: Site) -> Iterator[Problem]:
    """Title, summary, description and card line are there and fit where they are shown."""
    for name, longest in (("title_en", 60), ("summary_en", 300), ("description_en", 155), ("card_en", 110)):
        value = getattr(page, name) or ""
        if not value.strip():
            yield Problem("has_opening", _("%(field)s is empty.") % {"field": name.removesuffix("_en")})
        elif len(value) > longest:
            yield Problem(
                "has_opening",
                _("%(field)s is longer than %(longest)d characters.") % {"field": name.removesuffix("_en"), "longest": longest},
            )


@rule
def has_reviewer(page: Page, site: Site) -> Iterator[Problem]:
    """A medical page was reviewed by a real, named physician."""
    if page.kind not in MEDICAL:
        return
    if page.review_state == ReviewState.UNREVIEWED:
        yield Problem("has_reviewer", _("No physician has reviewed this page."))
    elif page.review_state == ReviewState.SAMPLE or (page.reviewed_by and page.reviewed_by.is_sample):
        yield Problem("has_reviewer", _("The review is a sample. A real physician must sign."))


@rule
def review_is_current(page: Page, site: Site) -> Iterator[Problem]:
    """Review dates are set, in order, and not passed."""
    if page.kind not in MEDICAL or page.review_state == ReviewState.UNREVIEWED:
        return
    if not page.reviewed_on or not page.next_review_on:
        yield Problem("review_is_current", _("A date of review is missing."))
    elif page.next_review_on < site.today:
        yield Problem("review_is_current", _("The next review was due on %s.") % page.next_review_on)
    elif page.next_review_on <= page.reviewed_on:
        yield Problem("review_is_current", _("The next review comes before the last."))


@rule
def cites_known_sources(page: Page, site: Site) -> Iterator[Problem]:
    """A medical page has sources, and each key it cites is in the list of references."""
    if page.kind in {Kind.PROCEDURE, Kind.CONDITION, Kind.SYMPTOM} and not page.cited_keys:
        yield Problem("cites_known_sources", _("No source is cited."))
    for key in page.cited_keys:
        if key not in site.reference_keys:
            yield Problem("cites_known_sources", _("[%s] is not in the list of references.") % key)


@rule
def shows_red_flags(page: Page, site: Site) -> Iterator[Problem]:
    """Pages about operations, conditions and symptoms say when to call 911."""
    if page.kind in NEEDS_RED_FLAGS and not any(section.kind == SectionKind.EMERGENCY for section in page.sections.all()):
        yield Problem("shows_red_flags", _("The section with the 911 list is missing."))


@rule
def tells_risks(page: Page, site: Site) -> Iterator[Problem]:
    """A procedure page says what can go wrong."""
    headings = [section.heading_en.lower() for section in page.sections.all()]
    if page.kind == Kind.PROCEDURE and not any("risk" in heading or "wrong" in heading for heading in headings):
        yield Problem("tells_risks", _("No section says what can go wrong."))


@rule
def tells_alternatives(page: Page, site: Site) -> Iterator[Problem]:
    """A procedure page names other options, doing nothing among them."""
    if page.kind != Kind.PROCEDURE:
        return
    options = [
        section
        for section in page.sections.all()
        if "option" in section.heading_en.lower() or "choice" in section.heading_en.lower()
    ]
    if not options:
        yield Problem("tells_alternatives", _("No section names other options."))
    elif not any(re.search(r"wait|nothing|without", section.body_en or "", re.I) for section in options):
        yield Problem("tells_alternatives", _("The options leave out waiting or doing nothing."), options[0].anchor)


@rule
def is_plain_english(page: Page, site: Site) -> Iterator[Problem]:
    """The text for patients reads at grade 8 or below."""
    if page.kind in MEDICAL and (grade := reading.flesch_kincaid_grade(_text(page, "en"))) > MAX_GRADE:
        yield Problem(
            "is_plain_english", _("Reads at grade %(grade).1f; at most %(most).0f.") % {"grade": grade, "most": MAX_GRADE}
        )


@rule
def avoids_banned_words(page: Page, site: Site) -> Iterator[Problem]:
    """No promise, superlative or label for a person."""
    for section in _patient_sections(page):
        if page.kind in MEDICAL and (match := BANNED.search(reading.speakable(section.body_en or ""))):
            yield Problem("avoids_banned_words", _("Do not use “%s”.") % match[0], section.anchor)


@rule
def numbers_are_people(page: Page, site: Site) -> Iterator[Problem]:
    """Figures for patients are “24 out of 100 people”, never a percentage or “1 in N”."""
    for section in _patient_sections(page):
        if page.kind in MEDICAL and (match := BARE_NUMBER.search(reading.speakable(section.body_en or ""))):
            yield Problem("numbers_are_people", _("Say “%s” as a number of people.") % match[0], section.anchor)


@rule
def figures_have_alternatives(page: Page, site: Site) -> Iterator[Problem]:
    """Each figure is described, shortly and at length."""
    for figure in page.figures.all():
        if not figure.alt_en:
            yield Problem("figures_have_alternatives", _("Describe this figure for people who cannot see it."), figure.key)
        elif len(figure.alt_en) > MAX_ALT:
            yield Problem("figures_have_alternatives", _("The alternative text is longer than 125 characters."), figure.key)
        if not figure.long_description_en:
            yield Problem("figures_have_alternatives", _("The long description is missing."), figure.key)


@rule
def links_lead_somewhere(page: Page, site: Site) -> Iterator[Problem]:
    """Every link inside the text leads to a published page and an anchor that exists."""
    own = {section.anchor for section in page.sections.all()}
    for section in page.sections.all():
        for target in INTERNAL_LINK.findall(section.body_en or ""):
            path, _mark, rest = re.match(r"([^?#]*)([?#]?)(.*)", target).groups()
            anchor = target.partition("#")[2]
            if path not in site.anchors:
                yield Problem("links_lead_somewhere", _("%s is no published page.") % path, section.anchor)
            elif anchor and anchor not in site.anchors[path] and site.anchors[path]:
                yield Problem("links_lead_somewhere", _("%s has no such place.") % target, section.anchor)
        for anchor in re.findall(r'href="#([^"]+)"', section.body_en or ""):
            if anchor not in own:
                yield Problem("links_lead_somewhere", _("There is no #%s on this page.") % anchor, section.anchor)


@rule
def spanish_is_complete(page: Page, site: Site) -> Iterator[Problem]:
    """A Spanish text is there in full, easy enough, made from today's English, and signed by a native reviewer."""
    if not page.slug_es or page.status_es != Status.PUBLISHED:
        yield Problem("spanish_is_complete", _("There is no published Spanish text."))
        return
    missing = [
        section.anchor for section in page.sections.all() if section.body_en and not section.body_es or not section.heading_es
    ]
    for anchor in missing:
        yield Problem("spanish_is_complete", _("This section is not translated."), anchor)
    if content_pack.is_behind_english(page):
        yield Problem("spanish_is_complete", _("The English has changed since the Spanish was made."))
    if page.kind in MEDICAL and not missing and (ease := reading.inflesz(_text(page, "es"))) < MIN_INFLESZ:
        yield Problem(
            "spanish_is_complete", _("INFLESZ is %(ease).0f; at least %(least).0f.") % {"ease": ease, "least": MIN_INFLESZ}
        )
    if page.kind in MEDICAL and page.review_state_es != ReviewState.REVIEWED:
        yield Problem("spanish_is_complete", _("The Spanish awaits a native medical reviewer."))


@rule
def shows_no_sample_people(page: Page, site: Site) -> Iterator[Problem]:
    """No sample testimonial is shown."""
    if any(testimonial.is_sample and testimonial.is_published for testimonial in page.testimonials.all()):
        yield Problem("shows_no_sample_people", _("A sample testimonial is shown on this page."))


@rule
def quotes_are_whole(page: Page, site: Site) -> Iterator[Problem]:
    """A patient's words are not cut off."""
    for testimonial in page.testimonials.all():
        if not re.search(r"[.!?…][”\"’')]*$", testimonial.quote_en.strip()):
            yield Problem("quotes_are_whole", _("The words of %s stop in the middle of a sentence.") % testimonial.display_name)


# Rules that only a person can satisfy: a machine must never sign for them.
HUMAN_RULES = frozenset({"has_reviewer", "shows_no_sample_people"})
HUMAN_MESSAGES = frozenset({str(_("The Spanish awaits a native medical reviewer."))})


def needs_a_person(problem: Problem) -> bool:
    """Whether only a human signature can clear the problem."""
    return problem.rule in HUMAN_RULES or str(problem.message) in HUMAN_MESSAGES
