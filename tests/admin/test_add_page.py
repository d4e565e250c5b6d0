"""A newcomer adds a condition in both languages, by the recipe in the README alone."""

import pytest
from playwright.sync_api import expect

from conditions.anatomy import USUAL_SECTIONS, USUAL_TYPES
from conditions.models import Kind, Page
from conditions.readiness.structure import EXPECTED_ANCHORS
from tests.admin.addresses import text_of
from tests.admin.forms import form_values
from tests.admin.test_editor import EDITOR, section_of
from tests.browser.tabs import DESKTOP, PHONE
from tests.browser.test_accessibility import violations

NEW = {"title_en": "A new title", "name_en": "New name", "slug": "new-name"}


@pytest.mark.parametrize("kind", list(Kind))
def test_a_new_page_starts_with_the_usual_sections_of_its_kind_in_both_languages(editor, content, kind):
    address = f"/admin/conditions/{kind}/add/"
    response = editor.post(address, form_values(editor.get(address)) | NEW | {"_save": "Save"}, follow=True)
    page = Page.objects.get(slug="new-name")
    assert response.redirect_chain[-1][0] == f"/admin/conditions/{kind}/{page.pk}/change/"
    usual = USUAL_SECTIONS[kind]
    assert [(s.anchor, s.heading_en, s.heading_es, s.kind) for s in page.sections.all()] == [tuple(section) for section in usual]
    assert (page.kind, page.schema_type) == (kind, USUAL_TYPES[kind])
    assert page.revisions.get().action == "saved"


def test_the_usual_sections_are_left_out_where_nobody_wants_them(editor, content):
    address = "/admin/conditions/guide/add/"
    values = form_values(editor.get(address)) | NEW | {"_save": "Save"}
    del values["usual_sections"]
    editor.post(address, values)
    assert not Page.objects.get(slug="new-name").sections.exists()


def test_usual_sections_have_the_places_and_headings_that_pages_of_the_library_have(content):
    """A link to `#symptoms` works on every condition, old or new."""
    for kind in (Kind.CONDITION, Kind.PROCEDURE, Kind.SYMPTOM):
        known = set()
        for page in Page.objects.of_kind(kind):
            known |= {(s.anchor, s.heading_en, s.heading_es) for s in page.sections.all()}
        ours = {(usual.anchor, usual.heading, usual.heading_es) for usual in USUAL_SECTIONS[kind]}
        assert len(ours - known) <= 1, ours - known


@pytest.mark.parametrize("kind", list(EXPECTED_ANCHORS))
def test_a_page_that_starts_with_the_usual_sections_lacks_none_of_those_that_readers_expect(kind):
    assert set(EXPECTED_ANCHORS[kind]) <= {usual.anchor for usual in USUAL_SECTIONS[kind]}


def test_a_form_with_mistakes_names_each_with_its_place(editor, content):
    address = "/admin/conditions/condition/add/"
    row = {"sections-TOTAL_FORMS": "1", "sections-0-level": "2", "sections-0-kind": "prose", "sections-0-heading_es": "Solo"}
    response = editor.post(address, form_values(editor.get(address)) | row | {"title_en": "A title", "_save": "Save"})
    html, text = response.content.decode(), text_of(response)
    assert "Nothing is saved yet. Everything you typed is still here." in text
    assert '<a href="#id_name_en">Short name (English)</a>: This field is required.' in html
    assert '<a href="#id_sections-0-heading_en">Section 1, Heading (English)</a>: This field is required.' in html
    assert "#id_title_en" not in html


def test_a_condition_is_added_in_both_languages_and_previewed(open_tab, sign_in, site_server):
    tab, watch = open_tab(DESKTOP)
    sign_in(tab)
    tab.goto("/admin/conditions/condition/add/")
    expect(tab.get_by_role("textbox", name="Title (English):")).to_be_focused()
    expect(tab.get_by_role("button", name="Save", exact=True)).to_be_in_viewport()
    for label, words in {
        "Title (English)": "Loose joint of the back: an invented name",
        "Title (Spanish)": "Articulación floja: un nombre inventado",
        "Short name (English)": "Loose joint",
        "Short name (Spanish)": "Articulación floja",
        "Summary (English)": "An invented condition.",
        "Summary (Spanish)": "Una enfermedad inventada.",
    }.items():
        tab.get_by_role("textbox", name=f"{label}:").first.press_sequentially(words)
    tab.locator("input[name=_save]:visible").first.click()
    expect(tab.locator(".messagelist .success")).to_be_visible()
    section = section_of(tab, "what-it-is")
    section.scroll_into_view_if_needed()
    expect(tab.get_by_role("button", name="Save", exact=True)).to_be_in_viewport()
    for number, words in enumerate(["It is not real.", "No es real."]):
        section.locator(EDITOR).nth(number).click()
        tab.keyboard.type(words)
    tab.locator("input[name=_continue]:visible").first.click()
    expect(tab.locator(".messagelist .success")).to_be_visible()
    assert watch.is_clean()
    tab.goto("/conditions/loose-joint/")
    expect(tab.locator("main")).to_contain_text("It is not real.")
    tab.goto("/es/enfermedades/articulacion-floja/")
    expect(tab.locator("main")).to_contain_text("No es real.")
    query = "select slug_es, english_digest <> '' from conditions_page where slug = 'loose-joint'"
    assert [tuple(row) for row in site_server.rows(query)] == [("articulacion-floja", 1)]


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"])
def test_history_pages_are_open_to_all(open_tab, sign_in, site_server, size, scheme):
    pk, slug = site_server.rows("select id, slug from conditions_page where kind = 'condition' order by slug")[0]
    tab, watch = open_tab(size, scheme=scheme)
    sign_in(tab)
    tab.goto(f"/admin/conditions/condition/{pk}/change/")
    tab.get_by_label("Line for cards (English)").fill(f"A line of {size['width']} pixels.")
    tab.locator("input[name=_continue]:visible").first.click()
    expect(tab.locator(".messagelist .success")).to_be_visible()
    (newest,), (oldest,) = (
        site_server.rows(f"select {end}(id) from conditions_pagerevision where page_id = ?", pk)[0] for end in ("max", "min")
    )
    base = f"/admin/conditions/condition/{pk}/history/"
    for path in (base, f"{base}{newest}/", f"{base}{oldest}/?since", f"{base}{oldest}/restore/"):
        tab.goto(path)
        assert violations(tab) == [], path
        assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"], path
    assert watch.is_clean()
