"""The list of needs in a real browser: it follows what is typed, leads to the place, and does without JavaScript."""

import re

import pytest
from playwright.sync_api import expect

from tests.admin.test_editor import EDITOR, section_of
from tests.browser.tabs import DESKTOP, PHONE
from tests.browser.test_accessibility import violations

CURE = "A miracle for everyone."


@pytest.fixture
def form_of(site_server):
    def address(slug, kind="condition"):
        pk = site_server.rows("select id from conditions_page where slug = ?", slug)[0][0]
        return f"/admin/conditions/{kind}/{pk}/change/"

    return address


def test_the_list_follows_what_is_typed_and_nothing_is_saved(open_tab, sign_in, site_server, form_of):
    tab, watch = open_tab(DESKTOP)
    sign_in(tab)
    tab.goto(form_of("scoliosis"))
    needs = tab.locator("[data-readiness]")
    before = needs.get_by_role("status").inner_text()
    section_of(tab, "what-it-is").locator(EDITOR).first.click()
    tab.keyboard.press("Control+End")
    tab.keyboard.type(f" {CURE}")
    found = needs.get_by_role("link", name="leave out “miracle”")
    expect(found).to_be_visible(timeout=15_000)
    expect(needs.get_by_role("status")).not_to_have_text(before)
    assert not site_server.rows("select 1 from conditions_section where body_en like ?", f"%{CURE}%")
    found.click()
    expect(tab).to_have_url(re.compile(r"#sections-\d+$"))
    expect(section_of(tab, "what-it-is")).to_be_in_viewport()
    for _letter in CURE + " ":
        tab.keyboard.press("Control+z")
    assert violations(tab) == []
    assert watch.is_clean()


def test_a_link_opens_what_is_folded_away_and_goes_to_the_field(open_tab, sign_in, form_of):
    tab, watch = open_tab(PHONE)
    sign_in(tab)
    tab.goto(form_of("scoliosis"))
    tab.get_by_role("link", name="A real physician must sign").click()
    expect(tab.locator("#id_review_state")).to_be_focused()
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert watch.is_clean()


def test_without_javascript_the_list_is_there_and_its_links_work(open_tab, sign_in, form_of):
    tab, watch = open_tab(DESKTOP, javascript=False)
    sign_in(tab)
    tab.goto(form_of("scoliosis"))
    tab.get_by_role("link", name="A real physician must sign").click()
    expect(tab.locator("#id_review_state")).to_be_in_viewport()
    assert watch.is_clean()
