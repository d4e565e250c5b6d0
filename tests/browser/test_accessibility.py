"""axe-core finds nothing: WCAG 2.2 AA and best practices, on every public page and staff page, light and dark."""

import json
import re
from pathlib import Path

import pytest

from .tabs import DESKTOP, PHONE, follow

AXE = (Path(__file__).parent.parent / "vendor" / "axe.min.js").read_text()
KINDS = [
    "/",
    "/procedures/spinal-osteotomy/",
    "/conditions/kyphosis/",
    "/symptoms/",
    "/guides/spinal-deformity-packet/",
    "/physicians/sample-surgeon-a/",
    "/search/?q=back",
]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(tab, preload=False, part="html"):
    """What axe finds in `part`; with `preload` in stylesheets too, which it copies inline: the policy of staff pages forbids it."""
    tab.evaluate(AXE)
    run = "([part, options]) => axe.run(part, options).then((found) => found.violations)"
    found = tab.evaluate(run, [part, {"runOnly": TAGS, "preload": preload, "resultTypes": ["violations"]}])
    return [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in found]


@pytest.fixture(scope="session")
def public_paths(site_server):
    """Every address of the sitemap, with searches and an address that is none, by language."""
    listed = re.findall(rb"<loc>[a-z]+://[^/]+(/[^<]*)</loc>", site_server.ask("GET", "/sitemap.xml")[2])
    paths = {"en": ["/search/?q=back", "/search/?q=zzzz", "/no-such-page/"], "es": ["/es/buscar/?q=zzzz", "/es/no-existe/"]}
    for path in map(bytes.decode, listed):
        paths["es" if path.startswith("/es/") else "en"].append(path)
    assert len(paths["en"]) > 50 and len(paths["es"]) > 50
    return paths


@pytest.mark.parametrize(("language", "scheme"), [("en", "dark"), ("es", "light")])
def test_every_public_page_is_open_to_all_and_fits_phone_and_desktop(open_tab, public_paths, language, scheme):
    tab, watch = open_tab(PHONE, scheme=scheme)
    failures = {}
    for path in public_paths[language]:
        tab.set_viewport_size(PHONE)
        tab.goto(path)
        if found := violations(tab):
            failures[path] = found
        for size in (PHONE, DESKTOP):
            tab.set_viewport_size(size)
            if (width := tab.evaluate("document.documentElement.scrollWidth")) > size["width"]:
                failures[f"{path} sideways"] = width
    assert not failures, json.dumps(failures, indent=1)[:6000]
    assert watch.foreign == [] and all("404" in complaint for complaint in watch.complaints)


@pytest.mark.parametrize(
    ("size", "scheme"),
    [(PHONE, "light"), (DESKTOP, "dark"), (DESKTOP, "light")],
    ids=["phone-light", "desktop-dark", "desktop-light"],
)
def test_pages_of_each_make_are_open_to_all_in_the_other_light_and_size_too(open_tab, size, scheme):
    tab, watch = open_tab(size, scheme=scheme)
    for path in KINDS:
        tab.goto(path)
        assert violations(tab, preload=True) == [], path
    assert watch.is_clean()


def test_the_bar_that_comes_up_at_the_foot_of_phones_is_open_to_all(open_tab):
    tab, _ = open_tab(PHONE)
    for path in ("/procedures/spinal-osteotomy/", "/es/procedimientos/microdiscectomia/", "/guides/when-to-get-emergency-help/"):
        tab.goto(path)
        tab.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
        tab.locator(".action-bar:not(.is-away)").wait_for()
        assert violations(tab, part=".action-bar") == [], path


def test_the_bar_at_the_foot_lies_over_nothing_until_it_is_needed_and_is_there_without_script(open_tab):
    tab, _ = open_tab(PHONE)
    tab.route("**/js/site*.js", lambda route: route.abort())  # as on a slow line, before the script has come
    tab.goto("/procedures/spinal-osteotomy/")
    assert tab.locator(".action-bar").is_hidden()
    plain, _ = open_tab(PHONE, javascript=False)
    for path in ("/procedures/spinal-osteotomy/", "/guides/when-to-get-emergency-help/"):
        plain.goto(path)
        assert plain.locator(".action-bar").is_visible()
        box = plain.locator(".action-bar").bounding_box()
        assert box["y"] + box["height"] <= PHONE["height"] + 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_form_is_open_to_all_in_each_of_its_states(open_tab, size, scheme):
    tab, _ = open_tab(size, scheme=scheme)
    tab.goto("/consultation/?about=spinal-osteotomy")
    assert violations(tab) == []
    follow(tab.locator("form button[type=submit]").last)
    assert tab.title().startswith("Error:")
    assert violations(tab) == []
    tab.locator("[name=name]").fill("Axe Sample")
    tab.locator("[name=phone]").fill("+1 703 555 0142")
    tab.locator("[name=consent]").check()
    flag = tab.locator("[name=red_flags]").first
    if not flag.is_visible():
        tab.locator("details:has([name=red_flags]) summary").first.click()
    flag.check()
    assert violations(tab) == []
    follow(tab.locator("form button[type=submit]").last)
    assert "911" in tab.locator("main").inner_text()
    assert violations(tab) == []
    follow(tab.locator("form button[type=submit]").last)
    tab.locator(".ticket__ref").wait_for()
    assert violations(tab) == []


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone-dark", "desktop-light"])
def test_staff_pages_are_open_to_all(open_tab, sign_in, site_server, size, scheme):
    tab, watch = open_tab(size, scheme=scheme)
    tab.goto("/admin/")
    assert violations(tab) == []
    sign_in(tab)
    page = site_server.rows("select id from conditions_page where slug = 'spinal-osteotomy'")[0][0]
    for path in (
        "/admin/",
        "/admin/intake/consultationrequest/",
        "/admin/conditions/procedure/",
        f"/admin/conditions/procedure/{page}/change/",
        "/admin/password_change/",
    ):
        tab.goto(path)
        # The editor's icons are ligatures: until their font is there, their names are words on the buttons.
        icons = "document.fonts.load('20px \"Material Icons\"', 'format_bold')"
        tab.evaluate(f"() => Promise.all([{icons}, document.fonts.ready]).then(() => true)")
        assert violations(tab) == [], path
    assert watch.is_clean()


def test_links_and_buttons_around_the_page_are_large_enough_to_tap(open_tab):
    tab, _ = open_tab(PHONE, scheme="dark")
    places = ":is(.site-header, .site-footer, .letters, .reading, .filter) :is(a, button)"
    small = f"""() => [...document.querySelectorAll("{places}")]
        .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 24)
        .map((one) => one.outerHTML.slice(0, 120))"""
    for path in ("/", "/glossary/", "/search/?q=zzzz", "/conditions/", "/es/"):
        tab.goto(path)
        assert tab.evaluate(small) == [], path


@pytest.mark.parametrize("path", ["/", "/es/"])
def test_the_header_keeps_to_one_row_wherever_its_menu_is_open(open_tab, path):
    tab, _ = open_tab()
    tab.goto(path)
    for width in (1024, 1088, 1120, 1200, 1279, 1280, 1440):
        tab.set_viewport_size({"width": width, "height": 500})
        assert tab.evaluate("document.querySelector('.masthead').getBoundingClientRect().height") < 90, width
