"""What is searched: every published page of one language, kept in the memory of each process.

Built from the database in one pass for a content revision and a language, the
same on SQLite and PostgreSQL. Holds published words alone, so no search can
find a draft. While the database is away the last good index answers.
"""

import logging
import math
import re
import threading
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile

from django.db import Error, connection
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import override

from clinic_site.site_record import current_clinic

from ..models import GlossaryTerm, Kind, Page, Section
from ..rich_text import plain_text
from .words import TOKEN, distance, fold, fold_word, letters, sound, stem, without_stop_words

# How much a word counts by where it stands.
WEIGHTS = {"title": 6.0, "names": 6.0, "terms": 5.0, "summary": 3.0, "headings": 2.0, "body": 1.0}
NAMING = {"title", "names", "terms", "headings"}
# A page about the clinic itself is rarely what a patient looks for.
KIND_FACTOR = {Kind.NOTICE: 0.7, Kind.GUIDE: 0.95}
# From here on, more of the same word in a body hardly counts; a body twice the usual length needs half as much again.
BODY_MOST = 8
ELSEWHERE_MOST = 2
BODY_LENGTH_SHARE = 0.5
COMPOUND_SHARE = 0.5
# However alike they sound, words that differ in more letters, or in half of them, are not taken for each other.
MOST_LETTERS = 3
_MARKS = re.compile(r"\[(?:[A-Z][A-Z0-9-]+|(?:figure|packet):[a-z0-9-]+)\]")
# Where one item or cell ends and the next begins, unless its text says so itself.
_BLOCK_END = re.compile(r"(?:(?<=[^.?!:;>\s])|(?<=[^.?!:;>\s]</a>))\s*</(?:p|li|th|td)>")
_BLANK = re.compile(r"_{3,}\.?")
_STRAY_SPACE = re.compile(r"(?<=[(\[“]) | (?=[.,;:?!)”])")
_LEAD = re.compile(r"(<li>\s*<strong>(?:(?!</strong>).)*?[^.?!:,>\s](?:</a>)?)</strong>")
# Of two phrases that are the same, a page's own name says more than a word that leads to it.
SEARCH_TERM_SHARE = 0.75
_PARTS = {"en": re.compile(r"\s*[(),:]\s*|\s+(?:and|or)\s+"), "es": re.compile(r"\s*[(),:]\s*|\s+(?:y|e|o|u)\s+")}
# What "an artificial disc for the neck or back" says at its end is not what it is called.
_TITLE_PARTS = re.compile(r"\s*[(),:]\s*")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Document:
    """A published page as a result shows it."""

    slug: str
    kind: str
    title: str
    url: str
    summary: str
    text: str
    alternate_names: tuple[str, ...]
    # Each name and search term as the stems of its meaning words, with how much it counts to be called just so.
    phrases: tuple[tuple[frozenset[str], float], ...]
    factor: float

    def get_kind_display(self) -> str:
        """The kind in words, in the language in use."""
        return str(Kind(self.kind).label)


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the glossary and what it means."""

    term: str
    definition: str
    url: str
    phrases: tuple[tuple[frozenset[str], float], ...]


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the pages: how it is written there, its stem, on how many pages it stands, whether it names something."""

    written: str
    stem: str
    pages: int
    is_name: bool


@dataclass
class Index:
    """Documents, the words in them, and where each word stands."""

    language: str
    revision: int
    languages: tuple[str, ...]
    documents: list[Document] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    # Stem to the positions of documents and how strongly each has it.
    postings: dict[str, tuple[array, array]] = field(default_factory=dict)
    # Stem to every way it is written, in lower case with its accents.
    forms: dict[str, set[str]] = field(default_factory=dict)
    words: dict[str, Word] = field(default_factory=dict)
    ordered: list[str] = field(default_factory=list)
    # Words by the length of their sound: the sound, its letters as bits, the word.
    sounds: dict[int, list[tuple[int, str, str]]] = field(default_factory=dict)
    # The content revision for which it is known which of the documents are withdrawn, and their positions.
    checked: int = 0
    withdrawn: frozenset[int] = frozenset()

    def starting_with(self, beginning: str) -> Iterator[str]:
        """Folded words that begin so."""
        words = islice(self.ordered, bisect_left(self.ordered, beginning), None)
        return takewhile(lambda word: word.startswith(beginning), words)

    def near(self, word: str) -> list[tuple[int, str]]:
        """Folded words of names, titles and headings, or of several pages, that a person may have meant, best first.

        With each its distance in letters as it is heard: one from four letters
        on, two from seven.
        """
        heard = sound(word)
        most = 0 if len(heard) < 3 else 1 if len(heard) < 7 else 2
        # Almost every typo is one letter, and looking two letters far costs ten times as much.
        found = self._within(min(1, most), word, heard) or (self._within(most, word, heard) if most > 1 else [])
        return sorted(found, key=lambda entry: self._likelihood(word, *entry))

    def _within(self, most: int, word: str, heard: str) -> list[tuple[int, str]]:
        bits = letters(heard)
        found = []
        for length in range(len(heard) - most, len(heard) + most + 1):
            for other_bits, other_heard, other in self.sounds.get(length, ()):
                if (bits ^ other_bits).bit_count() <= 2 * most:
                    apart = distance(heard, other_heard, most)
                    if apart <= most and distance(word, other, MOST_LETTERS) <= min(MOST_LETTERS, len(word) // 2):
                        found.append((apart, other))
        return found

    def _likelihood(self, typed: str, apart: int, other: str) -> tuple[float, ...]:
        word = self.words[other]
        written = distance(typed, other, MOST_LETTERS)
        return (apart + 0.5 * written + (sound(typed)[:1] != sound(other)[:1]) - 0.5 * word.is_name, -word.pages)

    def rarity(self, pages: int) -> float:
        """What a word that stands on so many pages tells: 0.2 for one that is everywhere."""
        return max(0.2, math.log(1 + (len(self.documents) - pages + 0.5) / (pages + 0.5)))


def build(language: str, revision: int) -> Index:
    """Read everything published in a language. Five queries, whatever the number of pages."""
    return _Builder(language, revision).build()


class _Remembered(dict[str, str]):
    """What a function makes of each word, worked out once."""

    def __init__(self, make: Callable[[str], str]) -> None:
        self.make = make

    def __missing__(self, word: str) -> str:
        self[word] = made = self.make(word)
        return made


class _Builder:
    """One pass over the published pages."""

    def __init__(self, language: str, revision: int) -> None:
        self.language = language
        languages = tuple(code for code in ("en", "es") if Page.objects.published(code).exists())
        self.index = Index(language, revision, languages)
        self.folded = _Remembered(fold_word)
        self.stems = _Remembered(lambda word: stem(word, language))
        self.written: Counter[str] = Counter()
        self.pages_with: Counter[str] = Counter()
        self.names: set[str] = set()
        self.postings: dict[str, tuple[array, array]] = defaultdict(lambda: (array("I"), array("f")))

    def build(self) -> Index:
        pages = self._read(Page.objects.published(self.language), "pk", "kind", "slug", "slug_es")
        published = Page.objects.published(self.language).values("pk")
        sections = defaultdict(list)
        rows = Section.objects.filter(page__in=published).order_by("page", "position")
        for page, heading, body in rows.values_list("page_id", *self._columns("heading", "body")):
            sections[page].append((heading or "", self._words_of(body)))
        lengths = {page: sum(len(body) for _, body in parts) for page, parts in sections.items()}
        usual = sum(lengths.values()) / len(lengths) if lengths else 1
        with override(self.language):
            for page in pages:
                self._add(page, sections[page["pk"]], lengths.get(page["pk"], 0) / usual)
            self.index.terms = self._glossary()
        self._finish()
        return self.index

    def _columns(self, *names: str) -> list[str]:
        return [f"{name}_{self.language}" for name in names]

    def _read(self, rows: QuerySet[Page], *plain: str) -> list[dict]:
        names = ("title", "name", "summary", "card", "alternate_names", "search_terms")
        found = rows.order_by("pk").values_list(*plain, *self._columns(*names))
        return [dict(zip((*plain, *names), row, strict=True)) for row in found]

    @staticmethod
    def _words_of(body: str | None) -> str:
        body = _LEAD.sub(r"\1:</strong>", _BLANK.sub("…", _MARKS.sub("", body or "")))
        return _STRAY_SPACE.sub("", plain_text(_BLOCK_END.sub(" · ", body))).removesuffix(" ·")

    def _add(self, page: dict, sections: list[tuple[str, str]], length: float) -> None:
        alternates, terms = page["alternate_names"] or [], page["search_terms"] or []
        title, name, summary = page["title"] or "", page["name"] or "", page["summary"] or ""
        text = " ".join(body for _, body in sections if body)
        fields = {
            "title": f"{title} | {name}",
            "names": " | ".join(alternates),
            "terms": " | ".join(terms),
            "summary": f"{summary} {page['card'] or ''}",
            "headings": " | ".join(heading for heading, _ in sections),
            "body": text,
        }
        position = len(self.index.documents)
        strengths: dict[str, float] = defaultdict(float)
        seen: set[str] = set()
        for place, content in fields.items():
            words, compounds = self._split(content)
            seen.update(words, compounds)
            if place in NAMING:
                self.names.update(words, compounds)
            longer = 1 + BODY_LENGTH_SHARE * (length - 1) if place == "body" else 1
            most = BODY_MOST if place == "body" else ELSEWHERE_MOST
            for root, count in Counter(map(self.stems.__getitem__, words)).items():
                strengths[root] += WEIGHTS[place] * min(count, most) / longer
            for word in compounds:
                strengths[self.stems[word]] += WEIGHTS[place] * COMPOUND_SHARE
        self.pages_with.update(seen)
        for root, strength in strengths.items():
            places, weights = self.postings[root]
            places.append(position)
            weights.append(strength)
        shown = Page(kind=page["kind"], slug=page["slug"], slug_es=page["slug_es"])
        self.index.documents.append(
            Document(
                slug=page["slug"],
                kind=page["kind"],
                title=title,
                url=shown.get_absolute_url(),
                summary=summary,
                text=text,
                alternate_names=tuple(alternates),
                phrases=self._phrases([name, *alternates], terms, title),
                factor=KIND_FACTOR.get(page["kind"], 1.0),
            )
        )

    def _split(self, content: str) -> tuple[list[str], list[str]]:
        """The words of a text, folded; those with a hyphen by their parts, and once more as one."""
        found = TOKEN.findall(content.lower())
        words = " ".join(found).replace("-", " ").split()
        compounds = [token for token in found if "-" in token]
        self.written.update(words)
        self.written.update(compounds)
        return (
            list(filter(None, map(self.folded.__getitem__, words))),
            list(filter(None, map(self.folded.__getitem__, compounds))),
        )

    def _phrases(
        self, names: Iterable[str], terms: Iterable[str] = (), title: str = ""
    ) -> tuple[tuple[frozenset[str], float], ...]:
        """Names, each also by its parts ("Sciatica and radiculopathy", "Ponte osteotomy (PCO)"), a title, and search terms."""
        parts = [(part, 1.0) for name in names for part in (name, *_PARTS[self.language].split(name))]
        parts += [(part, 1.0) for part in (title, *_TITLE_PARTS.split(title))]
        found: dict[frozenset[str], float] = {}
        for part, share in [*parts, *((term, SEARCH_TERM_SHARE) for term in terms)]:
            words = without_stop_words(fold(part).split(), self.language)
            if words:
                found.setdefault(frozenset(stem(word, self.language) for word in words), share)
        return tuple(found.items())

    def _glossary(self) -> list[Term]:
        found = []
        page = reverse("conditions:glossary")
        for slug, term, definition in GlossaryTerm.objects.values_list("slug", *self._columns("term", "definition")):
            if term and definition:
                self.names.update(*self._split(term))
                found.append(Term(term, definition, f"{page}#{slug}", self._phrases([term])))
        return found

    def _finish(self) -> None:
        index = self.index
        index.postings = dict(self.postings)
        for written, _count in self.written.most_common():
            word = self.folded[written]
            if word:
                root = self.stems[word]
                index.forms.setdefault(root, set()).add(written)
                if word not in index.words:
                    index.words[word] = Word(written, root, self.pages_with[word], word in self.names)
        index.ordered = sorted(index.words)
        sounds = defaultdict(list)
        for word, known in index.words.items():
            if word.isalpha() and (known.is_name or known.pages > 1):
                heard = sound(word)
                sounds[len(heard)].append((letters(heard), heard, word))
        index.sounds = dict(sounds)


_lock = threading.Lock()
_kept: dict[tuple[str, str], Index] = {}
_building: set[tuple[str, str]] = set()


def current(language: str) -> Index:
    """The index of what is published now, at most a second old; the last good one while the database is away.

    After a change a thread of its own builds the next one and nobody waits: until
    it is there the one before answers, without the pages that were withdrawn.
    Raises the database's error only where this process never had an index.
    """
    key = (str(connection.settings_dict["NAME"]), language)
    revision = current_clinic().content_revision
    kept = _kept.get(key)
    if kept and kept.revision == revision:
        return kept
    with _lock:
        kept = _kept.get(key)
        if kept is None:
            kept = _kept[key] = build(language, revision)
        elif kept.revision != revision:
            if kept.checked != revision:
                kept = _kept[key] = _without_withdrawn(kept, revision)
            if key not in _building:
                _building.add(key)
                start(lambda: _renew(key, revision))
                kept = _kept[key]
    return kept


def _without_withdrawn(index: Index, revision: int) -> Index:
    """The same index, in which pages that are no longer published cannot be found. One query."""
    try:
        published = set(Page.objects.published(index.language).values_list("slug", flat=True))
    except Error as error:
        log.warning("search index not checked: %s", type(error).__name__)
        return index
    withdrawn = frozenset(position for position, page in enumerate(index.documents) if page.slug not in published)
    return replace(index, checked=revision, withdrawn=withdrawn)


def _renew(key: tuple[str, str], revision: int) -> None:
    try:
        _kept[key] = build(key[1], revision)
    except Error as error:
        log.warning("search index not renewed: %s", type(error).__name__)
    finally:
        _building.discard(key)


def start(work: Callable[[], None]) -> None:
    """Do the work in a thread, which leaves no connection to the database behind."""

    def apart() -> None:
        try:
            work()
        finally:
            connection.close()

    threading.Thread(target=apart, name="search-index", daemon=True).start()


def forget() -> None:
    """Drop every index; for tests that change pages without telling other processes."""
    _kept.clear()
