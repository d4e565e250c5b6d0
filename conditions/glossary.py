"""Medical words in a page's text: where a word is first used, it leads to its meaning in the glossary."""

import re
from collections.abc import Iterable
from html.parser import HTMLParser

from clinic_site.site_record import kept_with_content

from .models import SPANISH, GlossaryTerm

# More than this and a page of medicine turns into a page of links.
MOST_ON_A_PAGE = 12
# Names of things, links and marks stay as they are.
LEFT_ALONE = {"a", "sup", "th", "strong", "b"}
_BRACKETS = re.compile(r"\s*\(([^)]*)\)")
_EITHER = re.compile(r" (?:or|o|u) ")


def all_terms() -> list[GlossaryTerm]:
    """Every term of the glossary; read again within a second of a change."""
    return kept_with_content("glossary terms", lambda: list(GlossaryTerm.objects.all()))


class GlossaryLinks:
    """Links the glossary's words in the texts of one page, each word once, in the order of reading.

    Words of the page's own name are left out: the whole page explains them.
    """

    def __init__(self, terms: Iterable[GlossaryTerm], language: str, glossary_url: str, page_name: str = "") -> None:
        self.url = glossary_url
        self.slug_of: dict[str, str] = {}
        exact = []
        for term in terms:
            words, abbreviations = written_forms(term.term or "", language)
            if any(_whole(word).search(page_name.lower()) for word in words):
                continue
            exact += abbreviations
            self.slug_of |= {form: term.slug for form in (*words, *abbreviations) if form not in self.slug_of}
        words = sorted(set(self.slug_of) - set(exact), key=len, reverse=True)
        forms = [f"(?i:{'|'.join(map(_spaced, words))})"] if words else []
        forms += [_spaced(form) for form in sorted(exact, key=len, reverse=True)]
        self.pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(forms)})(?![\w-])") if forms else None
        self.linked: set[str] = set()

    def link(self, html: str) -> str:
        """The rich text with words linked that were not linked before; everything else is byte for byte the same."""
        if not self.pattern or len(self.linked) >= MOST_ON_A_PAGE:
            return html
        reader = _Reader(self)
        reader.feed(html)
        reader.close()
        return "".join(reader.parts)

    def in_text(self, text: str) -> str:
        """The same for a run of text between two tags."""
        return self.pattern.sub(self._one, text) if self.pattern else text

    def _one(self, match: re.Match[str]) -> str:
        written = match[0]
        one_line = " ".join(written.split())
        slug = self.slug_of.get(one_line) or self.slug_of[one_line.lower()]
        if slug in self.linked or len(self.linked) >= MOST_ON_A_PAGE:
            return written
        self.linked.add(slug)
        return f'<a class="term" href="{self.url}#{slug}">{written}</a>'


class _Reader(HTMLParser):
    """Hands every run of text to the links and repeats all else as it came."""

    def __init__(self, links: GlossaryLinks) -> None:
        super().__init__(convert_charrefs=False)
        self.links, self.inside = links, 0
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside += tag in LEFT_ALONE
        self.parts.append(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self.inside -= tag in LEFT_ALONE
        self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.parts.append(data if self.inside else self.links.in_text(data))

    def handle_entityref(self, name: str) -> None:
        self.parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.parts.append(f"&#{name};")


def written_forms(term: str, language: str) -> tuple[list[str], list[str]]:
    """How a term is written in a text: in lower case one and many, and its abbreviations, which keep their capitals.

    `Vertebra (plural: vertebrae)`, `Sacroiliac (SI) joint` and `Barra o varilla` give the forms one expects.
    """
    name = _BRACKETS.sub("", term)
    words, abbreviations = [], []
    for match in _BRACKETS.finditer(term):
        if match[1].startswith("plural: "):
            words.append(match[1].removeprefix("plural: ").lower())
        elif match[1].isupper():
            rest = term[match.end() :]
            abbreviations.append(match[1] + rest)
    many = _many_in_spanish if language == SPANISH else _many_in_english
    for one in _EITHER.split(name):
        if one.isupper():
            abbreviations += [one, f"{one}s"]
        else:
            words += [one.lower(), many(one.lower())]
    return words, abbreviations


def _many_in_english(one: str) -> str:
    if one.endswith("is"):
        return f"{one[:-2]}es"
    if re.search(r"[^aeiou]y$", one):
        return f"{one[:-1]}ies"
    return f"{one}es" if re.search(r"(?:s|x|ch|sh)$", one) else f"{one}s"


def _many_in_spanish(one: str) -> str:
    """Noun and adjectives in the plural, up to a preposition: `raíces nerviosas`, `hernias de disco`."""
    head, *rest = re.split(r"( (?:de|en|por|del) )", one, maxsplit=1)
    return " ".join(map(_spanish_word, head.split())) + "".join(rest)


def _spanish_word(word: str) -> str:
    if word.endswith("ión"):
        return f"{word[:-3]}iones"
    if word.endswith("z"):
        return f"{word[:-1]}ces"
    if re.search(r"[aeiouáéíóú]$", word):
        return f"{word}s"
    return word if word.endswith(("s", "x")) else f"{word}es"


def _spaced(form: str) -> str:
    return r"\s+".join(map(re.escape, form.split()))


def _whole(form: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){_spaced(form)}(?![\w-])")
