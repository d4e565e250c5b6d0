"""What editors can rely on: lists that say what is due, previews of drafts, and words that come back as they were typed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic_site.models import Clinic
from conditions.models import GlossaryTerm, Page, Physician, Reference, SearchMiss, Section, Status
from conditions.rich_text import clean
from tests.admin.addresses import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]


@pytest.fixture
def kyphosis():
    return Page.objects.get(slug="kyphosis")


@pytest.fixture
def draft(kyphosis):
    Page.objects.filter(pk=kyphosis.pk).update(status=Status.DRAFT)
    return kyphosis


@pytest.mark.parametrize(
    "kind",
    ["page", "procedure", "condition", "symptom", "guide", "notice", "physician", "testimonial", "glossaryterm", "reference"],
)
def test_each_list_and_each_form_opens(editor, kind):
    assert editor.get(f"/admin/conditions/{kind}/", {"q": "a"}).status_code == 200
    assert editor.get(f"/admin/conditions/{kind}/add/").status_code == 200


def test_lists_and_forms_are_headed_by_what_they_hold(editor, kyphosis):
    listed = editor.get("/admin/conditions/condition/").content.decode()
    assert "<h1>Conditions</h1>" in listed and "Select condition" not in listed
    form = editor.get(f"/admin/conditions/condition/{kyphosis.pk}/change/").content.decode()
    assert f"<h1>{kyphosis.title}</h1>" in form and form.count(f">{kyphosis.title}</h") == 1


def test_staff_find_requests_first_and_pages_in_the_order_of_use(admin_client):
    start = text_of(admin_client.get("/admin/"))
    asked = ["Everything you can look after", "Consultation requests", "Procedures", "Conditions", "Physicians", "Users"]
    places = [start.index(words) for words in asked]
    assert places == sorted(places)


def test_a_source_typed_without_a_scheme_is_linked_encrypted(editor):
    source = {"key": "NEW26", "title": "A study", "url": "example.org/study", "checked_on": "2026-11-24"}
    assert editor.post("/admin/conditions/reference/add/", source).status_code == 302
    assert Reference.objects.get(key="NEW26").url == "https://example.org/study"


def test_a_published_page_links_to_the_site_and_a_draft_to_its_preview(editor, kyphosis):
    form = editor.get(f"/admin/conditions/condition/{kyphosis.pk}/change/")
    assert f'href="{kyphosis.get_absolute_url()}" class="viewsitelink">View on site' in form.content.decode()
    Page.objects.filter(pk=kyphosis.pk).update(status=Status.DRAFT)
    form = editor.get(f"/admin/conditions/condition/{kyphosis.pk}/change/")
    assert f'href="{kyphosis.get_absolute_url()}" class="viewsitelink">Preview draft' in form.content.decode()


def test_a_draft_is_previewed_by_editors_alone(editor, desk, client, draft):
    preview = editor.get(draft.get_absolute_url())
    assert preview.status_code == 200
    assert preview["Cache-Control"] == "no-store"
    assert preview["X-Robots-Tag"] == "noindex"
    assert desk.get(draft.get_absolute_url()).status_code == 404
    assert client.get(draft.get_absolute_url()).status_code == 404


def test_the_list_says_which_reviews_are_late(editor, kyphosis):
    Page.objects.update(next_review_on=timezone.localdate() + timedelta(days=90))
    Page.objects.filter(pk=kyphosis.pk).update(next_review_on=timezone.localdate() - timedelta(days=1))
    text = text_of(editor.get("/admin/conditions/page/", {"review": "overdue"}))
    assert "Overdue since" in text
    assert "1 page" in text
    # Readers of Spanish alone rely on its review too.
    Page.objects.filter(pk=kyphosis.pk).update(status="draft")
    assert text_of(editor.get("/admin/conditions/page/", {"review": "overdue"})).count("Overdue since") == 1


def test_an_unpublished_physician_has_no_link_to_the_site(editor):
    physician = Physician.objects.first()
    Physician.objects.filter(pk=physician.pk).update(is_published=False)
    assert "viewsitelink" not in editor.get(f"/admin/conditions/physician/{physician.pk}/change/").content.decode()


def test_filters_are_closed_until_one_is_chosen(editor):
    assert '<details data-filter-title="state">' in editor.get("/admin/conditions/page/").content.decode()
    assert (
        '<details data-filter-title="state" open>'
        in editor.get("/admin/conditions/page/", {"status__exact": "draft"}).content.decode()
    )


def test_the_search_box_is_labelled_in_words(editor):
    assert '<label for="searchbar">Search</label>' in editor.get("/admin/conditions/page/").content.decode()


def test_what_the_editor_wraps_around_items_and_cells_is_taken_off():
    items = "<ul><li><p><strong>Lead</strong> rest</p></li><li><p>One</p><p>Two</p></li></ul>"
    row = '<tr><th colspan="1" rowspan="1" scope="row"><p>Type</p></th><td colspan="2" rowspan="1"><p>Cut</p></td></tr>'
    body = clean(f"{items}<table><tbody>{row}</tbody></table>")
    assert "<li><strong>Lead</strong> rest</li>" in body
    assert "<p>One</p>" in body and "<p>Two</p>" in body
    assert '<th scope="row">Type</th><td colspan="2">Cut</td>' in body
    assert clean(body) == body


def test_content_of_the_pack_is_as_the_editor_leaves_it():
    for body in Section.objects.values_list("body_en", flat=True):
        assert clean(body or "") == (body or "")


def test_a_deletion_that_the_public_is_not_told_of_is_none(boss, monkeypatch):
    terms = list(GlossaryTerm.objects.values_list("pk", flat=True)[:2])
    monkeypatch.setattr(Clinic, "bump_content_revision", lambda: 1 / 0)
    data = {"action": "delete_selected", "_selected_action": terms, "post": "yes"}
    with pytest.raises(ZeroDivisionError):
        boss.post("/admin/conditions/glossaryterm/", data)
    assert GlossaryTerm.objects.filter(pk__in=terms).count() == 2


def test_links_and_searches_in_vain_are_listed_in_words(editor, kyphosis):
    form = text_of(editor.get(f"/admin/conditions/condition/{kyphosis.pk}/change/"))
    assert "Kyphosis, causes symptom: Mid-back pain" in form
    SearchMiss.objects.create(query="zzqx", language="es", first_on=timezone.localdate(), last_on=timezone.localdate())
    assert "zzqx Spanish 1" in " ".join(text_of(editor.get("/admin/conditions/searchmiss/")).split())
