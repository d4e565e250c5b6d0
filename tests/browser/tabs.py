"""A real Chromium on the real server."""

import re

import pytest
from playwright.sync_api import Locator
from playwright.sync_api import Page as Tab

from tests.live import Visitor
from tests.prerequisites import chromium

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
# A browser's size, and whether it runs scripts; two of the four go on PostgreSQL as well.
WAYS = [
    pytest.param(PHONE, True, id="phone-script", marks=pytest.mark.both),
    pytest.param(DESKTOP, False, id="desktop-no-script", marks=pytest.mark.both),
    pytest.param(PHONE, False, id="phone-no-script"),
    pytest.param(DESKTOP, True, id="desktop-script"),
]
# How much of the page moved by itself, from the start to a second from now.
SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const shift of list.getEntries()) sum += shift.value })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 1000);
})"""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """The system's Chromium where there is one, else the browser tool's own."""
    found = chromium()
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
    return {**browser_type_launch_args, **({"executable_path": found} if found else {}), "args": arguments}


class Watch:
    """What a tab asked for and complained about."""

    def __init__(self, tab: Tab, origin: str) -> None:
        self.foreign: list[str] = []
        self.complaints: list[str] = []
        tab.on("request", lambda request: None if request.url.startswith((origin, "data:")) else self.foreign.append(request.url))
        tab.on("console", lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))

    def is_clean(self) -> bool:
        """Nothing was asked of another origin and nothing went wrong."""
        assert self.foreign == []
        assert self.complaints == []
        return True


@pytest.fixture
def open_tab(new_context, site_server):
    """Opens a tab on the site: `open_tab(PHONE, javascript=False)`; gives the tab and what it was watched doing."""

    def make(size=DESKTOP, javascript=True, scheme="light", server=None):
        origin = (server or site_server).url()
        context = new_context(
            viewport=size, java_script_enabled=javascript, color_scheme=scheme, base_url=origin, reduced_motion="reduce"
        )
        tab = context.new_page()
        return tab, Watch(tab, origin)

    return make


def follow(control: Locator) -> None:
    """Click what leads to another page and wait until that is there as a whole; without it, a test may look at half of it."""
    with control.page.expect_navigation():
        control.click()


@pytest.fixture(scope="session")
def staff_password(site_server):
    """What the first account chose in place of the one-time password that the command prints."""
    printed = site_server.manage("first_account").stdout
    given, chosen = re.search(r"password\s+(\S+)", printed)[1], "a-fine-day-for-a-walk"
    visitor = Visitor(site_server)
    visitor.fill_out("/admin/login/", username="staff", password=given)
    _, address, _ = visitor.fill_out("/admin/password_change/", old_password=given, new_password1=chosen, new_password2=chosen)
    assert address.endswith("/admin/password_change/done/")
    return chosen


@pytest.fixture
def sign_in(site_server, staff_password):
    """Signs a tab in to the staff pages."""

    def act(tab):
        tab.goto("/admin/")
        tab.get_by_label("Username").fill("staff")
        tab.get_by_label("Password").fill(staff_password)
        tab.get_by_role("button", name="Log in").click()
        tab.wait_for_url("**/admin/")

    return act
