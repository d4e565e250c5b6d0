"""The sample knee clinic in a real browser: open to all, in its own colours and letters."""

import pytest

from .tabs import DESKTOP, PHONE
from .test_accessibility import violations

PATHS = [
    "/",
    "/es/",
    "/symptoms/?region=front",
    "/symptoms/knee-pain/",
    "/conditions/knee-osteoarthritis/",
    "/procedures/knee-replacement/",
    "/es/procedimientos/reemplazo-de-rodilla/",
    "/guides/when-to-get-emergency-help/",
    "/consultation/",
    "/no-such-page/",
]


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone-dark", "desktop-light"])
def test_every_kind_of_its_pages_is_open_to_all(open_tab, knee_site, size, scheme):
    tab, watch = open_tab(size, scheme=scheme, server=knee_site)
    failures = {}
    for path in PATHS:
        tab.goto(path)
        if found := violations(tab):
            failures[path] = found
        if tab.evaluate("document.documentElement.scrollWidth") > size["width"]:
            failures[path] = "scrolls sideways"
    assert failures == {}
    assert watch.foreign == []


def test_it_is_shown_in_its_own_colours_and_letters(open_tab, knee_site):
    tab, watch = open_tab(server=knee_site)
    tab.goto("/")
    tab.evaluate("document.fonts.ready")
    assert tab.evaluate("getComputedStyle(document.querySelector('.btn')).backgroundColor") == "rgb(91, 43, 99)"
    assert tab.evaluate("document.fonts.check('16px \"Clinic atkinson\"')")
    assert watch.is_clean()
