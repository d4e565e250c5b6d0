"""Rules about what a page consists of: opening, sections, boxes, figures, links, sources."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from urllib.parse import urlsplit

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import override

from conditions.models import CITATION, ENGLISH, SPANISH, Kind, Page, Relation, SectionKind, Status
from conditions.reading import words_of
from conditions.rich_text import LINK, PLACE, items

from .problems import (
    CARE_BOXES,
    FACTS,
    MEDICAL,
    Problem,
    Site,
    anchors_of,
    bodies,
    facts_of,
    languages_of,
    rule,
    spoken,
    whole_text,
)

LONGEST = {"title": 60, "summary": 300, "description": 155, "card": 110}
# Spanish runs longer; the column holds no more than this.
LONGEST_SPANISH = {"title": 75, "summary": 345, "description": 155, "card": 120}
LONGEST_HEADING = 70
MAX_ALT = 125
NEEDS_RED_FLAGS = {Kind.PROCEDURE, Kind.CONDITION, Kind.SYMPTOM}
# By anchor: readers find the same thing in the same place on every page of a kind. A new page starts with more, see anatomy.py.
EXPECTED_ANCHORS = {
    Kind.PROCEDURE: ["glance", "what-it-is", "candidate", "options", "prepare", "benefits", "risks", "recovery", "questions"],
    Kind.CONDITION: ["glance", "what-it-is", "symptoms", "causes", "diagnosis", "treatment", "over-time", "living", "today"],
    Kind.SYMPTOM: ["feels-like", "causes", "try", "call-today", "appointment", "how-we-find-it"],
}
# What these show when their text is empty is kept in one place for all pages.
SHARED = {SectionKind.EMERGENCY, SectionKind.TODAY}
FEWEST_WORDS, MOST_WORDS = 700, 1800
# A packet gathers what a person takes home from several pages.
MOST_PACKET_WORDS = 2500
FEWEST_ITEMS, MOST_ITEMS = 2, 8
# Lists that are ticked off or read out may be longer.
MOST_TICKED = 12
TICKED = {
    SectionKind.CHECKLIST,
    SectionKind.QUESTIONS,
    SectionKind.EMERGENCY,
    SectionKind.TODAY,
    SectionKind.TIMELINE,
    SectionKind.STEPS,
}
FEWEST_NEXT = 2
EMPTY_LINK = re.compile(
    r"^(?:click here|here|this|link|read more|more|learn more|(?:(?:haga )?clic |pulse |presione |toque )?aqu[íi]"
    r"|más|leer más|https?:.*)$",
    re.I,
)
# To another site, whose links have a rule of their own, or to a person.
LEADS_OUT = re.compile(r"(?:https?|mailto|tel):", re.I)
OFFICIAL = (".gov", ".edu", ".mil", ".nhs.uk", ".org", ".int")
PICTURE_OF = re.compile(r"^(?:image|picture|photo|drawing|figure|graphic|imagen|foto|dibujo|figura)\b (?:of|de)\b", re.I)


@rule
def has_opening(page: Page, site: Site) -> Iterator[Problem]:
    """Title, summary, description and card line are there and fit where they are shown."""
    for language in languages_of(page):
        for name, longest in (LONGEST if language == ENGLISH else LONGEST_SPANISH).items():
            field = f"{name}_{language}"
            value, label = (getattr(page, field) or ""), capfirst(page._meta.get_field(name).verbose_name)
            if not value.strip():
                yield Problem(_("%(field)s: this is empty.") % {"field": label}, field, language=language)
            elif len(value) > longest:
                values = {"field": label, "length": len(value), "longest": longest}
                message = _("%(field)s: %(length)d characters; at most %(longest)d.")
                yield Problem(message % values, field, language=language)


@rule
def has_the_usual_sections(page: Page, site: Site) -> Iterator[Problem]:
    """Readers find the same sections on every page of a kind."""
    there = anchors_of(page)
    for anchor in EXPECTED_ANCHORS.get(Kind(page.kind), []):
        if anchor not in there:
            yield Problem(_("The usual section #%s is missing.") % anchor, section=anchor)


@rule
def shows_red_flags(page: Page, site: Site) -> Iterator[Problem]:
    """Pages about operations, conditions and symptoms say when to call 911."""
    if page.kind in NEEDS_RED_FLAGS and not any(section.kind == SectionKind.EMERGENCY for section in page.sections.all()):
        yield Problem(_("The section with the 911 list is missing."))


@rule
def care_boxes_stand_once(page: Page, site: Site) -> Iterator[Problem]:
    """Each box of what to do stands once, and the one for emergencies holds no link but a phone number."""
    counts = Counter(section.kind for section in page.sections.all())
    for section in page.sections.all():
        if section.kind in CARE_BOXES and counts[section.kind] > 1:
            yield Problem(_("This box stands on the page more than once."), "kind", section.anchor)
    for language in languages_of(page):
        for section, body in bodies(page, language):
            if section.kind == SectionKind.EMERGENCY and any(not href.startswith("tel:") for href, _words in LINK.findall(body)):
                message = _("In an emergency nobody should follow links: only a phone number may be one.")
                yield Problem(message, f"body_{language}", section.anchor, language=language)


@rule
def emergencies_come_first(page: Page, site: Site) -> Iterator[Problem]:
    """Nobody reads whom to call today before they read what is an emergency."""
    sections = list(page.sections.all())
    emergencies = [place for place, section in enumerate(sections) if section.kind == SectionKind.EMERGENCY]
    for section in sections[: max(emergencies, default=0)]:
        if section.kind in CARE_BOXES - {SectionKind.EMERGENCY}:
            yield Problem(_("Put this box below the one for emergencies."), "kind", section.anchor)


@rule
def tells_risks(page: Page, site: Site) -> Iterator[Problem]:
    """A procedure page says what can go wrong."""
    headings = [section.heading_en.lower() for section in page.sections.all()]
    if page.kind == Kind.PROCEDURE and not any("risk" in heading or "wrong" in heading for heading in headings):
        yield Problem(_("No section says what can go wrong."))


@rule
def tells_alternatives(page: Page, site: Site) -> Iterator[Problem]:
    """A procedure page names other options, doing nothing among them."""
    if page.kind != Kind.PROCEDURE:
        return
    options = [section for section in page.sections.all() if re.search("option|choice", section.heading_en, re.I)]
    if not options:
        yield Problem(_("No section names other options."))
    elif not any(re.search(r"wait|nothing|without", section.body_en or "", re.I) for section in options):
        yield Problem(_("The options leave out waiting or doing nothing."), "body_en", options[0].anchor)


@rule
def can_be_compared(page: Page, site: Site) -> Iterator[Problem]:
    """A procedure has the facts that set it apart from others, in each language."""
    if page.kind != Kind.PROCEDURE:
        return
    if not hasattr(page, "facts"):
        yield Problem(_("The facts to compare are missing."), f"{FACTS}effect_en", language=ENGLISH)
    for language in languages_of(page):
        for field, text in facts_of(page, language):
            if not text.strip():
                yield Problem(_("A fact to compare is missing."), field, language=language)


@rule
def headings_are_in_order(page: Page, site: Site) -> Iterator[Problem]:
    """Headings go down one level at a time, differ from each other, and are short labels or questions."""
    for language in languages_of(page):
        seen: set[str] = set()
        level = 1
        for section in page.sections.all():
            field, heading = f"heading_{language}", (getattr(section, f"heading_{language}") or "").strip()
            if language == ENGLISH and section.level > level + 1:
                yield Problem(_("A subheading stands before any heading."), "level", section.anchor)
            level = section.level
            if heading and heading.casefold() in seen:
                yield Problem(_("Two sections have the heading “%s”.") % heading, field, section.anchor, language=language)
            if heading.endswith((".", "!", ":")):
                message = _("A heading is a label or a question, without a full stop.")
                yield Problem(message, field, section.anchor, language=language)
            if len(heading) > LONGEST_HEADING:
                values = {"length": len(heading), "longest": LONGEST_HEADING}
                message = _("The heading has %(length)d characters; at most %(longest)d.") % values
                yield Problem(message, field, section.anchor, language=language)
            seen.add(heading.casefold())


@rule
def sections_have_text(page: Page, site: Site) -> Iterator[Problem]:
    """No heading stands alone, unless subheadings follow it or its list is a shared one."""
    sections = list(page.sections.all())
    for section, after in zip_longest(sections, sections[1:]):
        leads_down = after is not None and after.level > section.level
        says = spoken(section.body_en or "") or PLACE.search(section.body_en or "")
        if not says and section.kind not in SHARED and not leads_down:
            yield Problem(_("This section has a heading and no text."), "body_en", section.anchor)


@rule
def fits_its_length(page: Page, site: Site) -> Iterator[Problem]:
    """A page for patients has 700 to 1,800 words, a packet up to 2,500."""
    if page.kind not in MEDICAL:
        return
    count = len(words_of(whole_text(page, ENGLISH)))
    most = MOST_PACKET_WORDS if hasattr(page, "packet") else MOST_WORDS
    if not FEWEST_WORDS <= count <= most:
        message = _("The page has %(count)d words; %(fewest)d to %(most)d fit its kind.")
        yield Problem(message % {"count": count, "fewest": FEWEST_WORDS, "most": most}, language=ENGLISH)


@rule
def lists_are_short(page: Page, site: Site) -> Iterator[Problem]:
    """A list has a handful of items; one that is ticked off may have a dozen."""
    for section, body in bodies(page, ENGLISH) if page.kind in MEDICAL else ():
        most = MOST_TICKED if section.kind in TICKED else MOST_ITEMS
        for _element, inner in re.findall(r"<(ul|ol)>(.*?)</\1>", body, re.S):
            fewest = 1 if section.kind == SectionKind.RISKS else FEWEST_ITEMS
            if not fewest <= (count := len(items(inner))) <= most:
                message = _("Entries in this list: %(count)d. From %(fewest)d to %(most)d can be taken in.")
                values = {"count": count, "fewest": fewest, "most": most}
                yield Problem(message % values, "body_en", section.anchor)


@rule
def figures_have_alternatives(page: Page, site: Site) -> Iterator[Problem]:
    """Each figure is described, shortly and at length, in each language."""
    for figure in page.figures.all():
        for language in languages_of(page):
            alt = getattr(figure, f"alt_{language}") or ""
            if not alt.strip():
                message = _("Describe this figure for people who cannot see it.")
                yield Problem(message, f"alt_{language}", figure=figure.key, language=language)
            elif len(alt) > MAX_ALT:
                message = _("The alternative text has %(length)d characters; at most %(longest)d.")
                values = {"length": len(alt), "longest": MAX_ALT}
                yield Problem(message % values, f"alt_{language}", figure=figure.key, language=language)
            elif match := PICTURE_OF.search(alt):
                message = _("Say what the figure shows, without “%s”.") % match[0]
                yield Problem(message, f"alt_{language}", figure=figure.key, language=language)
            if not (getattr(figure, f"long_description_{language}") or "").strip():
                message = _("The long description is missing.")
                yield Problem(message, f"long_description_{language}", figure=figure.key, language=language)


@rule
def figures_stand_in_the_text(page: Page, site: Site) -> Iterator[Problem]:
    """Each figure has one place in the text, and each place its figure."""
    keys = [figure.key for figure in page.figures.all()]
    for language in languages_of(page):
        field = f"body_{language}"
        placed: Counter[str] = Counter()
        for section in page.sections.all():
            for what, key in PLACE.findall(getattr(section, field) or ""):
                if what == "figure":
                    placed[key] += 1
                    if key not in keys or placed[key] > 1:
                        message = _("The figure %s stands here twice.") if key in keys else _("There is no figure %s.")
                        yield Problem(message % key, field, section.anchor, language=language)
        for key in keys:
            if not placed[key]:
                yield Problem(_("The figure has no place in the text: write [figure:%s].") % key, figure=key, language=language)


@rule
def links_lead_somewhere(page: Page, site: Site) -> Iterator[Problem]:
    """Every link inside the text leads to a published page and an anchor that exists."""
    own = anchors_of(page)
    known = site.anchors
    for language in languages_of(page):
        field = f"body_{language}"
        # A Spanish text may name a page by either address.
        known = known | (site.spanish_anchors if language == SPANISH else {})
        with override(language):
            known |= {page.get_absolute_url(): own} if page.slug else {}
        for section in page.sections.all():
            body = getattr(section, field) or ""
            for target, _words in LINK.findall(body):
                path, _query, anchor = re.match(r"([^?#]*)(\?[^#]*)?#?(.*)", target, re.S).groups()
                if not target or path and path not in known and not LEADS_OUT.match(target):
                    yield Problem(_("%s is no published page.") % (path or "“”"), field, section.anchor, language=language)
                elif path and anchor and known.get(path) and anchor not in known[path]:
                    yield Problem(_("%s has no such place.") % target, field, section.anchor, language=language)
                elif not path and anchor and anchor not in own:
                    message = _("There is no #%s on this page.") % anchor
                    yield Problem(message, field, section.anchor, language=language)
            for kind, slug in PLACE.findall(body):
                if kind == "packet" and slug not in site.packets:
                    yield Problem(_("%s is no published page.") % f"[packet:{slug}]", field, section.anchor, language=language)


@rule
def links_say_where_they_go(page: Page, site: Site) -> Iterator[Problem]:
    """The words of a link name what is behind it."""
    for language in languages_of(page):
        for section, body in bodies(page, language):
            for _href, inner in LINK.findall(body):
                words = spoken(inner).strip(" .")
                if not words or EMPTY_LINK.match(words):
                    message = _("Say where this link goes: “%s”.") % words
                    yield Problem(message, f"body_{language}", section.anchor, language=language)


@rule
def outside_links_are_official(page: Page, site: Site) -> Iterator[Problem]:
    """Links to other sites are encrypted and lead to official bodies, hospitals and societies."""
    for language in languages_of(page):
        for section, body in bodies(page, language):
            for href, _words in LINK.findall(body):
                address = urlsplit(href)
                if address.scheme in ("http", "https") and (
                    address.scheme == "http" or not (address.hostname or "").endswith(OFFICIAL)
                ):
                    message = _("%s is no encrypted link to an official source.") % href
                    yield Problem(message, f"body_{language}", section.anchor, language=language)


@rule
def leads_on(page: Page, site: Site) -> Iterator[Problem]:
    """A page for patients ends with at least two others to read."""
    if page.kind in MEDICAL:
        following = [link for link in page.links_out.all() if link.relation == Relation.READ_NEXT]
        if len(following) < FEWEST_NEXT:
            yield Problem(_("Link at least %d pages to read next.") % FEWEST_NEXT)
        for link in following:
            if link.target.status != Status.PUBLISHED:
                yield Problem(_("“%s” is to be read next, but is a draft.") % link.target.name_en)


@rule
def cites_known_sources(page: Page, site: Site) -> Iterator[Problem]:
    """A medical page has sources, and each key it cites is in the list of references."""
    cited: list[tuple[str, str, str, str]] = []
    for language in languages_of(page):
        texts = [(f"body_{language}", section.anchor, getattr(section, f"body_{language}")) for section in page.sections.all()]
        texts += [(field, "", text) for field, text in facts_of(page, language)]
        cited += [(language, field, anchor, key) for field, anchor, text in texts for key in CITATION.findall(text or "")]
    if page.kind in NEEDS_RED_FLAGS and not any(language == ENGLISH and anchor for language, _field, anchor, _key in cited):
        yield Problem(_("No source is cited."), language=ENGLISH)
    for language, field, anchor, key in dict.fromkeys(cited):
        if key not in site.reference_keys:
            yield Problem(_("[%s] is not in the list of references.") % key, field, anchor, language=language)
