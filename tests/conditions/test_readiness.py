"""Each readiness rule is silent on the finished osteotomy page and speaks once that page is spoilt."""

import datetime

import pytest
from django.core.management import CommandError, call_command

from conditions import reading
from conditions.models import Figure, Page, Physician, Section, Testimonial
from conditions.readiness import RULES, Site, pages_to_check

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
SLUG = "spinal-osteotomy"


def heard(rule):
    page = pages_to_check().get(slug=SLUG)
    return [str(problem) for problem in RULES[rule](page, Site.now())]


def page(**values):
    return lambda: Page.objects.filter(slug=SLUG).update(**values)


def section(anchor, **values):
    return lambda: Section.objects.filter(page__slug=SLUG, anchor=anchor).update(**values)


def sign():
    """What only people can do, done here so that the rules about it have something to be silent on."""
    Physician.objects.filter(slug="sample-surgeon-a").update(is_sample=False)
    Page.objects.filter(slug=SLUG).update(review_state="reviewed", review_state_es="reviewed", next_review_on="2099-01-01")
    Testimonial.objects.update(is_sample=False, consent_recorded_on="2026-01-01", consent_scope="website")


SPOILT = {
    "has_opening": page(summary_en=" "),
    "has_reviewer": page(review_state="sample"),
    "review_is_current": page(next_review_on=datetime.date(2026, 11, 3)),
    "cites_known_sources": section("what-it-is", body_en="<p>Words. [NOSUCH99]</p>"),
    "shows_red_flags": section("urgent", kind="prose"),
    "tells_risks": section("risks", heading_en="More"),
    "tells_alternatives": section("options", body_en="<p>Therapy.</p>"),
    "is_plain_english": section("what-it-is", body_en="<p>" + "Institutionalised intercontinental considerations " * 400 + "</p>"),
    "avoids_banned_words": section("benefits", body_en="<p>This operation is a cure.</p>"),
    "numbers_are_people": section("benefits", body_en="<p>It helped 40% of them.</p>"),
    "figures_have_alternatives": lambda: Figure.objects.filter(page__slug=SLUG).update(long_description_en=""),
    "links_lead_somewhere": section("options", body_en='<p><a href="/guides/nowhere/">Nowhere</a></p>'),
    "spanish_is_complete": page(status_es="draft"),
    "shows_no_sample_people": lambda: Testimonial.objects.update(is_sample=True),
    "quotes_are_whole": lambda: Testimonial.objects.update(quote_en="Our motto was to"),
}


def test_every_rule_is_tried_here():
    assert set(SPOILT) == set(RULES)


@pytest.mark.parametrize("rule", SPOILT)
def test_a_rule_is_silent_on_a_finished_page_and_speaks_on_a_spoilt_one(rule):
    sign()
    assert heard(rule) == []
    SPOILT[rule]()
    assert heard(rule)


def test_a_changed_english_page_makes_its_spanish_stale():
    sign()
    section("what-it-is", body_en="<p>The English says something new.</p>")()
    assert any("English has changed" in problem for problem in heard("spanish_is_complete"))


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
