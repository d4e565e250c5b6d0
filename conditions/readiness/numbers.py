"""Rules about figures: people, one measure, a source beside each."""

import re
from collections import Counter
from collections.abc import Iterator

from django.utils.translation import gettext as _

from conditions.addresses import ENGLISH
from conditions.models import CITATION, SPANISH, Page
from conditions.reading import sentences_of

from .problems import MEDICAL, Problem, Site, blocks, bodies, facts_of, languages_of, rule, spoken, whole_text

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
SCORE = re.compile(r"\bT[- ]?(?:score|puntaje|puntuación)|\bpuntaje T\b|\bpuntuación T\b", re.I)


@rule
def numbers_are_people(page: Page, site: Site) -> Iterator[Problem]:
    """Figures for patients are “24 out of 100 people”, never a percentage or “1 in N”."""
    for language in languages_of(page) if page.kind in MEDICAL else ():
        for section, body in bodies(page, language):
            for match in BARE_NUMBER[language].finditer(spoken(body)):
                message = _("Say “%s” as a number of people.") % match[0]
                yield Problem(message, f"body_{language}", section.anchor, language=language)
        for field, text in facts_of(page, language):
            for match in BARE_NUMBER[language].finditer(spoken(text)):
                yield Problem(_("Say “%s” as a number of people.") % match[0], field, language=language)


@rule
def one_measure_for_all(page: Page, site: Site) -> Iterator[Problem]:
    """All figures of a page are out of 100 people, or all out of 1,000: readers compare them."""
    for language in languages_of(page) if page.kind in MEDICAL else ():
        used = Counter(match.replace(",", "") for match in OUT_OF[language].findall(whole_text(page, language)))
        if len(used) > 1:
            message = _("Figures are out of %s. Use one of them on the whole page.") % " / ".join(sorted(used))
            yield Problem(message, language=language)


@rule
def numbers_have_sources(page: Page, site: Site) -> Iterator[Problem]:
    """The paragraph with a figure, or one beside it in the same section, names its source."""
    for section, body in bodies(page, ENGLISH) if page.kind in MEDICAL else ():
        if OUT_OF[ENGLISH].search(spoken(body)) and not CITATION.search(body):
            yield Problem(_("This section has figures and no source."), "body_en", section.anchor)


@rule
def ratios_show_their_numbers(page: Page, site: Site) -> Iterator[Problem]:
    """“Twice as likely” stands only beside the two numbers themselves."""
    for language in languages_of(page) if page.kind in MEDICAL else ():
        for section, body in bodies(page, language):
            for _element, text in blocks(body):
                said = spoken(text)
                if (match := RATIO[language].search(said)) and not OUT_OF[language].search(said):
                    message = _("Give both numbers beside “%s”.") % match[0]
                    yield Problem(message, f"body_{language}", section.anchor, language=language)


@rule
def likelihood_has_a_number(page: Page, site: Site) -> Iterator[Problem]:
    """“Rare” or “a small risk” means anything between readers: the number stands in the same sentence."""
    for language in languages_of(page) if page.kind in MEDICAL else ():
        for section, body in bodies(page, language):
            for sentence in sentences_of(spoken(body)):
                if (match := VAGUE[language].search(sentence)) and not re.search(r"\d", sentence):
                    message = _("Put a number beside “%s”.") % match[0]
                    yield Problem(message, f"body_{language}", section.anchor, language=language)


@rule
def numbers_are_round(page: Page, site: Site) -> Iterator[Problem]:
    """No decimals for patients, but in doses, bone scores and measures."""
    for language in languages_of(page) if page.kind in MEDICAL else ():
        for section, body in bodies(page, language):
            for sentence in sentences_of(spoken(body)):
                said = "" if SCORE.search(sentence) else re.sub(r"(?<=\d) point (?=\d)", ".", sentence)
                for match in DECIMAL.finditer(said):
                    yield Problem(_("Round %s.") % match[0], f"body_{language}", section.anchor, language=language)
