"""A clinic's colours and fonts: a few named roles over the tokens of site.css, checked for contrast. Pure functions.

A theme is `{"light": {role: "#rrggbb"}, "dark": {...}}`. What it leaves out stays as in
site.css; what follows from a role (a hover, a line on a dark band) is mixed from it here,
so that what is checked is what is shown.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

Colours = dict[str, str]
Theme = dict[str, Colours]
COLOUR = re.compile(r"#[0-9a-f]{6}")
TEXT, GRAPHIC = 4.5, 3.0  # WCAG 2.2 AA: text, and controls or graphics

MODES: dict[str, str | Promise] = {"light": gettext_lazy("light"), "dark": gettext_lazy("dark")}
ROLES: dict[str, str | Promise] = {
    "accent": gettext_lazy("accent: links and buttons"),
    "on_accent": gettext_lazy("text on the accent"),
    "signal": gettext_lazy("signal: the one warm mark"),
    "signal_fill": gettext_lazy("signal, as a surface"),
    "paper": gettext_lazy("paper: the page"),
    "card": gettext_lazy("card"),
    "sand": gettext_lazy("sand: warm bands"),
    "tint": gettext_lazy("tint: cool panels"),
    "ink": gettext_lazy("ink: text"),
    "muted": gettext_lazy("quieter text"),
    "line": gettext_lazy("lines"),
    "border": gettext_lazy("borders of fields"),
    "deep": gettext_lazy("deep: dark bands"),
    "on_deep": gettext_lazy("text on dark bands"),
    "warm": gettext_lazy("buttons on dark bands"),
    "on_warm": gettext_lazy("text of those buttons"),
}
# The tokens of site.css that a role is, each with its value there. A test compares.
TOKENS = {
    "accent": "petrol",
    "on_accent": "on-petrol",
    "signal": "coral",
    "signal_fill": "coral-fill",
    "paper": "paper",
    "card": "card",
    "sand": "bone",
    "tint": "mist",
    "ink": "ink",
    "muted": "ink-2",
    "line": "line",
    "border": "line-strong",
    "deep": "deep",
    "on_deep": "on-deep",
    "warm": "warm",
    "on_warm": "on-warm",
}
DEFAULTS: dict[str, Colours] = {
    "light": {
        "accent": "#0f4c53",
        "on_accent": "#ffffff",
        "signal": "#a63a22",
        "signal_fill": "#d8613f",
        "paper": "#fdfcf9",
        "card": "#ffffff",
        "sand": "#f7f1e7",
        "tint": "#e9f1f0",
        "ink": "#0c2a30",
        "muted": "#38535a",
        "line": "#e4ddd0",
        "border": "#76888a",
        "deep": "#0b3239",
        "on_deep": "#fbf6ec",
        "warm": "#f6b98d",
        "on_warm": "#3a1607",
    },
    "dark": {
        "accent": "#9bd8d4",
        "on_accent": "#052328",
        "signal": "#ffa98d",
        "signal_fill": "#f0835f",
        "paper": "#0a1b1f",
        "card": "#11272c",
        "sand": "#0e2126",
        "tint": "#12292e",
        "ink": "#f1f4f0",
        "muted": "#b9cac9",
        "line": "#24424a",
        "border": "#7f9a9c",
        "deep": "#071519",
        "on_deep": "#f6f1e6",
        "warm": "#f6b98d",
        "on_warm": "#3a1607",
    },
}
# Tokens that follow from roles where one of them is set: mixed of the first with so much of the second.
FOLLOWING: dict[str, tuple[str, str, float]] = {
    "petrol-hover": ("accent", "ink", 0.25),
    "focus": ("accent", "accent", 0),
    "art-rake": ("accent", "accent", 0),
    "coral-soft": ("card", "signal_fill", 0.12),
    "bone-2": ("sand", "ink", 0.08),
    "mist-2": ("tint", "accent", 0.12),
    "art-hair": ("deep", "deep", 0),
    "art-skin-1": ("tint", "accent", 0.22),
    "art-skin-2": ("tint", "accent", 0.1),
    "art-disc": ("accent", "paper", 0.55),
    "art-disc-edge": ("accent", "paper", 0.35),
    "deep-2": ("deep", "on_deep", 0.07),
    "deep-line": ("deep", "on_deep", 0.18),
    "on-deep-2": ("on_deep", "deep", 0.18),
    "warm-hover": ("warm", "card", 0.25),
}
SURFACES = ("paper", "card", "sand", "tint")
# What stands on what, and how much contrast it needs: roles, or tokens that follow from them.
PAIRS: list[tuple[str, str, float]] = [
    *((text, surface, TEXT) for text in ("ink", "muted", "accent", "signal") for surface in SURFACES),
    *((text, "mist-2", TEXT) for text in ("ink", "accent")),
    ("petrol-hover", "paper", TEXT),
    ("on_accent", "accent", TEXT),
    ("on_accent", "petrol-hover", TEXT),
    ("on_deep", "deep", TEXT),
    ("on_deep", "deep-2", TEXT),
    ("on-deep-2", "deep", TEXT),
    ("on-deep-2", "deep-2", TEXT),
    ("warm", "deep", TEXT),
    ("on_warm", "warm", TEXT),
    ("on_warm", "warm-hover", TEXT),
    ("border", "paper", GRAPHIC),
    ("border", "card", GRAPHIC),
    ("signal_fill", "card", GRAPHIC),
]

# Fonts that need no file. A clinic's own are files of its record, named by key.
BUILT_IN_FONTS: dict[str, tuple[str | Promise, str]] = {
    "": (gettext_lazy("The house’s"), ""),
    "system": (gettext_lazy("The device’s own, without serifs"), "system-ui, sans-serif"),
    "serif": (gettext_lazy("The device’s own, with serifs"), 'Georgia, "Times New Roman", serif'),
}


def colours(theme: Mapping[str, Any], mode: str = "light") -> Colours:
    """Every role's colour in a mode: the theme's own, or the house's."""
    return DEFAULTS[mode] | theme.get(mode, {})


def malformed(theme: object) -> Iterator[str]:
    """What keeps a value from being a theme, one line each."""
    if not isinstance(theme, dict) or any(not isinstance(chosen, dict) for chosen in theme.values()):
        yield _("A theme holds “light” and “dark”, each with colors by role.")
        return
    for mode, chosen in theme.items():
        if mode not in MODES:
            yield _("“%(mode)s” is neither light nor dark.") % {"mode": mode}
            continue
        for role, colour in chosen.items():
            if role not in ROLES:
                yield _("There is no role “%(role)s” in a theme.") % {"role": role}
            elif not isinstance(colour, str) or not COLOUR.fullmatch(colour):
                yield _("%(mode)s, %(role)s: a color looks like #0f4c53.") % {"mode": MODES[mode], "role": role}


def too_faint(theme: Mapping[str, Any]) -> Iterator[str]:
    """Each pair of text and surface that people with low vision could not read (WCAG 2.2 AA), one line each."""
    for mode in MODES:
        if not theme.get(mode):
            continue
        shown = colours(theme, mode) | _followed(theme, mode, everything=True)
        for front, back, least in PAIRS:
            found = contrast(shown[front], shown[back])
            if found < least:
                yield _("%(mode)s: %(front)s on %(back)s has a contrast of %(found).1f to 1; it needs %(least).1f.") % {
                    "mode": MODES[mode],
                    "front": front.replace("_", " "),
                    "back": back.replace("_", " "),
                    "found": int(found * 10) / 10,
                    "least": least,
                }


def in_order(theme: Mapping[str, Any]) -> Theme:
    """The same theme, light before dark and roles as ROLES has them: PostgreSQL keeps no order of its own."""
    return {mode: {role: theme[mode][role] for role in ROLES if role in theme[mode]} for mode in MODES if mode in theme}


def style_sheet(theme: Mapping[str, Any], fonts: Mapping[str, tuple[str, str]]) -> str:
    """What a theme changes, as CSS over the tokens of site.css; empty where it changes nothing.

    `fonts` holds, for `display` and `text`, a list of families and the address of a file to load (or nothing).
    """
    parts = []
    for family, address in fonts.values():
        if address:
            parts.append(
                f'@font-face {{ font-family: {family.partition(",")[0]}; src: url("{address}") format("woff2");'
                f" font-weight: 100 900; font-display: optional; }}"
            )
    families = "".join(f" --{name}: {family};" for name, (family, _address) in fonts.items())
    light, dark = (_tokens(theme, mode) for mode in MODES)
    if families or light:
        parts.append(f"@layer tokens {{ :root {{{families}{light} }} }}")
    if dark:
        parts.append(f"@layer tokens {{ @media (prefers-color-scheme: dark) {{ :root {{{dark} }} }} }}")
    return "\n".join(parts)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG counts it, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def tokens(theme: Mapping[str, Any], mode: str = "light") -> Colours:
    """The tokens of site.css that a theme changes in a mode, each with its colour."""
    return {TOKENS[role]: colour for role, colour in theme.get(mode, {}).items()} | _followed(theme, mode)


def _tokens(theme: Mapping[str, Any], mode: str) -> str:
    return "".join(f" --{token}: {colour};" for token, colour in tokens(theme, mode).items())


def _followed(theme: Mapping[str, Any], mode: str, *, everything: bool = False) -> Colours:
    shown, own = colours(theme, mode), theme.get(mode, {})
    return {
        token: _mixed(shown[base], shown[other], share)
        for token, (base, other, share) in FOLLOWING.items()
        if everything or base in own
    }


def _mixed(one: str, other: str, share: float) -> str:
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(_channels(one), _channels(other), strict=True))


def _channels(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def _luminance(colour: str) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in _channels(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
