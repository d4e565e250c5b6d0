"""Find pages by words: ranked, forgiving of typos and accents, in the language in use, without asking the database."""

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from .index import Document, Index, Term, current, forget
from .words import SHORTEST_STEM, WORD, fold_word, stem, without_stop_words

__all__ = ["Found", "Result", "forget", "search"]

MOST_WORDS = 10
# The best of these are shown; the rest are counted.
SHOWN = 30
TERMS_SHOWN = 3
# A page must hold at least this share of what the query says, weighed by how rare its words are.
LEAST_SHARE = 0.5
SATURATION = 6.0
NAME_BONUS = 2.0
COMPARED_BY_NAME = 120
BEGINNING = 0.75
BEGINNING_BESIDE_EXACT = 0.3
MOST_BEGINNINGS = 40
NEAR = (0.9, 0.75, 0.55)
MOST_NEAR = 3
SNIPPET = 190
LEAD_IN = 40
MOST_MATCHES = 300


@dataclass(frozen=True)
class Result:
    """A page that answers a search, with a passage and another name in which the words found are marked."""

    page: Document
    snippet: SafeString
    also: SafeString = SafeString("")


@dataclass(frozen=True)
class Found:
    """What a search found: the best results, how many there are of each kind, words of the glossary, a better spelling."""

    languages: tuple[str, ...]
    results: list[Result] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    terms: list[Term] = field(default_factory=list)
    did_you_mean: str = ""
    # Whether each of the results lacks one of the words.
    is_partial: bool = False

    @property
    def total(self) -> int:
        """Pages of every kind that answer."""
        return self.kinds.total()

    @property
    def is_cut(self) -> bool:
        """Whether more pages answer than are shown."""
        return self.total > SHOWN

    @property
    def is_miss(self) -> bool:
        """Whether nothing at all was found."""
        return not self.total and not self.terms


@dataclass
class _Asked:
    """One word of the query: as typed, and the stems that count as it, each with how sure that is."""

    typed: str
    stems: dict[str, float] = field(default_factory=dict)
    # How a word that no page holds is spelled on the pages.
    corrected: str = ""
    strengths: dict[int, float] = field(default_factory=dict)
    rarity: float = 0.0

    def allow(self, root: str, sure: float) -> None:
        self.stems[root] = max(sure, self.stems.get(root, 0.0))


def search(query: str, kind: str = "", language: str | None = None) -> Found:
    """Pages that hold the query's words, or words near them, best first; only those of `kind` if named.

    Asks the database only when content changed since the last search, and then only which pages are still published.
    """
    index = current(language or get_language() or "en")
    asked = [_understand(word, index) for word in _words_of(query, index.language)]
    if not asked:
        return Found(index.languages)
    _join_neighbours(asked, index)
    for word in asked:
        _weigh(word, index)
    # A word that no page has tells pages apart less than any other does.
    known = [word.rarity for word in asked if word.strengths]
    for word in asked:
        if known and not word.strengths:
            word.rarity = min(known)
    ranked = _ranked(asked, index)
    shown = [position for position in ranked if kind in ("", index.documents[position].kind)][:SHOWN]
    marker = _Marker(asked, index)
    return Found(
        index.languages,
        [marker.result(index.documents[position]) for position in shown],
        Counter(index.documents[position].kind for position in ranked),
        _terms(asked, index),
        _respelled(query, asked),
        is_partial=bool(ranked) and not any(all(position in word.strengths for word in asked) for position in ranked),
    )


def _words_of(query: str, language: str) -> list[str]:
    words = [folded for word in WORD.findall(query.lower()) if (folded := fold_word(word))]
    return list(dict.fromkeys(without_stop_words(words, language)))[:MOST_WORDS]


def _understand(typed: str, index: Index) -> _Asked:
    """Which stems a typed word stands for: its own, those it begins, or else those it is near to."""
    asked = _Asked(typed)
    root = stem(typed, index.language)
    is_known = root in index.postings
    if is_known:
        asked.allow(root, 1.0)
    if len(typed) >= SHORTEST_STEM:
        begun = sorted(index.starting_with(typed), key=lambda word: -index.words[word].pages)[:MOST_BEGINNINGS]
        for word in begun:
            asked.allow(index.words[word].stem, BEGINNING_BESIDE_EXACT if is_known else BEGINNING)
    if not asked.stems:
        _correct(asked, index)
    return asked


def _correct(asked: _Asked, index: Index) -> None:
    near = index.near(asked.typed)
    halves = _halves(asked.typed, index)
    if halves and (not near or near[0][0] > 1):
        for half in halves:
            asked.allow(index.words[half].stem, NEAR[1])
        asked.corrected = " ".join(index.words[half].written for half in halves)
    elif near:
        for apart, word in near[:MOST_NEAR]:
            if apart <= near[0][0] + 1:
                asked.allow(index.words[word].stem, NEAR[apart] if word == near[0][1] else NEAR[apart] / 2)
        asked.corrected = index.words[near[0][1]].written


def _halves(typed: str, index: Index) -> tuple[str, str] | None:
    """The two words of the pages that were typed as one."""
    for cut in range(SHORTEST_STEM, len(typed) - SHORTEST_STEM + 1):
        first, second = typed[:cut], typed[cut:]
        if all(half in index.words and index.words[half].pages > 1 for half in (first, second)):
            return first, second
    return None


def _join_neighbours(asked: list[_Asked], index: Index) -> None:
    """Two typed words that the pages write as one: flat back, hunch back."""
    for one, other in zip(asked, asked[1:], strict=False):
        joined = index.words.get(one.typed + other.typed)
        if joined:
            for word in (one, other):
                word.allow(joined.stem, 1.0)
                word.corrected = ""


def _weigh(asked: _Asked, index: Index) -> None:
    """How strongly each document has the word, from 0 to 1, and how much the word tells."""
    empty: tuple[array, array] = (array("I"), array("f"))
    for root, sure in asked.stems.items():
        for position, strength in zip(*index.postings.get(root, empty), strict=True):
            strong = sure * strength / (strength + SATURATION)
            if strong > asked.strengths.get(position, 0.0):
                asked.strengths[position] = strong
    asked.rarity = index.rarity(len(asked.strengths))


def _ranked(asked: list[_Asked], index: Index) -> list[int]:
    """Positions of the documents that answer, best first."""
    whole = sum(word.rarity for word in asked)
    scores: dict[int, float] = defaultdict(float)
    shares: dict[int, float] = defaultdict(float)
    for word in asked:
        for position, strength in word.strengths.items():
            scores[position] += word.rarity * strength
            shares[position] += word.rarity
    scored = [
        (score / whole * (shares[position] / whole) ** 2 * index.documents[position].factor, position)
        for position, score in scores.items()
        if shares[position] >= LEAST_SHARE * whole and position not in index.withdrawn
    ]
    scored.sort(key=lambda entry: -entry[0])
    first = [
        (
            score + NAME_BONUS * index.documents[position].factor * _likeness(asked, whole, index.documents[position].phrases),
            position,
        )
        for score, position in scored[:COMPARED_BY_NAME]
    ]
    first.sort(key=lambda entry: (-entry[0], entry[1]))
    return [position for _, position in first + scored[COMPARED_BY_NAME:]]


def _likeness(asked: list[_Asked], whole: float, phrases: Iterable[tuple[frozenset[str], float]]) -> float:
    """How near the query is to one of the names, 0 to 1: what it shares of the query times what it shares of the name."""
    best = 0.0
    for phrase, share in phrases:
        told = 0.0
        met: set[str] = set()
        for word in asked:
            common = phrase & word.stems.keys()
            if common:
                told += word.rarity * max(word.stems[root] for root in common)
                met |= common
        if met:
            best = max(best, share * (told / whole) ** 2 * len(met) / len(phrase))
    return best


def _terms(asked: list[_Asked], index: Index) -> list[Term]:
    """Words of the glossary that the whole query names, nearest first."""
    whole = sum(word.rarity for word in asked)
    named = []
    for term in index.terms:
        if all(any(word.stems.keys() & phrase for phrase, _share in term.phrases) for word in asked):
            named.append((-_likeness(asked, whole, term.phrases), term.term, term))
    return [term for _likeness_of_term, _name, term in sorted(named, key=lambda entry: entry[:2])[:TERMS_SHOWN]]


def _respelled(query: str, asked: list[_Asked]) -> str:
    """The query with each unknown word as the pages spell it; empty where nothing had to be changed."""
    better = {word.typed: word.corrected for word in asked if word.corrected}
    if not better:
        return ""
    return WORD.sub(lambda match: better.get(fold_word(match[0].lower()), match[0]), query)


class _Marker:
    """Finds the passage of a page that says most about the query and marks the words in it."""

    def __init__(self, asked: list[_Asked], index: Index) -> None:
        self.number_of: dict[str, int] = {}
        self.rarity_of = [word.rarity for word in asked]
        for number, word in enumerate(asked):
            for root in word.stems:
                for form in index.forms.get(root, ()):
                    self.number_of.setdefault(form, number)
        forms = "|".join(map(re.escape, sorted(self.number_of, key=len, reverse=True)))
        self.pattern = re.compile(rf"(?<![^\W_])(?:{forms})(?![^\W_])") if forms else None

    def result(self, document: Document) -> Result:
        """The document with its best passage."""
        in_title = self._numbers(document.title)
        told = [(numbers - in_title, len(numbers), name) for name in document.alternate_names if (numbers := self._numbers(name))]
        new, _all, also = max(told, key=lambda entry: (len(entry[0]), entry[1]), default=(set(), 0, ""))
        also = also if new else ""
        return Result(document, self._passage(f"{document.summary} {document.text}".strip()), self._marked(also))

    def _matches(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Where each word found begins and ends, and which word of the query it is."""
        lower = text.lower()
        if self.pattern and len(lower) == len(text):
            for match in self.pattern.finditer(lower):
                yield match.start(), match.end(), self.number_of[match[0]]

    def _numbers(self, text: str) -> set[int]:
        return {number for _start, _end, number in self._matches(text)}

    def _passage(self, text: str) -> SafeString:
        start = self._best_start(text)
        if start > LEAD_IN:
            sentence = max(text.rfind(mark, start - LEAD_IN, start) for mark in (". ", "? ", "! "))
            start = sentence + 2 if sentence > 0 else text.find(" ", start - LEAD_IN) + 1
        else:
            start = 0
        end = start + SNIPPET
        passage = (text[start:] if end >= len(text) else text[start:end].rsplit(" ", 1)[0]).lstrip("· ")
        before = "… " if start and text[start - 2] not in ".?!" else ""
        after = " …" if end < len(text) else ""
        return mark_safe(before + self._marked(passage) + after)

    def _best_start(self, text: str) -> int:
        """Where the passage begins that holds most of the words; the first of equals, so the summary goes first."""
        places = [(start, number) for start, _end, number in islice(self._matches(text), MOST_MATCHES)]
        best, most = 0, 0.0
        for first, (start, _number) in enumerate(places):
            near = [number for place, number in places[first : first + 12] if place < start + SNIPPET - LEAD_IN]
            worth = sum(self.rarity_of[number] for number in set(near))
            if worth > most:
                best, most = start, worth
        return best

    def _marked(self, text: str) -> SafeString:
        """The text, escaped, with the words found in <mark>."""
        parts, done = [], 0
        for start, end, _number in self._matches(text):
            parts += [escape(text[done:start]), f"<mark>{escape(text[start:end])}</mark>"]
            done = end
        return mark_safe("".join([*parts, escape(text[done:])]))
