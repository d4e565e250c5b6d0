"""A clinic's colours: what they change, and which are refused."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError

from clinic_site import theme
from clinic_site.models import Clinic


def tokens_of_the_house():
    """The colours of site.css, by scheme."""
    css = (Path(settings.BASE_DIR) / "static" / "css" / "site.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\n\s*\}", css, flags=re.S)[:2]
    found = {}
    for mode, block in (("light", light), ("dark", dark)):
        found[mode] = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block))
    return {"light": found["light"], "dark": found["light"] | found["dark"]}


def full(colour):
    return colour if len(colour) == 7 else "#" + "".join(2 * letter for letter in colour[1:])


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_what_a_theme_leaves_out_is_as_the_style_sheet_has_it(mode):
    house = tokens_of_the_house()[mode]
    assert {role: full(house[token]) for role, token in theme.TOKENS.items()} == theme.DEFAULTS[mode]


def test_the_houses_own_colours_pass_the_check():
    assert list(theme.too_faint(theme.DEFAULTS)) == []


def test_a_pair_too_faint_to_read_is_refused_by_name():
    clinic = Clinic(theme={"light": {"muted": "#b0a0b5"}})
    with pytest.raises(ValidationError) as refused:
        clinic.clean()
    assert "light: muted on paper has a contrast of 2.3 to 1; it needs 4.5." in refused.value.message_dict["theme"]


def test_the_dark_scheme_is_checked_on_its_own():
    assert list(theme.too_faint({"dark": {"ink": "#222222"}}))
    assert all(line.startswith("dark") for line in theme.too_faint({"dark": {"ink": "#222222"}}))


def test_a_colour_that_follows_from_another_is_checked_too():
    # A hover mixed from a light accent and the ink must still carry the button's white text.
    lines = list(theme.too_faint({"light": {"accent": "#c9a0d0"}}))
    assert any("petrol-hover" in line for line in lines)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"light": "#fff"},
        {"dim": {"ink": "#000000"}},
        {"light": {"nonsense": "#000000"}},
        {"light": {"ink": "red"}},
        {"light": {"ink": "#000000; } body { display: none"}},
    ],
)
def test_what_is_no_theme_is_refused(value):
    with pytest.raises(ValidationError):
        Clinic(theme=value).clean()


def test_contrast_is_counted_as_wcag_does():
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_a_theme_changes_only_what_it_names():
    css = theme.style_sheet({"dark": {"card": "#222222"}}, {})
    assert "--card: #222222" in css
    assert "prefers-color-scheme: dark" in css
    assert "--paper" not in css
    assert theme.style_sheet({}, {}) == ""
