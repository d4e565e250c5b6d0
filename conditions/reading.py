"""How hard a text is to read: Flesch-Kincaid grade for English, INFLESZ for Spanish. Pure functions.

Syllables are counted as textstat 0.7.4 counts them (hyphenation points of Pyphen,
plus one), so grades compare with that pinned measure. Traps it warns of are met
here: list items end in a stop, abbreviations and decimals do not end a sentence.
"""

import html
import re
from functools import lru_cache

import pyphen

_TAG = re.compile(r"<[^>]+>")
_MARKS = re.compile(r"\[(?:[A-Z][A-Z0-9-]+|(?:figure|packet):[a-z0-9-]+)\]")
_ABBREVIATION = re.compile(r"\b(Dr|Dra|Mr|Mrs|Ms|Sr|Sra|vs|a\.m|p\.m|U\.S|EE|UU)\.")
_VOWELS = re.compile(r"[aeiouáéíóúü]+")
_STRONG = set("aeoáéóíú")


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text.lower())


def sentences_of(text: str) -> list[str]:
    """The sentences of a text that have a word in them."""
    return [part for part in re.split(r"(?<=[.?!])\s+", text) if words_of(part)]


def speakable(body: str) -> str:
    """A rich text as it is read aloud: no tags or citation keys, every block a sentence."""
    body = _MARKS.sub("", body or "")
    body = re.sub(r"</(?:p|li|td|th|tr)>|<br>", ". ", body)
    text = html.unescape(_TAG.sub(" ", body)).replace("’", "'")
    text = _ABBREVIATION.sub(lambda match: match[0].replace(".", ""), text)
    text = re.sub(r"(\d)\.(\d)", r"\1 point \2", text)
    return re.sub(r"\s+", " ", re.sub(r"([.?!:;])\s*\.(?:\s*\.)*", r"\1", text)).strip()


def flesch_kincaid_grade(text: str) -> float:
    """US school grade of an English text; 0 for an empty one."""
    words, sentences = words_of(text), sentences_of(text)
    if not words:
        return 0.0
    syllables = sum(_english_syllables(word) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59


def smog(text: str) -> float:
    """SMOG grade of an English text, from its share of words with three syllables or more; trust it from 30 sentences on."""
    words, sentences = words_of(text), sentences_of(text)
    hard = sum(_english_syllables(word) >= 3 for word in words)
    return 1.043 * (hard * 30 / len(sentences)) ** 0.5 + 3.1291 if sentences else 0.0


def inflesz(text: str) -> float:
    """Ease of a Spanish text, 0 to 100; 55 is normal, 65 fairly easy. 100 for an empty one."""
    words, sentences = words_of(text), sentences_of(text)
    if not words:
        return 100.0
    syllables = sum(_spanish_syllables(word) for word in words)
    return 206.835 - 62.3 * syllables / len(words) - len(words) / len(sentences)


@lru_cache(maxsize=1)
def _dictionary() -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="en_US")


@lru_cache(maxsize=20_000)
def _english_syllables(word: str) -> int:
    return len(_dictionary().positions(word)) + 1


@lru_cache(maxsize=20_000)
def _spanish_syllables(word: str) -> int:
    word = re.sub(r"qu|gu(?=[eiéí])", lambda match: match[0][0], word)
    hiatuses = sum(a in _STRONG and b in _STRONG for group in _VOWELS.findall(word) for a, b in zip(group, group[1:], strict=False))
    return max(1, len(_VOWELS.findall(word)) + hiatuses)
