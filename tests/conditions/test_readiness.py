"""Each readiness rule is silent on the finished osteotomy page and speaks once that page is spoilt."""

import datetime

import pytest
from django.core.management import CommandError, call_command

from conditions import reading
from conditions.models import Figure, Packet, Page, PageLink, Physician, ProcedureFacts, Section, Testimonial
from conditions.readiness import HUMAN_RULES, RULES, Site, needs_a_person, pages_to_check, problems_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
SLUG = "spinal-osteotomy"


def problems(slug=SLUG):
    return problems_of(pages_to_check().get(slug=slug), Site.now())


def heard(rule):
    return [str(problem) for problem in problems() if problem.rule == rule]


def page(**values):
    return lambda: Page.objects.filter(slug=SLUG).update(**values)


def section(anchor, **values):
    return lambda: Section.objects.filter(page__slug=SLUG, anchor=anchor).update(**values)


def says(text, anchor="benefits"):
    return section(anchor, body_en=f"<p>{text}</p>")


def says_in_spanish(text, anchor="benefits"):
    return section(anchor, body_es=f"<p>{text}</p>")


def borrowed():
    """The first paragraph of another page: two sentences."""
    body = Section.objects.get(page__slug="kyphosis", anchor="what-it-is").body_en
    return body.split("</p>")[0].removeprefix("<p>")


def figure(**values):
    return lambda: Figure.objects.filter(page__slug=SLUG, position=0).update(**values)


def facts(**values):
    return lambda: ProcedureFacts.objects.filter(page__slug=SLUG).update(**values)


def quote(**values):
    return lambda: Testimonial.objects.update(**values)


def without(anchor):
    return lambda: Section.objects.get(page__slug=SLUG, anchor=anchor).delete()


def sign():
    """What only people can do, done here so that the rules about it have something to be silent on."""
    Physician.objects.filter(slug="sample-surgeon-a").update(is_sample=False)
    today = datetime.date.today()
    signed = {"reviewed_on": today, "next_review_on": today + datetime.timedelta(days=180)}
    Page.objects.filter(slug=SLUG).update(review_state="reviewed", review_state_es="reviewed", **signed)
    Testimonial.objects.update(is_sample=False, consent_recorded_on="2026-01-01", consent_scope="website")


LONG = "This one sentence goes on and on " + "and on " * 20 + "until the end."
SPOILT = {
    # structure
    "has_opening": [page(summary_en=" "), page(title_en="T" * 61), page(description_es="")],
    "has_the_usual_sections": [without("prepare")],
    "shows_red_flags": [section("urgent", kind="prose")],
    "care_boxes_stand_once": [
        section("plan", kind="emergency"),
        section("urgent", body_en='<p>Read <a href="/guides/recovery-from-spine-surgery/">this page about recovery</a>.</p>'),
    ],
    "emergencies_come_first": [section("benefits", kind="today"), section("benefits", kind="appointment")],
    "tells_risks": [section("risks", heading_en="More")],
    "tells_alternatives": [section("options", body_en="<p>Therapy.</p>"), section("options", heading_en="More")],
    "can_be_compared": [facts(stay_en=""), facts(stay_es=""), lambda: ProcedureFacts.objects.all().delete()],
    "headings_are_in_order": [
        section("glance", level=3),
        section("plan", heading_en="Recovery"),
        section("plan", heading_en="Your plan."),
        section("plan", heading_es="Su plan " * 12),
    ],
    "sections_have_text": [section("benefits", body_en="")],
    "fits_its_length": [lambda: Section.objects.filter(page__slug=SLUG).update(body_en="<p>Short.</p>")],
    "lists_are_short": [section("prepare", body_en="<ul>" + "<li>One thing.</li>" * 9 + "</ul>")],
    "figures_have_alternatives": [
        figure(long_description_en=""),
        figure(alt_es=""),
        figure(alt_en="Image of a spine"),
    ],
    "figures_stand_in_the_text": [
        section("techniques", body_en="<p>Words. [TAK18]</p>"),
        says("[figure:posterior-column]"),
        says_in_spanish("[figure:nowhere]"),
    ],
    "links_lead_somewhere": [
        says('<a href="/guides/nowhere/">Nowhere</a>'),
        says('<a href="/guides/recovery-from-spine-surgery/#nowhere">Nowhere</a>'),
        says_in_spanish('<a href="#nowhere">Nada</a>'),
    ],
    "links_say_where_they_go": [
        says('To read more, <a href="/glossary/">click here</a>.'),
        says_in_spanish('<a href="/">Aquí</a>'),
    ],
    "outside_links_are_official": [
        says('<a href="http://www.nih.gov/">National Institutes of Health</a>'),
        says('<a href="https://spine-deals.example.com/">A shop</a>'),
    ],
    "leads_on": [
        lambda: PageLink.objects.filter(source__slug=SLUG, relation="read_next").delete(),
        lambda: Page.objects.filter(slug="first-consultation").update(status="draft"),
    ],
    "cites_known_sources": [
        says("Words. [NOSUCH99]"),
        facts(effect_en="Words. [NOSUCH99]"),
        lambda: Section.objects.filter(page__slug=SLUG).update(body_en="<p>No.</p>"),
    ],
    # words
    "is_plain_to_read": [
        says("Institutionalised intercontinental considerations " * 400),
        says_in_spanish("Consideraciones institucionalizadas intercontinentales " * 400),
        figure(long_description_en="Institutionalised intercontinental considerations " * 400),
    ],
    "sentences_are_short": [says(f"{LONG} " * 40), says_in_spanish(f"{LONG} " * 80), figure(long_description_en=f"{LONG} " * 40)],
    "paragraphs_are_short": [says("One. Two. Three. Four."), says_in_spanish("Uno. Dos. Tres. Cuatro. Cinco.")],
    "bold_is_for_leads": [says("<strong>" + "bold words " * 8 + "</strong>")],
    "promises_nothing": [
        says("This operation is a cure."),
        says_in_spanish("Una cirugía sin riesgos."),
        figure(caption_en="This operation is a cure."),
        facts(effect_es="Sin riesgos."),
        page(card_en="The best care."),
    ],
    "uses_plain_words": [says("We utilize rods."), figure(alt_en="We utilize rods.")],
    "frightens_nobody": [
        says("Your spine is crumbling."),
        says_in_spanish("Tiene una columna inestable."),
        figure(long_description_es="Una columna inestable."),
    ],
    "respects_people": [
        says("Victims of scoliosis."),
        says_in_spanish("Los ancianos."),
        figure(title_en="Victims of scoliosis"),
        section("benefits", heading_es="Los ancianos"),
    ],
    "explains_medical_words": [says("You may need a thoracoscopy first."), figure(caption_en="It follows a thoracoscopy.")],
    "words_are_its_own": [
        lambda: says(borrowed())(),
        lambda: says(f"This part is new. {borrowed().split('. ')[1]}")(),
    ],
    # numbers
    "numbers_are_people": [
        says("It helped 40% of them."),
        facts(main_risks_en="It harmed 4% of them."),
        says("It helped 1 in 10."),
        says_in_spanish("Ayudó a 1 de cada 10 personas."),
        says_in_spanish("Ayudó al 40 por ciento."),
        figure(long_description_en="It helped 40% of them."),
        page(summary_en="It helps 1 in 10."),
    ],
    "one_measure_for_all": [says("It is 4 out of 1,000. [TAK18]"), says_in_spanish("Son 4 de cada 1,000.")],
    "numbers_have_sources": [
        says("About 40 out of 100 felt better."),
        facts(main_risks_en="About 4 out of 100 had one."),
        lambda: (
            section("techniques", body_en="<p>[figure:posterior-column]</p>")(),
            figure(key="posterior-column", caption_en="4 out of 100.")(),
        ),
    ],
    "ratios_show_their_numbers": [
        says("Smokers are twice as likely to need another operation."),
        says_in_spanish("Tienen el doble de riesgo."),
        facts(main_risks_en="Smokers are twice as likely to have one."),
    ],
    "likelihood_has_a_number": [
        says("Infection is rare."),
        says_in_spanish("La infección es muy rara."),
        figure(caption_es="La infección es muy rara."),
    ],
    "numbers_are_round": [says("About 23.4 out of 100 did. [TAK18]"), facts(stay_en="About 3.4 days.")],
    # spanish
    "spanish_is_published": [page(status_es="draft"), page(slug_es="")],
    "spanish_is_complete": [
        section("benefits", body_es=""),
        section("benefits", heading_es=""),
        says_in_spanish("Sin fuentes."),
        figure(caption_es=""),
    ],
    "spanish_is_current": [says("The English says something new.")],
    "spanish_avoids_false_friends": [says_in_spanish("Un dolor severo."), figure(alt_es="Un dolor severo.")],
    "spanish_says_usted": [says_in_spanish("Si tienes fiebre."), facts(stay_es="Puedes irte el mismo día.")],
    "spanish_has_reviewer": [page(review_state_es="unreviewed")],
    # people
    "has_reviewer": [page(review_state="sample"), page(review_state="unreviewed")],
    "review_is_current": [
        page(next_review_on=datetime.date(2026, 11, 3)),
        page(next_review_on=None),
        page(next_review_on=datetime.date.today() + datetime.timedelta(days=300)),
        page(reviewed_on=datetime.date.today() + datetime.timedelta(days=3)),
    ],
    "names_the_board": [
        says("Our surgeons are board certified."),
        lambda: Physician.objects.filter(slug="sample-surgeon-a").update(board=""),
    ],
    "shows_no_sample_people": [quote(is_sample=True)],
    "quotes_are_authorised": [quote(consent_withdrawn_on="2026-02-01"), quote(consent_expires_on="2026-02-01")],
    "quotes_are_whole": [quote(quote_en="Our motto was to"), quote(quote_en="Our motto was to ..."), quote(quote_es="El lema era")],
}
CASES = [(name, number) for name, ways in SPOILT.items() for number in range(len(ways))]


def test_every_rule_is_tried_here():
    assert set(SPOILT) == set(RULES)


@pytest.fixture
def on_the_day_of_its_reviews():
    """The content as it was when its reviews were dated, whatever the date is now."""
    today = datetime.date.today()
    reviewed = Page.objects.exclude(next_review_on=None)
    reviewed.update(reviewed_on=today, next_review_on=today + datetime.timedelta(days=180))


@pytest.mark.usefixtures("on_the_day_of_its_reviews")
def test_only_signatures_are_missing_from_the_pages_that_come_with_the_site():
    site = Site.now()
    found = [problem for each in pages_to_check() for problem in problems_of(each, site)]
    assert {problem.rule for problem in found} == HUMAN_RULES
    assert all(map(needs_a_person, found))


def test_no_rule_speaks_on_a_finished_page():
    sign()
    assert list(map(str, problems())) == []


@pytest.mark.parametrize(("rule", "way"), CASES)
def test_a_rule_speaks_on_a_spoilt_page(rule, way):
    sign()
    SPOILT[rule][way]()
    assert heard(rule)


def test_an_alternative_text_that_no_column_would_take_is_said_while_it_is_typed():
    page = pages_to_check().get(slug=SLUG)
    page.figures.all()[0].alt_en = "a" * 126
    found = [str(problem) for problem in problems_of(page, Site.now())]
    assert any("The alternative text has 126 characters; at most 125." in problem for problem in found)


def test_a_page_with_nothing_in_it_is_told_everything_it_lacks():
    Page.objects.create(kind="condition", slug="new", title_en="New", name_en="New")
    assert {"has_opening", "shows_red_flags", "fits_its_length", "cites_known_sources"} <= {found.rule for found in problems("new")}


def test_a_problem_names_the_place_and_the_language():
    sign()
    says_in_spanish("Un dolor severo.")()
    found = [problem for problem in problems() if problem.rule == "spanish_avoids_false_friends"]
    assert [(problem.section, problem.field, problem.language) for problem in found] == [("benefits", "body_es", "es")]
    assert str(found[0]) == "spanish_avoids_false_friends [es]: “severo” misleads; perhaps: grave. (#benefits)"


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (figure(caption_en="A miracle."), "(#posterior-column caption_en)"),
        (facts(effect_en="A miracle."), "(effect_en)"),
        (page(card_en="A miracle."), "(card_en)"),
        (section("benefits", heading_en="A miracle"), "(#benefits)"),
    ],
)
def test_a_word_is_found_wherever_a_page_says_it_and_the_place_is_named(spoil, place):
    sign()
    spoil()
    assert heard("promises_nothing") == [f"promises_nothing [en]: Promise nothing: leave out “miracle”. {place}"]


def test_a_figure_in_a_section_that_names_its_source_may_show_its_numbers():
    sign()
    figure(caption_en="About 4 out of 100 did.")()
    assert not heard("numbers_have_sources")


def test_every_fault_is_named_not_only_the_first():
    sign()
    says("A cure, and a miracle.")()
    assert len(heard("promises_nothing")) == 2


def test_rules_about_medicine_leave_other_pages_alone():
    Section.objects.filter(page__slug="privacy", position=0).update(
        body_en="<p>We guarantee 100% of it. One. Two. Three. Four.</p>"
    )
    assert {problem.rule for problem in problems("privacy")} == {"spanish_is_current"}


def test_a_page_without_spanish_is_only_told_so_once():
    sign()
    page(slug_es="", status_es="draft")()
    assert [problem.rule for problem in problems() if problem.language == "es"] == ["spanish_is_published"]


def test_a_packet_may_be_longer_than_other_pages():
    assert not [problem for problem in problems("spinal-deformity-packet") if problem.rule == "fits_its_length"]
    Packet.objects.all().delete()
    assert [problem for problem in problems("spinal-deformity-packet") if problem.rule == "fits_its_length"]


def test_checking_a_page_costs_no_query_of_its_own(django_assert_num_queries):
    with django_assert_num_queries(12):
        site = Site.now()
    checked = pages_to_check().get(slug="spinal-deformity-packet")
    with django_assert_num_queries(0):
        problems_of(checked, site)


@pytest.mark.usefixtures("on_the_day_of_its_reviews")
def test_the_command_never_signs_for_people():
    with pytest.raises(CommandError, match="problems"):
        call_command("readiness", SLUG)
    call_command("readiness", SLUG, "--without-signatures")


def test_grades_match_the_pinned_measure():
    # The two figures are what textstat 0.7.4 prints for these texts.
    easy = "The nerves run down your leg. A disc can press on one of them. Most people get better in weeks."
    hard = (
        "Vertebrae sometimes deteriorate gradually because cartilage loses elasticity. "
        "Physiotherapy, medication and injections usually come before operations."
    )
    assert reading.flesch_kincaid_grade(easy) == pytest.approx(0.0, abs=0.06)
    assert reading.flesch_kincaid_grade(hard) == pytest.approx(22.9, abs=0.06)
    assert reading.flesch_kincaid_grade("") == 0
    assert 60 < reading.inflesz("Los nervios bajan por la pierna. Un disco puede apretar uno. La mayoría mejora en semanas.") <= 100


def test_smog_counts_hard_words_by_the_sentence():
    assert reading.smog("The dog ran. " * 30) == pytest.approx(3.1, abs=0.1)
    assert reading.smog("Unnecessary considerations deteriorate. " * 30) > 12
    assert reading.smog("") == 0
