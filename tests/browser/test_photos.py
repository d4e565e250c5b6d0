"""From a file on an editor's disk to a portrait on the page, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.tabs import DESKTOP, PHONE, SHIFTS, follow
from tests.browser.test_accessibility import violations
from tests.pictures import HTML, encoded


def sent(name, data):
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


@pytest.fixture
def with_portrait(open_tab, sign_in):
    """An editor uploads a photo, by way of a file that is none, and makes it the portrait of the first doctor."""
    tab, watch = open_tab(DESKTOP)
    sign_in(tab)
    tab.goto("/admin/conditions/photo/")
    if tab.get_by_role("link", name="surgeon-a").count():
        return tab
    tab.goto("/admin/conditions/photo/add/")
    tab.locator("[name=alt_en]").fill("Sample Surgeon A, smiling.")
    tab.locator("[name=key]").fill("surgeon-a")
    tab.locator("input[type=file]").set_input_files(sent("me.jpg", HTML))
    tab.locator("input[name=_continue]:visible").first.click()
    expect(tab.locator(".field-picture .errorlist")).to_contain_text("no picture we can take")
    tab.locator("input[type=file]").set_input_files(sent("me.jpg", encoded(size=(1600, 1200))))
    follow(tab.locator("input[name=_continue]:visible").first)
    tab.locator("[data-focal-point] svg").first.click(position={"x": 30, "y": 40})
    assert 0 < int(tab.locator("[name=focal_x]").input_value()) < 30
    assert violations(tab) == []
    tab.locator("input[name=_continue]:visible").first.click()
    expect(tab.locator(".messagelist .success")).to_be_visible()
    tab.goto("/admin/conditions/physician/")
    follow(tab.get_by_role("link", name="Sample Surgeon A"))
    tab.locator("[name=portrait]").select_option(label="surgeon-a")
    tab.locator("input[name=_save]:visible").first.click()
    expect(tab.locator(".messagelist .success")).to_be_visible()
    assert watch.is_clean()
    return tab


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("javascript", [True, False])
def test_a_portrait_shows_and_moves_nothing_on_the_page(with_portrait, open_tab, size, javascript):
    tab, watch = open_tab(size, javascript=javascript)
    tab.goto("/physicians/sample-surgeon-a/", wait_until="load")
    portrait = tab.get_by_role("img", name="Sample Surgeon A, smiling.")
    expect(portrait).to_be_visible()
    assert portrait.evaluate("(img) => [img.complete, img.currentSrc.slice(-6), img.naturalWidth > 0]") == [True, "w.avif", True]
    # Timers stand still without scripts, and so would the measuring.
    if javascript:
        assert tab.evaluate(SHIFTS) == 0
        assert violations(tab) == []
    assert watch.is_clean()
