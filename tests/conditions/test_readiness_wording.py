"""What the rules about wording catch and what they let be, in both languages, as people type it."""

import pytest

from conditions.models import Page, Physician
from conditions.readiness import RULES, Site, pages_to_check

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
# Sentences that a rule must catch, and under "" such as no rule may.
ENGLISH = {
    "numbers_are_people": [
        "Four in ten people feel it.",
        "About 9 out of 10 people feel it.",
        "One out of every five people feels it.",
        "It helped five percent of people.",
        "It helped 12 in 100 people.",
        "It helped one in every 20 people.",
    ],
    "likelihood_has_a_number": [
        "A very rare problem is blindness.",
        "In rare cases the eye is hurt.",
        "There is a small risk.",
        "The risk of harm is low.",
    ],
    "promises_nothing": [
        "This operation is painless.",
        "It is a permanent solution.",
        "It is completely safe.",
        "An award-winning team.",
        "It cures pain.",
    ],
    "respects_people": ["A hunch-back.", "She is bed-ridden.", "A handicapped person."],
    "links_lead_somewhere": [
        '<a href="spinal-stenosis/">Spinal stenosis</a>',
        '<a href="">Spinal stenosis</a>',
        '<a href="/es/enfermedades/estenosis-espinal/">Spinal stenosis</a>',
        '<a href="//example.com/">Spinal stenosis</a>',
        '<a href="/physicians/nobody/">A doctor</a>',
        "[packet:nowhere]",
    ],
    "": [
        "See us one in three weeks.",
        "Of all, 2 in 2019 had one.",
        "A score of 7 out of 10 points.",
        "About 24 out of 100 people do.",
        "There is no cure for this, and it cannot be cured.",
        "A virus is rarer in 3 out of 100 people.",
        '<a href="/physicians/sample-surgeon-a/">Sample Surgeon A</a>',
        '<a href="mailto:info@example.org">Write to us</a>',
        '<a href="/consultation/?about=spinal-fusion">Ask for a consultation</a>',
        "[packet:spinal-deformity-packet]",
    ],
}
SPANISH = {
    "numbers_are_people": [
        "Uno de cada cinco lo siente.",
        "Nueve de cada diez personas.",
        "Cuatro de cada 10 personas.",
        "12 de cada 20 personas.",
        "Veinte por ciento de las personas.",
        "El 5 % de las personas.",
    ],
    "likelihood_has_a_number": [
        "Es muy poco común.",
        "Es extremadamente raro.",
        "En raras ocasiones pasa.",
        "El riesgo es bajo.",
        "Una complicación poco frecuente.",
    ],
    "numbers_are_round": ["Baja 3,5 puntos."],
    "ratios_show_their_numbers": ["Tiene dos veces más probabilidad."],
    "promises_nothing": [
        "El mejor cirujano.",
        "Es el más seguro.",
        "Sin ningún riesgo.",
        "Una operación sin dolor.",
        "Con garantías.",
        "Se garantice o no.",
        "Cirugia minimamente invasiva.",
        "Consultas gratuitas.",
        "La cura del dolor.",
    ],
    "respects_people": ["Los discapacitados.", "Un minusvalido.", "Los paralíticos.", "Una victima."],
    "spanish_says_usted": ["Pregunte a tu médico.", "Si te duele.", "Es para ti.", "Vuestra cirugía."],
    "links_say_where_they_go": ['<a href="/glossary/">haga clic aqui</a>', '<a href="/glossary/">Pulse aquí</a>'],
    "links_lead_somewhere": ['<a href="/es/enfermedades/no-existe/">La estenosis</a>', '<a href="otra/">La estenosis</a>'],
    "": [
        "Uno de cada dos días.",
        "Unas 24 de cada 100 personas y 1,000 pasos, con 2,5 mg.",
        "No hay cura. El té ayuda.",
        '<a href="/es/enfermedades/estenosis-espinal/#symptoms">La estenosis</a>',
        '<a href="/conditions/spinal-stenosis/#symptoms">La estenosis</a>',
        '<a href="/physicians/sample-surgeon-a/">Sample Surgeon A</a>',
    ],
}
LANGUAGES = {"en": ENGLISH, "es": SPANISH}
TRIED = {rule for said in LANGUAGES.values() for rule in said if rule}


def caught(language, sentence, page, site):
    """Rules that speak on a sentence where the page says nothing else."""
    section = page.sections.all()[0]
    setattr(section, f"body_{language}", f"<p>{sentence}</p>")
    return {rule for rule in TRIED for problem in RULES[rule](page, site) if problem.section == section.anchor}


@pytest.fixture
def page():
    page = pages_to_check().get(slug="spinal-fusion")
    page._prefetched_objects_cache |= {
        "figures": [],
        "sections": [section for section in page.sections.all() if section.anchor == "benefits"],
    }
    return page


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_must_not_stand_on_a_page_is_caught_as_people_type_it_and_what_is_sound_is_not(language, page):
    site = Site.now()
    found = {said: caught(language, said, page, site) for sayings in LANGUAGES[language].values() for said in sayings}
    expected = {said: {rule} - {""} for rule, sayings in LANGUAGES[language].items() for said in sayings}
    assert found == expected


def test_a_link_to_a_doctor_who_left_or_to_spanish_that_is_a_draft_is_caught(page):
    Physician.objects.filter(slug="sample-surgeon-a").update(is_published=False)
    Page.objects.filter(slug="spinal-stenosis").update(status_es="draft")
    site = Site.now()
    for path in ("/physicians/sample-surgeon-a/", "/es/enfermedades/estenosis-espinal/"):
        assert caught("es", f'<a href="{path}">Lea más de esto</a>', page, site) == {"links_lead_somewhere"}, path
