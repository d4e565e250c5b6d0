"""The text editor in a real browser, under the real policy."""

import pytest
from playwright.sync_api import expect

from tests.browser.tabs import DESKTOP, PHONE
from tests.browser.test_accessibility import violations

EDITOR = ".ProseMirror[contenteditable=true]"


@pytest.fixture
def page_pk(site_server):
    return lambda slug: site_server.rows("select id from conditions_page where slug = ?", slug)[0][0]


def section_body(site_server, slug, anchor):
    query = (
        "select s.body_en from conditions_section s join conditions_page p on p.id = s.page_id where p.slug = ? and s.anchor = ?"
    )
    return site_server.rows(query, slug, anchor)[0][0]


def bodies(site_server, slug):
    query = "select s.anchor, s.body_en from conditions_section s join conditions_page p on p.id = s.page_id where p.slug = ?"
    return dict(site_server.rows(query, slug))


def section_of(tab, anchor):
    return tab.locator("#sections-group .inline-related").filter(has=tab.locator(f"input[name$=anchor][value={anchor}]"))


def make_draft(tab):
    """Readiness would hold a page on the site to its rules; here only the editor is in question."""
    for state in ("status", "status_es"):
        tab.locator(f"select[name={state}]").select_option("draft")


def test_typing_and_saving_changes_the_text_and_nothing_else(open_tab, sign_in, site_server, page_pk):
    tab, watch = open_tab(DESKTOP)
    sign_in(tab)
    before = bodies(site_server, "kyphosis")
    anchor = next(key for key, body in before.items() if body.endswith("</p>") and ". " not in body.rsplit("<p>", 1)[-1])
    tab.goto(f"/admin/conditions/condition/{page_pk('kyphosis')}/change/")
    make_draft(tab)
    section = section_of(tab, anchor)
    section.locator(EDITOR).first.click()
    tab.keyboard.press("Control+End")
    tab.keyboard.type(" Typed in the editor.")
    assert watch.is_clean()
    tab.locator("input[name=_continue]:visible").first.click()
    expect(tab.locator(".messagelist .success")).to_be_visible()
    after = bodies(site_server, "kyphosis")
    assert after[anchor] == before[anchor].removesuffix("</p>") + " Typed in the editor.</p>"
    assert {key: body for key, body in after.items() if key != anchor} == {
        key: body for key, body in before.items() if key != anchor
    }
    expect(section.locator(EDITOR).first).to_contain_text("Typed in the editor.")
    assert watch.is_clean()


def test_a_new_section_gets_an_editor_and_an_anchor_that_typing_replaces(open_tab, sign_in, site_server, page_pk):
    tab, watch = open_tab(DESKTOP)
    sign_in(tab)
    tab.goto(f"/admin/conditions/condition/{page_pk('scoliosis')}/change/")
    expect(tab.locator(EDITOR).first).to_be_visible()
    tab.get_by_role("button", name="Add another Section").click()
    make_draft(tab)
    section = tab.locator("#sections-group .inline-related:not(.empty-form)").last
    section.locator("input[name$=heading_en]").fill("A new section")
    section.locator("input[name$=position]").fill("99")
    anchor = section.locator("input[name$=anchor]")
    expect(anchor).to_have_value("a-new-section")
    anchor.click()
    tab.keyboard.type("my-")
    anchor.click()
    tab.keyboard.type("place")
    section.locator("input[name$=heading_en]").press_sequentially("!")
    expect(anchor).to_have_value("my-place")
    section.locator(EDITOR).first.click()
    tab.keyboard.type("Its text.")
    tab.locator("input[name=_continue]:visible").first.click()
    expect(tab.locator(".messagelist .success")).to_be_visible()
    assert section_body(site_server, "scoliosis", "my-place") == "<p>Its text.</p>"
    assert watch.is_clean()


def test_the_language_of_a_passage_survives_an_edit(open_tab, sign_in, site_server, page_pk):
    tab, watch = open_tab(DESKTOP)
    sign_in(tab)
    before = bodies(site_server, "language-assistance")
    anchor = next(key for key, body in before.items() if 'dir="rtl"' in body)
    tab.goto(f"/admin/conditions/notice/{page_pk('language-assistance')}/change/")
    section = section_of(tab, anchor)
    section.locator(EDITOR).first.click()
    tab.keyboard.press("Control+End")
    tab.keyboard.type(" Zz")
    tab.locator("input[name=_continue]:visible").first.click()
    expect(tab.locator(".messagelist .success")).to_be_visible()
    assert bodies(site_server, "language-assistance")[anchor].replace(" Zz", "") == before[anchor]
    assert watch.is_clean()


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone-dark", "desktop-light"])
def test_editor_pages_are_open_to_all(open_tab, sign_in, page_pk, size, scheme):
    tab, watch = open_tab(size, scheme=scheme)
    sign_in(tab)
    for path in (
        f"/admin/conditions/procedure/{page_pk('spinal-osteotomy')}/change/",
        "/admin/conditions/guide/add/",
        "/admin/conditions/page/",
        "/admin/conditions/physician/1/change/",
        "/admin/clinic_site/clinic/1/change/",
    ):
        tab.goto(path)
        if path.endswith("change/") and "clinic/1" not in path:
            expect(tab.locator(EDITOR).first).to_be_visible()
        tab.evaluate("for (const part of document.querySelectorAll('main details')) part.open = true")
        assert violations(tab) == [], path
        assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"], path
    assert watch.is_clean()
