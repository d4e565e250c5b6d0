"""Rules about figures: people, one measure, a source beside each."""

import re
from collections import Counter
from collections.abc import Iterator

from django.utils.translation import gettext as _

from conditions.models import CITATION, ENGLISH, SPANISH, Page
from conditions.reading import sentences_of

from .problems import MEDICAL, Problem, Site, blocks, bodies, found, languages_of, passages, rule, spoken, whole_text

_ONE_TO_NINE = {
    ENGLISH: "[1-9]|one|two|three|four|five|six|seven|eight|nine",
    SPANISH: "[1-9]|un[oa]?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve",
}
_TENS = {
    ENGLISH: "ten|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|a hundred",
    SPANISH: "diez|veinte|treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa|cien",
}
# “One in three weeks” and “in 2019” tell when; “7 out of 10 points” is a score.
_TIME = {ENGLISH: "(?:years?|months?|weeks?|days?|hours?|minutes?)", SPANISH: "(?:años?|mes(?:es)?|semanas?|días?|horas?|minutos?)"}
BARE_NUMBER = {
    ENGLISH: re.compile(
        rf"\d+(?:\.\d+)?\s?%|\b(?:\d+|{_ONE_TO_NINE[ENGLISH]}|{_TENS[ENGLISH]}) per ?cent\b"
        rf"|\b(?:{_ONE_TO_NINE[ENGLISH]})[ -]in[ -](?:every )?(?!(?:19|20)\d\d\b)"
        rf"(?:[2-9]|\d{{2,}}|{_ONE_TO_NINE[ENGLISH]}|{_TENS[ENGLISH]})\b(?! {_TIME[ENGLISH]}\b)"
        r"|\b\d{2,3} in (?:every )?1(?:00|,?000)\b"
        rf"|\b(?:\d+|{_ONE_TO_NINE[ENGLISH]}) out of (?:every )?(?!1(?:00|,?000)\b)"
        rf"(?:\d+|{_ONE_TO_NINE[ENGLISH]}|{_TENS[ENGLISH]})\b(?! points\b| on \w+ scale\b)",
        re.I,
    ),
    SPANISH: re.compile(
        rf"\d+(?:[.,]\d+)?\s?%|\b(?:\d+|{_ONE_TO_NINE[SPANISH]}|{_TENS[SPANISH]}) por cien(?:to)?\b"
        rf"|\b(?:\d+|{_ONE_TO_NINE[SPANISH]}) (?:de|por) cada (?!1(?:00|,?000)\b)"
        rf"(?:\d+|{_ONE_TO_NINE[SPANISH]}|{_TENS[SPANISH].removesuffix('|cien')})\b(?! {_TIME[SPANISH]}\b)",
        re.I,
    ),
}
OUT_OF = {
    ENGLISH: re.compile(r"\bout of (100|1,?000)\b(?! points)"),
    SPANISH: re.compile(r"\bde cada (100|1,?000|mil|cien)\b"),
}
RATIO = {
    ENGLISH: re.compile(
        r"\b(?:twice|double|triple|half|(?:two|three|four|five|ten|\d+) times) (?:as|the|more)\b"
        r".*\b(?:likely|often|risk|chance|many)\b",
        re.I,
    ),
    SPANISH: re.compile(
        r"\b(?:el doble|el triple|la mitad|(?:dos|tres|cuatro|cinco|diez|\d+) veces) (?:de|más|del)\b"
        r".*\b(?:probab\w+|riesgos?|posibilidad(?:es)?|veces)\b",
        re.I,
    ),
}
VAGUE = {
    ENGLISH: re.compile(
        r"\b(?:is|are|was|were|it’s|it's) (?:very |quite |\w+ly )?(?:rare|uncommon)\b|\b(?:very|extremely) rare\b|\brarely\b"
        r"|\brare (?:cases?|problems?|complications?|harms?|risks?|side effects?)\b"
        r"|\b(?:small|low|high|tiny|slight|little) (?:risk|chance)s?\b"
        r"|\b(?:risk|chance)(?: of \w+(?: \w+)?)? is (?:very |quite )?(?:small|low|high|tiny|slight)\b",
        re.I,
    ),
    SPANISH: re.compile(
        r"(?<!no )\b(?:es|son|fue|fueron) (?:muy |bastante |\w+mente )?"
        r"(?:rar[oa]s?|poco (?:frecuentes?|común|comunes)|infrecuentes?)\b"
        r"|\brara vez\b|\ben (?:raras ocasiones|(?:raros casos|casos raros))\b"
        r"|\b(?:problemas?|complicaci(?:ón|ones)|daños?) (?:muy )?(?:rar[oa]s?|poco (?:frecuentes?|común|comunes))\b"
        r"|\b(?:riesgo|probabilidad) (?:muy )?(?:pequeñ[oa]|baj[oa]|alt[oa]) de\b|\bpoc[oa] (?:riesgo|probabilidad) de\b"
        r"|\b(?:riesgo|probabilidad)(?: del? \w+(?: \w+)?)? es (?:muy )?(?:pequeñ[oa]|baj[oa]|alt[oa]|mínim[oa])\b",
        re.I,
    ),
}
# Doses, bone scores and measures keep their decimals.
DECIMAL = re.compile(
    r"(?<![\w.,-])-?\d+(?:\.\d+|,\d{1,2}(?![\d,]))"
    r"(?! ?(?:mg|g|ml|mL|cm|mm|inch(?:es)?|pulgadas?|degrees?|grados?|or (?:lower|below)|o menos)\b)"
)
# A summary or heading repeats what the page says and sources below.
NOT_CITING = {f"{name}_{ENGLISH}" for name in (*Page.TEXTS, "heading")}
SCORE = re.compile(r"\bT[- ]?(?:score|puntaje|puntuación)|\bpuntaje T\b|\bpuntuación T\b", re.I)


@rule
def numbers_are_people(page: Page, site: Site) -> Iterator[Problem]:
    """Figures for patients are “24 out of 100 people”, never a percentage or “1 in N”."""
    for match, passage, language in found(BARE_NUMBER, page):
        yield passage.problem(_("Say “%s” as a number of people.") % match[0], language)


@rule
def one_measure_for_all(page: Page, site: Site) -> Iterator[Problem]:
    """All figures of a page are out of 100 people, or all out of 1,000: readers compare them.

    The facts to compare stand beside those of other procedures, so they may have a measure of their own.
    """
    for language in languages_of(page) if page.kind in MEDICAL else ():
        used = Counter(match.replace(",", "") for match in OUT_OF[language].findall(whole_text(page, language)))
        if len(used) > 1:
            message = _("Figures are out of %s. Use one of them on the whole page.") % " / ".join(sorted(used))
            yield Problem(message, language=language)


@rule
def numbers_have_sources(page: Page, site: Site) -> Iterator[Problem]:
    """A section or fact with a figure names its source; a picture with one stands in a section that does."""
    if page.kind not in MEDICAL:
        return
    sourced = " ".join(body for _section, body in bodies(page, ENGLISH) if CITATION.search(body))
    for passage in passages(page, ENGLISH):
        if not OUT_OF[ENGLISH].search(spoken(passage.text)) or passage.field in NOT_CITING:
            continue
        if passage.figure and f"[figure:{passage.figure}]" not in sourced:
            yield passage.problem(_("The section with this picture names no source for its figures."), "")
        elif not passage.figure and not CITATION.search(passage.text):
            message = _("This section has figures and no source.") if passage.section else _("This has figures and no source.")
            yield passage.problem(message, "")


@rule
def ratios_show_their_numbers(page: Page, site: Site) -> Iterator[Problem]:
    """“Twice as likely” stands only beside the two numbers themselves."""
    for language in languages_of(page) if page.kind in MEDICAL else ():
        for passage in passages(page, language):
            for text in [text for _element, text in blocks(passage.text)] or [passage.text]:
                said = spoken(text)
                if (match := RATIO[language].search(said)) and not OUT_OF[language].search(said):
                    yield passage.problem(_("Give both numbers beside “%s”.") % match[0], language)


@rule
def likelihood_has_a_number(page: Page, site: Site) -> Iterator[Problem]:
    """“Rare” or “a small risk” means anything between readers: the number stands in the same sentence."""
    for language in languages_of(page) if page.kind in MEDICAL else ():
        for passage in passages(page, language):
            for sentence in sentences_of(spoken(passage.text)):
                if (match := VAGUE[language].search(sentence)) and not re.search(r"\d", sentence):
                    yield passage.problem(_("Put a number beside “%s”.") % match[0], language)


@rule
def numbers_are_round(page: Page, site: Site) -> Iterator[Problem]:
    """No decimals for patients, but in doses, bone scores and measures."""
    for language in languages_of(page) if page.kind in MEDICAL else ():
        for passage in passages(page, language):
            for sentence in sentences_of(spoken(passage.text)):
                said = "" if SCORE.search(sentence) else re.sub(r"(?<=\d) point (?=\d)", ".", sentence)
                for match in DECIMAL.finditer(said):
                    yield passage.problem(_("Round %s.") % match[0], language)
