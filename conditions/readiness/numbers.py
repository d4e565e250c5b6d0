"""Rules about figures: people, one measure, a source beside each."""

import re
from collections import Counter
from collections.abc import Iterator

from django.utils.translation import gettext as _

from conditions.addresses import ENGLISH
from conditions.models import CITATION, SPANISH, Page
from conditions.reading import sentences_of

from .problems import MEDICAL, Problem, Site, blocks, bodies, found, languages_of, passages, rule, spoken, whole_text

BARE_NUMBER = {
    ENGLISH: re.compile(
        r"\d+(?:\.\d+)?\s?%|\b\d+ per ?cent\b"
        r"|\b(?:[1-9]|one|two|three) in (?:[2-9]|\d{2,}|two|three|four|five|ten)\b"
        r"(?! (?:years?|months?|weeks?|days?|hours?|minutes?)\b)",
        re.I,
    ),
    SPANISH: re.compile(
        r"\d+(?:\.\d+)?\s?%|\b\d+ por ciento\b"
        r"|\b(?:[1-9]|una?|dos|tres) de cada (?!100\b|1,?000\b)(?:\d+|dos|tres|cuatro|cinco|diez)\b",
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
        r".*\b(?:probable|riesgo|veces)\b",
        re.I,
    ),
}
VAGUE = {
    ENGLISH: re.compile(
        r"\b(?:is|are|was|were|it’s|it's) (?:very |quite )?(?:rare|uncommon)\b|\brarely\b"
        r"|\b(?:small|low|high|tiny|slight|little) (?:risk|chance) of\b",
        re.I,
    ),
    SPANISH: re.compile(
        r"(?<!no )\b(?:es|son) (?:muy |bastante )?(?:rar[oa]s?|poco frecuentes?)\b|\brara vez\b"
        r"|\b(?:riesgo|probabilidad) (?:pequeñ[oa]|baj[oa]|alt[oa]) de\b",
        re.I,
    ),
}
# Doses, bone scores and measures keep their decimals.
DECIMAL = re.compile(
    r"(?<![\w.-])-?\d+\.\d+(?! ?(?:mg|g|ml|mL|cm|mm|inch(?:es)?|pulgadas?|degrees?|grados?|or (?:lower|below)|o menos)\b)"
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
