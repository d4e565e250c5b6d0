"""What a clinic may bring as files: a drawing (SVG), a picture (PNG), a font (WOFF2). Pure functions over bytes.

Drawings are put into pages as they are, so only shapes and plain values pass.
What is not on the lists is refused, never repaired: a file is either as its maker
meant it, or not used.
"""

import re
from xml.etree import ElementTree

from django.utils.translation import gettext as _

SVG, PNG, WOFF2 = "svg", "png", "woff2"
CONTENT_TYPES = {SVG: "image/svg+xml", PNG: "image/png", WOFF2: "font/woff2"}
LARGEST = {SVG: 60_000, PNG: 200_000, WOFF2: 120_000}
PNG_SIDE = 2000

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_ELEMENTS = {"svg", "g", "path", "circle", "ellipse", "rect", "line", "polyline", "polygon"}
_ATTRIBUTES = {
    *("viewBox", "preserveAspectRatio", "d", "points", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "ry"),
    *("width", "height", "transform", "class", "fill", "fill-rule", "stroke", "stroke-width", "stroke-linecap"),
    *("stroke-linejoin", "stroke-dasharray", "opacity", "fill-opacity", "stroke-opacity"),
}
# Colours may be tokens of the site, so that a drawing follows the theme and the dark scheme: var(--petrol, #0f4c53).
_SHAPE = re.compile(r"[\d\sa-zA-Z.,+-]*")
_VALUE = re.compile(r"[\w .,#%+-]*|(?:[a-z]+\([\d\s.,e+-]+\)\s*)+|var\(--[a-z0-9-]+(?:, ?#[0-9a-f]{3,6})?\)")


class Refused(ValueError):
    """A file that is not used, and why, in words for the person who brought it."""


def format_of(content: bytes) -> str:
    """Which of the formats the bytes are, whatever the file is called; empty for any other."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"wOF2"):
        return WOFF2
    return SVG if content.startswith(b"<svg ") else ""


def check(content: bytes) -> str:
    """The format of a file that may be used. Raises Refused for every other."""
    found = format_of(content)
    if not found:
        raise Refused(_("This is no SVG drawing, PNG picture or WOFF2 font."))
    if len(content) > LARGEST[found]:
        raise Refused(_("The file is larger than %(most)s KB.") % {"most": LARGEST[found] // 1000})
    {SVG: _check_drawing, PNG: _check_picture, WOFF2: _check_font}[found](content)
    return found


def _check_drawing(content: bytes) -> None:
    if b"<!" in content or b"<?" in content or b"&" in content:
        raise Refused(_("A drawing holds no comments, declarations or entities."))
    try:
        root = ElementTree.fromstring(content.decode("utf-8"))
    except (ElementTree.ParseError, UnicodeDecodeError):
        raise Refused(_("The drawing is no well-formed SVG.")) from None
    if not root.get("viewBox"):
        raise Refused(_("The drawing has no viewBox."))
    for element in root.iter():
        name = str(element.tag).removeprefix(_NAMESPACE)
        if name not in _ELEMENTS or not str(element.tag).startswith(_NAMESPACE) or (name == "svg" and element is not root):
            raise Refused(_("A drawing holds shapes alone, not <%(name)s>.") % {"name": name[:40]})
        if (element.text or "").strip() or (element.tail or "").strip():
            raise Refused(_("A drawing holds no text."))
        for attribute, value in element.attrib.items():
            shape = _SHAPE if attribute in ("d", "points") else _VALUE
            if attribute not in _ATTRIBUTES or not shape.fullmatch(value):
                raise Refused(_("<%(name)s> has a value that is not used here: %(key)s.") % {"name": name, "key": attribute[:40]})


def _check_picture(content: bytes) -> None:
    width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    if content[12:16] != b"IHDR" or not (0 < width <= PNG_SIDE and 0 < height <= PNG_SIDE):
        raise Refused(_("The picture is no PNG of up to 2000 by 2000 pixels."))


def _check_font(content: bytes) -> None:
    if len(content) < 48 or int.from_bytes(content[8:12]) != len(content):
        raise Refused(_("The font is not whole: its length differs from what it says."))
