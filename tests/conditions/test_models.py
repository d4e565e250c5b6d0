"""What the database itself will not let happen."""

import pytest
from django.db import IntegrityError, transaction

from conditions.models import Condition, Figure, Page, PageLink, Procedure, Testimonial

pytestmark = pytest.mark.django_db


def a_page(**values):
    return Page.objects.create(**{"kind": "guide", "slug": "p", "title_en": "T", "name_en": "N", "summary_en": "S"} | values)


def refused(make, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        make()


def test_a_published_page_has_a_summary():
    refused(lambda: a_page(status="published", summary_en=""), "page_published_has_summary")


def test_a_reviewed_page_names_its_reviewer():
    refused(lambda: a_page(review_state="reviewed"), "page_review_names_reviewer")


def test_a_medical_page_cannot_do_without_a_review_state():
    refused(lambda: a_page(review_state="not_needed"), "page_medical_needs_review")


def test_kinds_and_states_are_only_the_known_ones():
    refused(lambda: a_page(kind="blog"), "page_kind")
    refused(lambda: a_page(status="secret"), "page_status")


def test_every_figure_has_its_alternative_text():
    page = a_page()
    refused(
        lambda: Figure.objects.create(page=page, key="k", title_en="T", alt_en="", caption_en="C"), "figure_has_alternative_text"
    )


def test_a_testimonial_needs_an_authorisation_or_the_sample_flag():
    words = {"key": "k", "quote_en": "Q", "display_name": "A. B.", "descriptor_en": "D"}
    refused(lambda: Testimonial.objects.create(**words), "testimonial_consent_or_sample")
    Testimonial.objects.create(**words, is_sample=True)
    Testimonial.objects.create(**words | {"key": "real"}, consent_recorded_on="2026-01-01", consent_scope="website")


def test_a_testimonial_is_not_shown_once_its_authorisation_is_withdrawn_or_over():
    common = {"quote_en": "Q", "display_name": "A. B.", "descriptor_en": "D", "is_published": True, "consent_scope": "website"}
    Testimonial.objects.create(key="stands", consent_recorded_on="2026-01-01", **common)
    Testimonial.objects.create(key="over", consent_recorded_on="2020-01-01", consent_expires_on="2021-01-01", **common)
    Testimonial.objects.create(key="withdrawn", consent_recorded_on="2026-01-01", consent_withdrawn_on="2026-02-01", **common)
    assert set(Testimonial.objects.shown().filter(is_sample=False).values_list("key", flat=True)) == {"stands"}


def test_links_are_typed_single_and_never_to_the_page_itself():
    one, two = a_page(slug="one"), a_page(slug="two")
    PageLink.objects.create(source=one, target=two, relation="read_next")
    refused(lambda: PageLink.objects.create(source=one, target=two, relation="read_next"), "page_link_once|UNIQUE")
    refused(lambda: PageLink.objects.create(source=one, target=one, relation="read_next"), "page_link_not_to_itself")
    refused(lambda: PageLink.objects.create(source=one, target=two, relation="cures"), "page_link_relation")


def test_each_kind_sees_only_its_own_pages():
    a_page(slug="a-condition", kind="condition")
    made = Procedure.objects.create(slug="a-procedure", title_en="T", name_en="N", summary_en="S")
    assert made.kind == "procedure"
    assert not Condition.objects.filter(slug="a-procedure").exists()
    assert Condition.objects.filter(slug="a-condition").exists()
