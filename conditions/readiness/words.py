"""Rules about words: plain, short, without promises, and with respect for the person."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from conditions import reading
from conditions.models import ENGLISH, SPANISH, Page

from .problems import (
    CARE_BOXES,
    MEDICAL,
    Problem,
    Site,
    blocks,
    bodies,
    found,
    languages_of,
    long_sentences,
    passages,
    rule,
    sentences_in,
    spoken,
)

MAX_GRADE = 8.0
MIN_INFLESZ = 55.0
# SMOG is not to be trusted on less than 30 sentences.
MAX_SMOG, SMOG_SENTENCES = 9.0, 30
MAX_MEAN, LONG_SENTENCE, MAX_LONG_SHARE = 15.0, 20, 0.10
# Spanish says the same in a sixth more words.
SPANISH_MEAN, SPANISH_LONG = 18.0, 25
# Spanish takes two sentences for some that are one in English.
MAX_PARAGRAPH = {ENGLISH: 3, SPANISH: 4}
MAX_LEAD_WORDS = {ENGLISH: 14, SPANISH: 20}


def _any_of(phrases: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(phrases.split(', '))})\b", re.I)


PROMISES = {
    ENGLISH: _any_of(
        "the best, best (?:in|surgeons?|doctors?|care|results?), leading, world.class, top.rated, award.winning, safest, "
        "completely safe, painless (?:surgery|operation|procedure|shot|injection), (?:surgery|operation|procedure|shot|injection) "
        "is painless, permanent (?:cure|relief|fix|solution), (?<!no )(?<!not )(?<!not a )cures?, (?<!not )(?<!not be )"
        "(?<!cannot be )cured, breakthrough, revolutionary, cutting.edge, state.of.the.art, miracle, guarantee[ds]?, "
        "get your life back, no scars?, "
        "scarless, success rate, minimally invasive, risk.free, "
        "(?:has|have|with|carr(?:y|ies)) no risks?, FDA.approved, free consultation, financing, discount, limited time, don.t wait"
    ),
    # Also where the accents were forgotten.
    SPANISH: _any_of(
        r"(?:el|l[ao]s?) mejor(?:es)? (?:cirujan|doctor|m[ée]dic|cl[íi]nic|atenci|result)\w*, l[íi]der(?:es)?, de clase mundial, "
        "de primera clase, (?:el|l[ao]s?) m[áa]s segur[ao]s?, cura definitiva, se cura para siempre, la cura (?:del?|para), "
        "cura (?:el|su) dolor, (?:cirug[íi]a|operaci[óo]n|procedimiento|inyecci[óo]n) (?:es )?(?:indolor[ao]|sin dolor), "
        "revolucionari[ao]s?, de última generación, de vanguardia, tecnología de punta, milagros[ao]s?, milagros?, "
        r"garanti[zc]\w*, garant[íi]as?, recupere su vida, sin cicatri(?:z|ces), tasa de éxito, m[íi]nimamente invasiv[ao]s?, "
        "sin (?:ning[úu]n )?riesgos?, aprobad[ao]s? por la FDA, consultas? (?:gratis|gratuitas?), financiamiento, descuentos?"
    ),
}
NOT_PLAIN = _any_of(
    "utili[sz](?:e[ds]?|ing), facilitat(?:e[ds]?|ing), approximately, sufficient(?:ly)?, ceased?, commenc(?:e[ds]?|ing), "
    "vertebral column(?! resection), osseous, deteriorat(?:e[ds]?|ing|ion), provider, clinicians?, pyrexia, febrile, "
    "adverse events?, morbidity, imaging modalit(?:y|ies), prior to, in order to, ambulat(?:e|ion|ory), presents? with, "
    r"presenting with, etiology, (?<!call this )idiopathic(?! scoliosis), contraindicat\w+, asymptomatic, sequelae"
)
FRIGHTENING = {
    ENGLISH: _any_of(
        "crumbl(?:e[ds]?|ing), bone.on.bone, unstable spine, worn.out (?:disc|joint|spine|back)s?, like "
        "(?:old )?tires, shattered, collapsed spine(?! bone), ticking time ?bomb, paralyzed for life"
    ),
    SPANISH: _any_of(r"se desmorona\w*, hueso con(?:tra)? hueso, columna inestable, desgastad[ao]s? como llantas, bomba de tiempo"),
}
DISRESPECTFUL = {
    ENGLISH: _any_of(
        "hunch.?back(?:ed)?, crippled?, handicapped, failed back, failed patients?, failed (?:conservative )?"
        "(?:therapy|treatment), non-?complian(?:t|ce), sufferers?, suffer(?:s|ed|ing)? from, victims?, afflicted, confined to a, "
        "wheelchair.bound, bed.?ridden, deformed, scoliotics?, the elderly, elderly, complainers?, smokers? (?:should|must), the "
        "disabled, the obese, addicts?, normal people"
    ),
    SPANISH: _any_of(
        "jorobad[ao]s?, lisiad[ao]s?, inv[áa]lid[ao]s?, minusv[áa]lid[ao]s?, paral[íi]tic[ao]s?, v[íi]ctimas?, "
        "sufr(?:en?|ió|ieron) de, ancian[ao]s?, viejit[ao]s?, los viejos, deformes, confinad[ao]s? a, postrad[ao]s?, adict[ao]s?, "
        "discapacitad[ao]s?, los obesos, los fumadores deben"
    ),
}
# How the names of operations, illnesses and tests end, and words that sound as hard.
MEDICAL_WORD = re.compile(
    r"\b\w*(?:ectomy|otomy|ostomy|plasty|odesis|itis|opathy|algia|listhesis|lysis|oscopy|ography|gram|stenosis"
    r"|osteophytes?|radicul\w+|myel\w+|foramin\w+|thrombo\w+|embol\w+|lordo\w+|kypho\w+|scolio\w+|osteopor\w+|neurogenic|claudication|paresthesia)\b",
    re.I,
)
EVERYDAY = {"program", "diagram", "gram", "kilogram", "milligram", "photography", "arthritis", "telegram"}


@rule
def is_plain_to_read(page: Page, site: Site) -> Iterator[Problem]:
    """English for patients reads at grade 8 or below and SMOG 9; Spanish at INFLESZ 55 or above."""
    if page.kind not in MEDICAL:
        return
    text = sentences_in(page, ENGLISH)
    if (grade := reading.flesch_kincaid_grade(text)) > MAX_GRADE:
        yield Problem(_("Reads at grade %(grade).1f; at most %(most).0f.") % {"grade": grade, "most": MAX_GRADE}, language=ENGLISH)
    if len(reading.sentences_of(text)) >= SMOG_SENTENCES and (smog := reading.smog(text)) > MAX_SMOG:
        yield Problem(_("SMOG is %(smog).1f; at most %(most).0f.") % {"smog": smog, "most": MAX_SMOG}, language=ENGLISH)
    text = sentences_in(page, SPANISH) if page.slug_es else ""
    if (ease := reading.inflesz(text)) < MIN_INFLESZ:
        message = _("INFLESZ is %(ease).0f; at least %(least).0f.") % {"ease": ease, "least": MIN_INFLESZ}
        yield Problem(message, language=SPANISH)


@rule
def sentences_are_short(page: Page, site: Site) -> Iterator[Problem]:
    """Sentences have 15 words on average, and hardly one has more than 20."""
    for language in languages_of(page) if page.kind in MEDICAL else ():
        most, long = (MAX_MEAN, LONG_SENTENCE) if language == ENGLISH else (SPANISH_MEAN, SPANISH_LONG)
        lengths = [len(reading.words_of(sentence)) for sentence in reading.sentences_of(sentences_in(page, language))]
        if not lengths:
            continue
        if (mean := sum(lengths) / len(lengths)) > most:
            message = _("Sentences have %(mean).0f words on average; at most %(most).0f.") % {"mean": mean, "most": most}
            yield Problem(message, language=language)
        if (share := sum(length > long for length in lengths) / len(lengths)) > MAX_LONG_SHARE:
            message = _("%(share).0f out of 100 sentences have more than %(long)d words; at most %(most).0f.")
            values = {"share": share * 100, "long": long, "most": MAX_LONG_SHARE * 100}
            yield Problem(message % values, language=language)


@rule
def paragraphs_are_short(page: Page, site: Site) -> Iterator[Problem]:
    """A paragraph has up to three sentences."""
    for language in languages_of(page) if page.kind in MEDICAL else ():
        for section, body in bodies(page, language):
            for element, text in blocks(body):
                count = len(reading.sentences_of(spoken(text)))
                if element == "p" and count > MAX_PARAGRAPH[language]:
                    message = _("A paragraph has %(count)d sentences; at most %(most)d.") % {
                        "count": count,
                        "most": MAX_PARAGRAPH[language],
                    }
                    yield Problem(message, f"body_{language}", section.anchor, language=language)


@rule
def bold_is_for_leads(page: Page, site: Site) -> Iterator[Problem]:
    """Bold marks the start of an item, never whole sentences."""
    for language in languages_of(page) if page.kind in MEDICAL else ():
        for section, body in bodies(page, language):
            for text in re.findall(r"<strong>(.*?)</strong>", body, re.S):
                words = reading.words_of(spoken(text))
                if len(words) > MAX_LEAD_WORDS[language]:
                    message = _("Do not set whole sentences in bold: “%s …”.") % " ".join(words[:5])
                    yield Problem(message, f"body_{language}", section.anchor, language=language)


@rule
def promises_nothing(page: Page, site: Site) -> Iterator[Problem]:
    """No promise, superlative or sales talk."""
    for match, passage, language in found(PROMISES, page):
        yield passage.problem(_("Promise nothing: leave out “%s”.") % match[0], language)


@rule
def uses_plain_words(page: Page, site: Site) -> Iterator[Problem]:
    """The plain word stands where there is one: use, about, doctor, problems."""
    for match, passage, language in found({ENGLISH: NOT_PLAIN}, page):
        yield passage.problem(_("Find a plainer word for “%s”.") % match[0], language)


@rule
def frightens_nobody(page: Page, site: Site) -> Iterator[Problem]:
    """No picture of the body that scares or misleads."""
    for match, passage, language in found(FRIGHTENING, page):
        yield passage.problem(_("“%s” can scare or mislead.") % match[0], language)


@rule
def respects_people(page: Page, site: Site) -> Iterator[Problem]:
    """The person comes first, and no word labels or blames."""
    for match, passage, language in found(DISRESPECTFUL, page):
        yield passage.problem(_("Do not call people “%s”.") % match[0], language)


@rule
def explains_medical_words(page: Page, site: Site) -> Iterator[Problem]:
    """A medical word is in the glossary, in the page's names, in brackets after plain words, or links to its page."""
    if page.kind not in MEDICAL:
        return
    names = [page.title_en, page.name_en, *(page.alternate_names_en or []), *(link.target.name_en for link in page.links_out.all())]
    known = site.glossary | EVERYDAY | {word for name in names for word in reading.words_of(name or "")}
    # What a text explains, its pictures and facts may use.
    for passage in sorted(passages(page, ENGLISH), key=lambda part: not part.section):
        explained = " ".join(re.findall(r"\([^)]*\)|<a\b[^>]*>.*?</a>", passage.text, re.S)) + " ".join(
            re.findall(r"(\w+)[”\"]? \([a-z]", passage.text)
        )
        known |= set(reading.words_of(spoken(explained)))
        for word in dict.fromkeys(match[0].lower() for match in MEDICAL_WORD.finditer(spoken(passage.text))):
            if word not in known:
                yield passage.problem(_("Explain “%s” where it stands, or in the glossary.") % word, ENGLISH)
            known |= {word}


@rule
def words_are_its_own(page: Page, site: Site) -> Iterator[Problem]:
    """No long sentence stands on another page too, but for what to do in need: each page is written for its own reader."""
    for section, body in bodies(page, ENGLISH) if page.kind in MEDICAL else ():
        for text in long_sentences(body) if section.kind not in CARE_BOXES else ():
            if site.owners.get(text, set()) - {page.pk}:
                message = _("Another page has the same sentence: “%s …”.") % " ".join(text.split()[:6])
                yield Problem(message, "body_en", section.anchor, language=ENGLISH)
