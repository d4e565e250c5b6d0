"""Rules about a page's Spanish: complete, current, true to the English, and read by a native reviewer."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from conditions.content_pack.spanish import is_behind_english
from conditions.models import CITATION, SPANISH, Page, ReviewState, Status

from .problems import MEDICAL, Problem, Site, found, rule

FIGURE_WORDS = ("title", "caption")
# English words in Spanish clothes, each with what is meant.
FALSE_FRIENDS = {
    r"constipad[ao]s?": "estreñido",
    r"sever[ao]s?": "grave",
    r"injurias?": "lesión",
    # Street drugs are “drogas”.
    r"(?<!otras )(?<!de )(?<!inyecta )drogas?": "medicamento",
    r"espinas?": "columna",
    r"intoxicad[ao]s?": "borracho / envenenado",
    r"actualmente": "ahora / en realidad",
    r"eventualmente": "con el tiempo",
}
FALSE_FRIEND = re.compile(rf"\b(?:{'|'.join(FALSE_FRIENDS)})\b", re.I)
# The page says “usted”. Only forms that can be nothing else.
FAMILIAR = re.compile(
    r"\b(?:tú|tus?|tuy[ao]s?|te|ti|contigo|vosotr[ao]s|vuestr[ao]s?|puedes|podrás|tienes|tendrás|debes|quieres|sientes|eres|estás|haces|llámanos|pregúntanos)\b",
    re.I,
)


@rule
def spanish_is_published(page: Page, site: Site) -> Iterator[Problem]:
    """Every page can be read in Spanish too."""
    if not page.slug_es:
        yield Problem(_("The Spanish has no address yet."), "slug_es", language=SPANISH)
    elif page.status_es != Status.PUBLISHED:
        yield Problem(_("There is no published Spanish text."), "status_es", language=SPANISH)


@rule
def spanish_is_complete(page: Page, site: Site) -> Iterator[Problem]:
    """Every section and figure is translated, and cites what the English cites."""
    if not page.slug_es:
        return
    if page.stage_en and not page.stage_es:
        yield Problem(_("The stage is not translated."), "stage_es", language=SPANISH)
    for section in page.sections.all():
        if not section.heading_es:
            yield Problem(_("The heading is not translated."), "heading_es", section.anchor, language=SPANISH)
        if section.body_en and not section.body_es:
            yield Problem(_("This section is not translated."), "body_es", section.anchor, language=SPANISH)
        elif set(CITATION.findall(section.body_en or "")) != set(CITATION.findall(section.body_es or "")):
            message = _("The Spanish of this section cites other sources than the English.")
            yield Problem(message, "body_es", section.anchor, language=SPANISH)
    for figure in page.figures.all():
        for name in FIGURE_WORDS:
            if not getattr(figure, f"{name}_es"):
                yield Problem(_("The words of this figure are not translated."), f"{name}_es", figure=figure.key, language=SPANISH)


@rule
def spanish_is_current(page: Page, site: Site) -> Iterator[Problem]:
    """The Spanish was made from today's English."""
    if page.slug_es and is_behind_english(page):
        yield Problem(_("The English has changed since the Spanish was made."), "spanish_matches", language=SPANISH)


@rule
def spanish_avoids_false_friends(page: Page, site: Site) -> Iterator[Problem]:
    """No word that means something else in Spanish than it looks like."""
    for match, passage, language in found({SPANISH: FALSE_FRIEND}, page):
        meant = next(word for pattern, word in FALSE_FRIENDS.items() if re.fullmatch(pattern, match[0], re.I))
        yield passage.problem(_("“%(word)s” misleads; perhaps: %(meant)s.") % {"word": match[0], "meant": meant}, language)


@rule
def spanish_says_usted(page: Page, site: Site) -> Iterator[Problem]:
    """The reader is “usted” throughout."""
    for match, passage, language in found({SPANISH: FAMILIAR}, page):
        yield passage.problem(_("Say “usted” instead of “%s”.") % match[0], language)


@rule
def spanish_has_reviewer(page: Page, site: Site) -> Iterator[Problem]:
    """A Spanish text about medicine was signed by a native medical reviewer."""
    if page.slug_es and page.kind in MEDICAL and page.review_state_es != ReviewState.REVIEWED:
        yield Problem(_("The Spanish awaits a native medical reviewer."), "review_state_es", language=SPANISH)
