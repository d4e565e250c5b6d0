"""A page as its template shows it: sections with their parts, contents list, numbered references.

Turns plain rich text into the house's components. Nothing here decides or writes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from . import rich_text
from .addresses import spanish_paths, withdrawn_paths
from .glossary import GlossaryLinks, all_terms
from .models import CITATION, SPANISH, Figure, Kind, Packet, Page, Physician, Reference, Section, SectionKind

EMERGENCY_SLUG = "when-to-get-emergency-help"
WORDS_A_MINUTE = 200
RISK = re.compile(r"(?P<number>[\d,]+) (?:out of|in|de cada) (?P<out_of>100|1,000)", re.I)
# A line to write on needs no stop after it.
_BLANK_END = re.compile(r"(_{3,})\.(?=\s*(?:</|$))")
_BLANK = re.compile(r"_{3,}(?![^<]*>)")
# An English word that the Spanish text gives because people will hear it here.
_IN_ENGLISH = re.compile(r"(?<=en inglés, )[^()<>;]+(?=[;)])")
_CITED_WORD = re.compile(r"[^\s<>]+(?:<sup>.*?</sup>)+")
MakeBlocks = Callable[[str], list["Block"]]
CARE_KINDS = {SectionKind.EMERGENCY, SectionKind.TODAY, SectionKind.APPOINTMENT}
# Whoever reads a warning must not be led away; clinicians know the words.
WITHOUT_GLOSSARY = CARE_KINDS | {SectionKind.CLINICIANS}


@dataclass(frozen=True)
class Risk:
    """One figure as people: `number` of `out_of`, drawn as a grid of `columns` by `rows`."""

    label: str
    number: int
    out_of: int
    html: SafeString

    @property
    def columns(self) -> int:
        """Figures in a row of the drawing."""
        return 10 if self.out_of == 100 else 40

    @property
    def rows(self) -> int:
        """Rows of the drawing."""
        return self.out_of // self.columns

    @property
    def full_rows(self) -> int:
        """Rows in which every figure is marked."""
        return self.number // self.columns

    @property
    def remainder(self) -> int:
        """Marked figures in the row after those."""
        return self.number % self.columns

    @property
    def column_lines(self) -> range:
        """Where one figure ends and the next begins, in a row."""
        return range(1, self.columns)

    @property
    def row_lines(self) -> range:
        """Where one row ends and the next begins."""
        return range(1, self.rows)

    @property
    def text_equivalent(self) -> str:
        """The drawing in words: both the people it happened to and those it did not."""
        return _("%(number)s of %(out_of)s people marked, %(others)s not.") % {
            "number": self.number,
            "out_of": self.out_of,
            "others": self.out_of - self.number,
        }


@dataclass(frozen=True)
class Block:
    """One part of a section. `type` names the component; only the fields it needs are filled."""

    type: str
    html: SafeString = SafeString("")
    figure: Figure | None = None
    number: int = 0
    packet: Packet | None = None
    facts: list[tuple[SafeString, SafeString]] = field(default_factory=list)
    risks: list[Risk] = field(default_factory=list)
    level: str = ""


@dataclass(frozen=True)
class ShownSection:
    """A heading and its parts."""

    heading: str
    anchor: str
    level: int
    kind: str
    blocks: list[Block]
    # Whose patients it is for; everybody's where it names nobody.
    physician: Physician | None = None


@dataclass(frozen=True)
class ShownReference:
    """A source with its number on this page and the ids of the places that cite it."""

    number: int
    reference: Reference
    cited: list[str]


@dataclass(frozen=True)
class Presented:
    """A whole page, ready for its template."""

    sections: list[ShownSection]
    references: list[ShownReference]
    minutes: int

    @property
    def questions(self) -> list[ShownSection]:
        """The subsections of a section of questions and answers: each heading asks, its text answers."""
        found, within = [], False
        for section in self.sections:
            if section.level == 2:
                within = section.kind == SectionKind.FAQ
            elif within:
                found.append(section)
        return found

    @property
    def toc(self) -> list[ShownSection]:
        """The sections that the contents list names."""
        return [section for section in self.sections if section.kind != SectionKind.CLINICIANS]


class Citations:
    """Numbers the sources of one page in order of first use and remembers where each is cited."""

    def __init__(self, references: dict[str, Reference]) -> None:
        self.references = references
        self.cited: dict[str, list[str]] = {}

    def link(self, match: re.Match[str]) -> str:
        """The superscript link for one `[KEY]`; an unknown key shows nothing (readiness reports it)."""
        key = match[1]
        if key not in self.references:
            return ""
        places = self.cited.setdefault(key, [])
        number = list(self.cited).index(key) + 1
        places.append(f"cite-{number}" if not places else f"cite-{number}-{len(places) + 1}")
        label = escape(_("Reference %(number)s") % {"number": number})
        return f'<sup><a class="cite" id="{places[-1]}" href="#ref-{number}" aria-label="{label}">{number}</a></sup>'

    def numbered(self) -> list[ShownReference]:
        """The page's sources by number."""
        return [ShownReference(n, self.references[key], ids) for n, (key, ids) in enumerate(self.cited.items(), 1)]


class Presenter:
    """Presents one page. Asks the database once each for references, packets, glossary and the shared emergency lists."""

    def __init__(self, page: Page, *, on_paper: bool = False, physician: Physician | None = None) -> None:
        self.page, self.on_paper = page, on_paper
        self.own_sections = [
            section for section in page.sections.all() if physician is None or section.physician_id in (None, physician.pk)
        ]
        named = {section.physician_id for section in self.own_sections} - {None}
        self.physicians = Physician.objects.in_bulk(named) if named else {}
        self.figures = {figure.key: (n, figure) for n, figure in enumerate(page.figures.all(), 1)}
        keys = set(page.cited_keys)
        self.shared = self._shared_sections()
        keys |= {key for section in self.shared.values() for key in CITATION.findall(section.body or "")}
        self.citations = Citations(
            {reference.key: reference for reference in Reference.objects.filter(key__in=keys)} if keys else {}
        )
        slugs = {slug for section in self.own_sections for kind, slug in rich_text.pieces(section.body or "") if kind == "packet"}
        packets: QuerySet[Packet] = (
            Packet.objects.filter(page__in=Page.objects.published(), page__slug__in=slugs)
            .select_related("page")
            .prefetch_related("physicians")
        )
        self.packets = {packet.page.slug: packet for packet in packets} if slugs else {}
        self.paths = spanish_paths() if get_language() == SPANISH else {}
        # Whoever looks at a draft wants to follow its links to other drafts.
        self.withdrawn = withdrawn_paths() - self.paths.keys() if page.is_published else frozenset()
        self.glossary = (
            None
            if on_paper or page.kind == Kind.NOTICE
            else GlossaryLinks(all_terms(), get_language() or "en", reverse("conditions:glossary"), page.name)
        )

    def present(self) -> Presented:
        """The page, ready to show."""
        sections = [self._section(section) for section in self.own_sections]
        words = sum(len(rich_text.plain_text(section.body or "").split()) for section in self.own_sections)
        return Presented(sections, self.citations.numbered(), max(1, round(words / WORDS_A_MINUTE)))

    def _shared_sections(self) -> dict[str, Section]:
        empty = {section.kind for section in self.own_sections if section.kind in CARE_KINDS and not section.body}
        if not empty:
            return {}
        shared = Section.objects.filter(page__slug=EMERGENCY_SLUG, kind__in=empty).exclude(body_en="")
        return {section.kind: section for section in shared}

    def _section(self, section: Section) -> ShownSection:
        kind = SectionKind(section.kind)
        body = section.body or ""
        make = {
            SectionKind.GLANCE: self._facts,
            SectionKind.RISKS: self._risks,
            SectionKind.STEPS: self._leads("operation"),
            SectionKind.TIMELINE: self._leads("timeline wide"),
            SectionKind.QUESTIONS: self._single("questions"),
            SectionKind.CHECKLIST: self._single("checklist"),
            SectionKind.EMERGENCY: self._care(kind),
            SectionKind.TODAY: self._care(kind),
            SectionKind.APPOINTMENT: self._care(kind),
        }.get(kind, self._prose)
        blocks = make(body)
        if self.glossary and kind not in WITHOUT_GLOSSARY:
            blocks = [self._with_terms(block, self.glossary) for block in blocks]
        whose = self.physicians.get(section.physician_id)
        return ShownSection(section.heading, section.anchor, section.level, kind.value, blocks, whose)

    @staticmethod
    def _with_terms(block: Block, glossary: GlossaryLinks) -> Block:
        return replace(
            block,
            html=mark_safe(glossary.link(block.html)),
            facts=[(label, mark_safe(glossary.link(text))) for label, text in block.facts],
            risks=[replace(risk, html=mark_safe(glossary.link(risk.html))) for risk in block.risks],
        )

    def _html(self, body: str) -> SafeString:
        if self.withdrawn:
            body = rich_text.LINK.sub(self._unlinked, body)
        body = CITATION.sub(self.citations.link, rich_text.with_scoped_headers(_BLANK_END.sub(r"\1", body)))
        if self.paths:
            body = rich_text.INTERNAL_LINK.sub(self._in_spanish, body)
        body = _IN_ENGLISH.sub(r'<span lang="en">\g<0></span>', body)
        if not self.on_paper:
            body = _BLANK.sub(self._said_blank, body)
        # A space before a superscript would strand it on a line of its own.
        body = re.sub(r"\s+(<sup>)", r"\1", body)
        # On paper it would be stranded even so.
        return mark_safe(_CITED_WORD.sub(r'<span class="nowrap">\g<0></span>', body) if self.on_paper else body)

    def _unlinked(self, match: re.Match[str]) -> str:
        """A link as it is; its words alone where it would lead to a page that nobody may read now."""
        return match[2] if re.split(r"[?#]", match[1])[0] in self.withdrawn else match[0]

    @staticmethod
    def _said_blank(match: re.Match[str]) -> str:
        """A line to write on, which a screen reader passes over or reads stroke by stroke, with a word in its place."""
        word = escape(pgettext("line to write on", "blank"))
        return f'<span aria-hidden="true">{match[0]}</span><span class="vh">{word}</span>'

    def _in_spanish(self, match: re.Match[str]) -> str:
        path = re.split(r"[?#]", match[1])[0]
        return f'href="{self.paths.get(path, path)}{match[1].removeprefix(path)}"'

    def _prose(self, body: str) -> list[Block]:
        blocks = []
        for kind, value in rich_text.pieces(body):
            if kind == "html":
                blocks.append(Block("html", html=self._html(value)))
            elif kind == "figure" and value in self.figures:
                number, figure = self.figures[value]
                blocks.append(Block("figure", figure=figure, number=number))
            elif kind == "packet" and value in self.packets:
                blocks.append(Block("packet", packet=self.packets[value]))
        return blocks

    def _single(self, kind: str) -> MakeBlocks:
        return lambda body: [Block(kind, html=self._html(body))] if body else []

    def _leads(self, css: str) -> MakeBlocks:
        def make(body: str) -> list[Block]:
            before, items, after = rich_text.around_list(body)
            rows = []
            for item in items:
                lead, rest = rich_text.lead_and_rest(item)
                if css == "operation":
                    rows.append(f"<li><strong>{lead}</strong> {rest}</li>")
                else:
                    rows.append(f"<li><b>{lead}</b><span>{rest}</span></li>")
            parts = [before, f'<ol class="{css}">{"".join(rows)}</ol>' if rows else "", after]
            return [block for part in parts if part for block in self._prose(part)]

        return make

    def _facts(self, body: str) -> list[Block]:
        before, items, after = rich_text.around_list(body)
        facts = [rich_text.lead_and_rest(item) for item in items]
        shown = [Block("facts", facts=[(self._html(lead), self._html(rest)) for lead, rest in facts])] if facts else []
        return [*self._prose(before), *shown, *self._prose(after)]

    def _risks(self, body: str) -> list[Block]:
        before, items, after = rich_text.around_list(body)
        blocks = self._prose(before)
        risks, others = [], []
        for item in items:
            lead, rest = rich_text.lead_and_rest(item)
            match = RISK.search(lead)
            counts = [int(count.replace(",", "")) for count in match.groups()] if match else []
            if counts and counts[0] <= counts[1]:
                risks.append(Risk(lead, *counts, self._html(rest)))
            else:
                others.append(f"<li>{item}</li>")
        if risks:
            blocks.append(Block("risks", risks=risks))
        # What cannot be drawn as people is said all the same.
        return [*blocks, *(self._prose(f"<ul>{''.join(others)}</ul>") if others else []), *self._prose(after)]

    def _care(self, kind: SectionKind) -> MakeBlocks:
        def make(body: str) -> list[Block]:
            body = body or (self.shared[kind].body if kind in self.shared else "")
            return [Block("care", html=self._html(body), level=kind.value)] if body else []

        return make


def present(page: Page, *, on_paper: bool = False, physician: Physician | None = None) -> Presented:
    """Present a page whose sections and figures are prefetched; on paper without links to the glossary.

    For the patients of one physician without the sections that are for those of others.
    """
    return Presenter(page, on_paper=on_paper, physician=physician).present()
