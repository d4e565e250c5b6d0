"""Files that a clinic brings: only plain drawings, pictures and fonts pass."""

from pathlib import Path

import pytest
from django.conf import settings

from clinic_site import brand_files

START = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8">'
PLAIN = f'{START}<path fill="var(--petrol, #0f4c53)" transform="translate(1 2) rotate(4)" d="M0 0h8v8z"/></svg>'


def refused(content):
    with pytest.raises(brand_files.Refused) as why:
        brand_files.check(content if isinstance(content, bytes) else content.encode())
    return str(why.value)


def test_a_plain_drawing_passes():
    assert brand_files.check(PLAIN.encode()) == "svg"


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<path onload="alert(1)" d="M0 0"/>',
        '<g onclick="alert(1)"/>',
        '<a href="javascript:alert(1)"><path d="M0 0"/></a>',
        '<use href="https://example.org/x.svg#a"/>',
        '<image href="https://example.org/x.png"/>',
        "<foreignObject><body/></foreignObject>",
        "<style>path{fill:red}</style>",
        '<path style="fill:red" d="M0 0"/>',
        '<path fill="url(https://example.org)" d="M0 0"/>',
        '<path fill="var(--x, url(a))" d="M0 0"/>',
        '<animate attributeName="href" to="javascript:alert(1)"/>',
        "<title>words</title>",
        "words",
        "<!-- words -->",
        "<![CDATA[<script>]]>",
        "&lt;script&gt;",
        '<svg viewBox="0 0 1 1"/>',
        '<h:script xmlns:h="http://www.w3.org/1999/xhtml">alert(1)</h:script>',
        '<path xml:base="x" d="M0 0"/>',
    ],
)
def test_a_drawing_that_could_act_or_load_is_refused(inside):
    assert refused(f"{START}{inside}</svg>")


def test_a_drawing_with_declarations_is_refused():
    bomb = f'<!DOCTYPE svg [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]>{PLAIN}'
    assert refused(bomb)
    assert refused(PLAIN.replace("<svg ", '<svg onload="alert(1)" '))
    assert refused(PLAIN.replace("</svg>", "")) == "The drawing is no well-formed SVG."
    assert refused(PLAIN.replace('viewBox="0 0 8 8"', "")) == "The drawing has no viewBox."


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"<html><svg></svg></html>", b"\x89PNG\r\n\x1a\n" + bytes(40), b"wOF2" + bytes(60)]
)
def test_what_only_looks_like_a_picture_or_font_is_refused(content):
    assert refused(content)


def test_a_font_that_was_cut_off_is_refused():
    font = (Path(settings.BASE_DIR) / "static/fonts/hanken-grotesk-latin-wght-normal.woff2").read_bytes()
    assert brand_files.check(font) == "woff2"
    assert "not whole" in refused(font[:-1])


def test_a_file_larger_than_a_page_can_carry_is_refused():
    assert refused(PLAIN.replace("M0 0", "M0 0" + " " * 70_000)) == "The file is larger than 60 KB."
