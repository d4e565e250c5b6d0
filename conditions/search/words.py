"""Words as the search compares them: folded, stemmed, and near enough. Pure functions, English and Spanish."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
SHORTEST_STEM = 3

# Words that say nothing about what a page is about.
_STOP_WORDS = {
    "en": """a about am an and any are as at be because been but by can cannot cant could did do does doesnt dont for from get gets
        had has have how i if im in into is isnt it its ive me my of on or our she should so some than that the their them there
        they this to too was we were what when where which who why will with would you your""",
    "es": """a al algo ante como con cual cuando de del desde donde dos e el ella en era es esa ese eso esta este esto estoy fue ha
        han hay la las le les lo los mas me mi mis muy no nos o para pero por porque puedo que quien se sea ser si sin sobre son
        soy su sus te tengo tiene tu u un una uno unos y ya yo""",
}
STOP_WORDS = {language: frozenset(words.split()) for language, words in _STOP_WORDS.items()}
_ENGLISH_SPELLING = re.compile(r"\bdisk")
_SPANISH_ENDINGS = (
    "amiento",
    "imiento",
    "aciones",
    "acion",
    "icion",
    "iendo",
    "ando",
    "al",
    "ada",
    "ado",
    "ida",
    "ido",
    "ar",
    "er",
    "ir",
)
_SOUNDS = (
    (re.compile(r"ph"), "f"),
    (re.compile(r"sc(?=[eiy])|c(?=[eiy])|z"), "s"),
    (re.compile(r"qu(?=[ei])|c"), "k"),
    (re.compile(r"h"), ""),
    (re.compile(r"v"), "b"),
    (re.compile(r"y"), "i"),
    (re.compile(r"(.)\1+"), r"\1"),
)


def fold(text: str) -> str:
    """Lower case without accents or apostrophes, everything else that is no letter or digit as one space."""
    plain = unicodedata.normalize("NFKD", text or "").encode("ascii", "ignore").decode().lower()
    return " ".join(re.sub(r"[^a-z0-9]+", " ", plain.replace("'", "")).split())


@lru_cache(maxsize=50_000)
def fold_word(word: str) -> str:
    """One word, folded to letters and digits alone."""
    return fold(word.replace("’", "")).replace(" ", "")


def without_stop_words(words: Iterable[str], language: str) -> list[str]:
    """The words that carry meaning; all of them where none does."""
    words = list(words)
    return [word for word in words if word not in STOP_WORDS[language]] or words


@lru_cache(maxsize=50_000)
def stem(word: str, language: str) -> str:
    """What a folded word shares with its other forms: deformity and deformities, vértebra and vértebras."""
    if len(word) <= SHORTEST_STEM or not word.isalpha():
        return word
    return _spanish_stem(word) if language == "es" else _english_stem(word)


def _english_stem(word: str) -> str:
    word = _ENGLISH_SPELLING.sub("disc", word)
    word = _english_singular(word)
    for ending, rest in (("ness", 3), ("ly", 4), ("ing", 3), ("ed", 3)):
        kept = word.removesuffix(ending)
        if kept == word or len(kept) < rest or word.endswith("eed") or not re.search(r"[aeiouy]", kept):
            continue
        if ending in ("ing", "ed") and re.search(r"([bdgmnprt])\1$", kept):
            kept = kept[:-1]
        word = kept
        break
    else:
        if re.search(r"..[st]ion$", word):
            word = word[:-3]
        elif re.search(r"ator$|....al$", word):
            word = word[:-2]
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def _english_singular(word: str) -> str:
    if word.endswith("brae"):
        return word[:-1]
    if len(word) >= 8 and word.endswith("oses"):
        return word[:-2] + "is"
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if re.search(r"(?:x|z|ch|sh|ss)es$", word):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _spanish_stem(word: str) -> str:
    word = re.sub(r"(?<=[aei]r)(?:me|te|se|lo|la|los|las|le|les|nos)$", "", word)
    if len(word) > 5 and word.endswith("mente"):
        word = word[:-5]
    if len(word) > 4:
        word = re.sub(r"ces$", "z", word)
        word = re.sub(r"(?<=[lrndzj])es$|(?<=[aeiou])s$", "", word)
    for ending in _SPANISH_ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending)
    word = re.sub(r"(?<=...[ae])n$", "", word)
    return word[:-1] if len(word) > SHORTEST_STEM + 1 and word[-1] in "aeo" else word


@lru_cache(maxsize=50_000)
def sound(word: str) -> str:
    """A folded word as it is heard, so that kifosis is near kyphosis and bertebra near vértebra."""
    for pattern, letter in _SOUNDS:
        word = pattern.sub(letter, word)
    return word


def letters(word: str) -> int:
    """The set of letters of a word as bits, to tell words apart that are far from each other at almost no cost."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) & 31)
    return bits


def distance(one: str, other: str, most: int) -> int:
    """Letters to insert, drop, change or swap with a neighbour to turn one word into the other; `most + 1` where more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
