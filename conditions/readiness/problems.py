"""What a rule is, what it says, and what it knows about the site around a page."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache, wraps
from itertools import chain

from django.db.models import Prefetch
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import override

from conditions import reading
from conditions.addresses import LISTS
from conditions.models import (
    ENGLISH,
    SPANISH,
    Figure,
    GlossaryTerm,
    Kind,
    Packet,
    Page,
    Physician,
    ProcedureFacts,
    Reference,
    Section,
    SectionKind,
)

MEDICAL = {Kind.PROCEDURE, Kind.CONDITION, Kind.SYMPTOM, Kind.GUIDE}
BLOCK = re.compile(r"<(p|li|td)\b[^>]*>(.*?)</\1>", re.S)
CARE_BOXES = {SectionKind.EMERGENCY, SectionKind.TODAY, SectionKind.APPOINTMENT}
# What to do in need is said alike everywhere, and clinicians' drawers are no text for patients.
UNOWNED = CARE_BOXES | {SectionKind.CLINICIANS}
# A sentence this long, or a paragraph of short ones, that stands on two pages was copied.
COPIED_WORDS, COPIED_PARAGRAPH = 12, 15
# How the fields of the facts to compare are called in the form of their page.
FACTS = "facts-0-"


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where to mend it: a column as admin names it, in a section or figure or of the page itself.

    A problem of one language keeps only that language from being published; one of neither, both.
    """

    message: str | Promise
    field: str = ""
    section: str = ""
    figure: str = ""
    language: str = ""
    rule: str = ""

    @property
    def place(self) -> str:
        """The anchor or key of the part that it is in; empty for the page as a whole."""
        return self.section or self.figure

    @property
    def kind(self) -> tuple[str, str, str, str]:
        """What makes two problems the same one at two times, although numbers in their words may differ."""
        return self.rule, self.language, self.place, self.field

    def __str__(self) -> str:
        language = f" [{self.language}]" if self.language else ""
        column = self.field.removeprefix(FACTS) if self.field.endswith((f"_{ENGLISH}", f"_{SPANISH}")) and not self.section else ""
        where = " ".join(part for part in (f"#{self.place}" if self.place else "", column) if part)
        return f"{self.rule}{language}: {self.message}" + (f" ({where})" if where else "")


@dataclass(frozen=True)
class Site:
    """What rules know about the site around a page."""

    today: date
    reference_keys: frozenset[str] = field(repr=False)
    anchors: dict[str, frozenset[str]] = field(repr=False)
    spanish_anchors: dict[str, frozenset[str]] = field(repr=False)
    packets: frozenset[str] = field(repr=False)
    glossary: frozenset[str] = field(repr=False)
    owners: dict[str, set[int]] = field(repr=False)

    @classmethod
    def now(cls) -> "Site":
        """The site as it stands. Twelve queries, however many pages there are."""
        anchors, spanish_anchors = _places(ENGLISH), _places(SPANISH)
        owners: dict[str, set[int]] = defaultdict(set)
        rows = Section.objects.filter(page__in=Page.objects.published(ENGLISH)).exclude(kind__in=UNOWNED)
        for page, body in rows.values_list("page_id", "body_en"):
            for text in long_sentences(body or ""):
                owners[text].add(page)
        packets = frozenset(Packet.objects.filter(page__in=Page.objects.published(ENGLISH)).values_list("page__slug", flat=True))
        terms = GlossaryTerm.objects.values_list("term_en", "term_es")
        glossary = frozenset(word for pair in terms for term in pair for word in reading.words_of(term or ""))
        keys = frozenset(Reference.objects.values_list("key", flat=True))
        return cls(timezone.localdate(), keys, anchors, spanish_anchors, packets, glossary, owners)


def _places(language: str) -> dict[str, frozenset[str]]:
    """Addresses that lead to something in a language, lists and doctors included, each with the anchors there if it is a page."""
    with override(language):
        found: dict[str, frozenset[str]] = {reverse(name): frozenset() for name in LISTS}
        found |= {doctor.get_absolute_url(): frozenset() for doctor in Physician.objects.filter(is_published=True).only("slug")}
        left: dict[str, frozenset[str]] = {}
        pages = Page.objects.published(language).only("kind", "slug", "slug_es")
        for page in pages.prefetch_related(Prefetch("sections", Section.objects.only("page_id", "anchor")), "former_addresses"):
            there = anchors_of(page)
            left |= {former.path: there for former in page.former_addresses.all() if former.language == language}
            found[page.get_absolute_url()] = there
    # An address that somebody else has now is theirs.
    return left | found


Rule = Callable[[Page, Site], Iterator[Problem]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Put a rule on the list under its function's name, which its problems then carry."""

    @wraps(function)
    def check(page: Page, site: Site) -> Iterator[Problem]:
        return (replace(problem, rule=function.__name__) for problem in function(page, site))

    RULES[function.__name__] = check
    return check


def anchors_of(page: Page) -> frozenset[str]:
    """Every place on a page that a link can lead to."""
    return frozenset({section.anchor for section in page.sections.all()} | {"references", "top"})


def languages_of(page: Page) -> list[str]:
    """English, and Spanish once the page has an address in it."""
    return [ENGLISH, SPANISH] if page.slug_es else [ENGLISH]


def patient_sections(page: Page) -> Iterator[Section]:
    """Sections that patients read; the drawers for clinicians are exempt from rules about words."""
    return (section for section in page.sections.all() if section.kind != SectionKind.CLINICIANS)


def bodies(page: Page, language: str) -> Iterator[tuple[Section, str]]:
    """Each section for patients with its text in a language."""
    return ((section, getattr(section, f"body_{language}") or "") for section in patient_sections(page))


def facts_of(page: Page, language: str) -> Iterator[tuple[str, str]]:
    """Each fact that sets a procedure apart, with its place in the form; none where the page has no such facts."""
    if facts := getattr(page, "facts", None):
        for name in facts.SHOWN:
            yield f"{FACTS}{name}_{language}", getattr(facts, f"{name}_{language}") or ""


@dataclass(frozen=True)
class Passage:
    """Something that patients read or hear, and where it stands."""

    text: str
    field: str
    section: str = ""
    figure: str = ""

    def problem(self, message: str, language: str) -> Problem:
        """What is wrong with it."""
        return Problem(message, self.field, self.section, self.figure, language)


def passages(page: Page, language: str) -> Iterator[Passage]:
    """All that a page says in a language, part by part: opening, headings, texts, figures and the facts to compare."""
    for name in Page.TEXTS:
        yield Passage(getattr(page, f"{name}_{language}") or "", f"{name}_{language}")
    for section, body in bodies(page, language):
        yield Passage(getattr(section, f"heading_{language}") or "", f"heading_{language}", section.anchor)
        yield Passage(body, f"body_{language}", section.anchor)
    for figure in page.figures.all():
        for name in Figure.TEXTS:
            yield Passage(getattr(figure, f"{name}_{language}") or "", f"{name}_{language}", figure=figure.key)
        yield Passage(". ".join(getattr(figure, f"callouts_{language}") or []), f"callouts_{language}", figure=figure.key)
    for place, text in facts_of(page, language):
        yield Passage(text, place)


def found(patterns: Mapping[str, re.Pattern[str]], page: Page) -> Iterator[tuple[re.Match[str], Passage, str]]:
    """What a page for patients says that fits the pattern of a language: the words, where they stand, and the language."""
    for language in languages_of(page) if page.kind in MEDICAL else ():
        for passage in passages(page, language) if language in patterns else ():
            for match in patterns[language].finditer(spoken(passage.text)):
                yield match, passage, language


@lru_cache(maxsize=8192)
def spoken(body: str) -> str:
    """A text as it is read aloud, kept, as many rules listen to the same one."""
    return reading.speakable(body)


def whole_text(page: Page, language: str) -> str:
    """What the sections of a page say, as sentences."""
    return _sentences(body for _section, body in bodies(page, language))


def sentences_in(page: Page, language: str) -> str:
    """All that a page says in whole sentences: in its summary, its sections, below and about figures, and in its facts."""
    told = ("summary", "body", "caption", "long_description", *(f"{FACTS}{name}" for name in ProcedureFacts.SHOWN))
    return _sentences(part.text for part in passages(page, language) if part.field.removesuffix(f"_{language}") in told)


def _sentences(texts: Iterable[str]) -> str:
    parts = map(spoken, texts)
    return " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in parts if part)


def blocks(body: str) -> Iterator[tuple[str, str]]:
    """Each paragraph, item and cell of a text: its element and what is in it."""
    return ((match[1], match[2]) for match in BLOCK.finditer(body))


@lru_cache(maxsize=8192)
def long_sentences(body: str) -> tuple[str, ...]:
    """Sentences long enough to be told apart, and paragraphs of short ones, in words alone; kept, as each look at the site asks."""
    long: list[str] = []
    for _element, text in blocks(body):
        sentences = [reading.words_of(sentence) for sentence in reading.sentences_of(spoken(text))]
        found = [" ".join(words) for words in sentences if len(words) >= COPIED_WORDS]
        if not found and sum(map(len, sentences)) >= COPIED_PARAGRAPH:
            found = [" ".join(chain.from_iterable(sentences))]
        long += found
    return tuple(long)
