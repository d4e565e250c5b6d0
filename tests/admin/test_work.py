"""A morning at the front desk, in a real browser: find, open, call, move."""

import re
import uuid

import pytest
from playwright.sync_api import expect

from tests.browser.tabs import DESKTOP, PHONE, WAYS, follow
from tests.browser.test_accessibility import violations
from tests.live import Visitor


@pytest.fixture
def ask(site_server):
    """A person asks for a consultation; gives their name."""

    def act(**answers):
        name = f"Visitor {uuid.uuid4().hex[:8]}"
        visitor = Visitor(site_server)
        status, address, _text = visitor.send(visitor.fill_in(name=name, **answers))
        assert status == 200 and "/received/" in address
        return name

    return act


@pytest.mark.parametrize(("size", "javascript"), WAYS)
def test_a_person_is_found_called_and_moved_on(open_tab, sign_in, ask, site_server, size, javascript):
    name = ask()
    tab, watch = open_tab(size, javascript)
    sign_in(tab)
    tab.goto("/admin/intake/consultationrequest/")
    tab.get_by_label("Find a person").fill(name)
    tab.get_by_role("button", name="Find").click()
    expect(tab.locator(".found")).to_contain_text("1 request found")
    assert name.split()[1] not in tab.url
    tab.locator("#result_list th.field-lead a").click()
    expect(tab.get_by_role("heading", name=name)).to_be_visible()
    tab.get_by_role("button", name="Assign to me").click()
    expect(tab.locator(".messagelist")).to_contain_text("Assigned to")
    tab.get_by_label("Reached", exact=True).check()
    tab.get_by_label("Note").fill("Will come on Monday")
    tab.get_by_role("button", name="Save contact").click()
    expect(tab.locator(".messagelist")).to_contain_text("Contact logged")
    tab.get_by_role("button", name="Scheduled").click()
    expect(tab.locator(".lead-head .chip").first).to_have_text("Scheduled")
    expect(tab.locator("main")).to_contain_text("Will come on Monday")
    assert name not in site_server.log and "Will come" not in site_server.log
    assert watch.is_clean()


def test_a_double_click_logs_one_contact(open_tab, sign_in, ask, site_server):
    name = ask()
    tab, _watch = open_tab()
    sign_in(tab)
    tab.goto("/admin/intake/consultationrequest/")
    follow(tab.locator("#result_list tr").filter(has_text=name).locator("th a"))
    pk = re.search(r"/(\d+)/change/", tab.url)[1]
    tab.get_by_label("No answer").check()
    tab.get_by_role("button", name="Save contact").dblclick()
    expect(tab.locator(".messagelist")).to_contain_text("Contact logged")
    assert site_server.rows("select count(*) from intake_contactattempt where request_id = ?", pk) == [(1,)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_front_desk_pages_are_open_to_all(open_tab, sign_in, ask, size, scheme):
    name = ask()
    tab, watch = open_tab(size, scheme=scheme)
    sign_in(tab)
    tab.goto("/admin/intake/consultationrequest/?view=all")
    assert violations(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"]
    follow(tab.locator("#result_list tr").filter(has_text=name).locator("th a"))
    expect(tab.get_by_role("heading", name=name)).to_be_visible()
    tab.evaluate("for (const part of document.querySelectorAll('main details')) part.open = true")
    assert violations(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert watch.is_clean()
    follow(tab.get_by_role("button", name="Save contact"))
    expect(tab).to_have_title(re.compile("^Error:"))
    assert violations(tab) == []
    tab.goto("/admin/intake/consultationrequest/?found=old")
    assert violations(tab) == []
