"""Find pages by words. Small enough to rank in memory: a clinic's library is a few dozen pages."""

import re
import unicodedata
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from .models import Page
from .rich_text import plain_text

WEIGHTS = {"title": 12, "names": 10, "terms": 8, "summary": 3, "body": 1}
SNIPPET = 180


@dataclass(frozen=True)
class Result:
    """A page that answers a search, and a passage with the words found marked."""

    page: Page
    score: float
    snippet: SafeString


def search(query: str) -> list[Result]:
    """Published pages that hold every word of the query or words that begin with it, best first."""
    words = [_stem(word) for word in fold(query).split()][:8]
    if not words:
        return []
    results = []
    for page in Page.objects.published().prefetch_related("sections"):
        body = " ".join(plain_text(section.body) for section in page.sections.all())
        fields = {
            "title": fold(f"{page.title} {page.name}"),
            "names": fold(" ".join(page.alternate_names or [])),
            "terms": fold(" ".join(page.search_terms or [])),
            "summary": fold(f"{page.summary} {page.card}"),
            "body": fold(body),
        }
        scores = [max((WEIGHTS[name] for name, text in fields.items() if f" {word}" in f" {text}"), default=0) for word in words]
        if all(scores):
            exact = fold(query).strip() in (
                fields["title"],
                *map(fold, page.alternate_names or []),
                *map(fold, page.search_terms or []),
            )
            results.append(Result(page, sum(scores) + 20 * exact, _snippet(f"{page.summary} {body}", words)))
    return sorted(results, key=lambda result: (-result.score, result.page.name))


def fold(text: str) -> str:
    """Lower case, without accents, punctuation as spaces."""
    text = unicodedata.normalize("NFKD", text or "").encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", " ", text)


def _stem(word: str) -> str:
    for ending in ("ies", "ing", "es", "ed", "s", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def _snippet(text: str, words: list[str]) -> SafeString:
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, words)) + r")\w*", re.I)
    match = pattern.search(text)
    start = max(0, match.start() - SNIPPET // 3) if match else 0
    start = text.rfind(" ", 0, start) + 1 if start else 0
    passage = text[start : start + SNIPPET].rsplit(" ", 1)[0]
    marked = pattern.sub(lambda found: f"<mark>{found[0]}</mark>", escape(passage))
    return mark_safe(("… " if start else "") + marked + " …")
