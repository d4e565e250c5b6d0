"""The picture that other sites show beside a link to a page: its title in the clinic's fonts and colours, beside a drawing.

A pure function from words and colours to PNG bytes, the same bytes for the same input.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache, lru_cache
from math import sin
from pathlib import Path

from django.conf import settings
from PIL import Image, ImageColor, ImageDraw, ImageFont

from clinic_site.brand import content_of, drawn_font, svg
from clinic_site.models import BodyMap, Clinic
from clinic_site.painter import paint
from clinic_site.paper import tokens_of

WIDTH, HEIGHT = 1200, 630
PANEL = 640  # where the drawing's panel starts
LEFT, RIGHT = 80, 604
REGIONS = ("cervical", "thoracic", "lumbar", "sacral")
STATIC = Path(settings.BASE_DIR) / "static"
HEADING = (STATIC / "fonts/brygada-1918-latin-wght-normal.woff2").read_bytes()
TEXT = (STATIC / "fonts/hanken-grotesk-latin-wght-normal.woff2").read_bytes()
LOGO_TOP, LOGO_HEIGHT = 60, 70
# Size and space of lines for the title, largest first, and how many lines of it fit.
TITLE_SIZES = ((68, 74, 4), (58, 64, 4), (50, 56, 5), (42, 48, 6))
SMOOTH = 4  # shapes are drawn this much larger, then made smaller
# The five bones of the mark: middle, width, turn; as in static/img/mark.svg.
MARK = ((17.6, 5.2, 9.4, -10), (15.6, 10.6, 11, -3), (15.2, 16.2, 12.6, 5), (17.2, 21.8, 14, 10), (20.6, 27.2, 12.4, 24))


@dataclass(frozen=True)
class Colours:
    """The roles of the palette that the picture uses, each `#rrggbb`."""

    paper: str = "#fdfcf9"
    ink: str = "#0c2a30"
    muted: str = "#38535a"
    accent: str = "#0f4c53"
    signal: str = "#a63a22"
    signal_fill: str = "#d8613f"
    tint: str = "#e9f1f0"
    sand: str = "#f7f1e7"

    @classmethod
    def of(cls, colours: Mapping[str, str]) -> "Colours":
        """Those of a clinic."""
        return cls(**{role.name: colours[role.name] for role in fields(cls)})

    @property
    def mist(self) -> str:
        """The upper end of the panel: the tint, nearer to the accent."""
        return _mixed(self.tint, self.accent, 0.1)


@dataclass(frozen=True)
class Look:
    """What makes a picture the clinic's own; as it stands, the house's.

    `logo` is an SVG or PNG; without one the house's mark stands there. `tokens` are
    the colours that the clinic's SVGs may name.
    """

    colours: Colours = Colours()
    tokens: Mapping[str, str] = field(default_factory=dict)
    logo: bytes = b""
    heading_font: bytes = HEADING
    text_font: bytes = TEXT

    @classmethod
    def of(cls, clinic: Clinic) -> "Look":
        """That of a clinic."""
        logo = clinic.file("logo")
        return cls(
            colours=Colours.of(clinic.colours),
            tokens=tokens_of(clinic),
            logo=content_of(logo) if logo else b"",
            heading_font=drawn_font(clinic, "heading_font")[1],
            text_font=drawn_font(clinic, "text_font")[1],
        )


@dataclass(frozen=True)
class Card:
    """What a picture says. `badge` is a short note at the foot, such as that the site is a sample.

    `drawing` is an SVG of the clinic's own, `art` names one of the house; without
    either the parts of the spine in `regions` are marked, and a clinic that treats
    no spine gets plain lines.
    """

    eyebrow: str
    title: str
    clinic_name: str
    badge: str = ""
    art: str = ""
    regions: tuple[str, ...] = ()
    is_spine: bool = True
    drawing: str = ""
    look: Look = field(default_factory=Look)


def own_drawing(clinic: Clinic, key: str) -> str:
    """The clinic's own drawing of that key; of a clinic that treats no spine, else the one of its front page."""
    return svg(clinic, key) or ("" if clinic.body_map == BodyMap.SPINE else svg(clinic, "hero"))


def draw(card: Card) -> bytes:
    """The picture as PNG, WIDTH by HEIGHT."""
    look, colours = card.look, card.look.colours
    picture = Image.new("RGB", (WIDTH, HEIGHT), colours.paper)
    _panel(picture, card)
    pen = ImageDraw.Draw(picture)
    if look.logo:
        _logo(picture, look)
    else:
        _mark(picture, colours)
    size, space, lines = _fitting_title(card.title, look.heading_font)
    top = _title_top(len(lines) * space)
    pen.text((LEFT, top - 22), card.eyebrow, colours.signal, _font(look.text_font, 27, 650), anchor="ls")
    for number, line in enumerate(lines):
        place = (LEFT - 2, top + size + number * space)
        pen.text(place, line, colours.ink, _font(look.heading_font, size, 500), anchor="ls")
    _foot(picture, pen, card)
    out = io.BytesIO()
    picture.quantize(palette=_palette(picture, colours), dither=Image.Dither.FLOYDSTEINBERG).save(out, "PNG", optimize=True)
    return out.getvalue()


def _palette(picture: Image.Image, colours: Colours) -> Image.Image:
    """The picture's commonest colours and, exactly, those of the type: a quarter of the bytes, and no difference to see."""
    own = [channel for colour in asdict(colours).values() for channel in ImageColor.getrgb(colour)]
    common = picture.quantize(256 - len(own) // 3, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette(own + common)
    return palette


def _panel(picture: Image.Image, card: Card) -> None:
    width, colours = WIDTH - PANEL, card.look.colours
    shade = Image.linear_gradient("L").resize((width, HEIGHT))
    panel = Image.composite(Image.new("RGB", shade.size, colours.sand), Image.new("RGB", shade.size, colours.mist), shade)
    if card.drawing:
        paint(panel, card.drawing, (0, 0, *panel.size), card.look.tokens)
    elif layers := _art(card):
        for layer in layers:
            panel.paste(layer, (0, 0), layer)
    else:
        _lines(panel, colours)
    picture.paste(panel, (PANEL, 0), _rounded(width + 100, HEIGHT, 56).crop((0, 0, width, HEIGHT)))


def _art(card: Card) -> list[Image.Image]:
    if not card.is_spine:
        return []
    if card.art and (own := _drawing(card.art)):
        return [own]
    marked = [region for region in REGIONS if {region, "whole"} & set(card.regions)]
    names = marked if len(marked) == 1 else ["whole", *(f"whole-{region}" for region in marked)]
    return [layer for name in names if (layer := _drawing(name))]


def _lines(panel: Image.Image, colours: Colours) -> None:
    """The lines of the house's drawings, raked from the left, where nothing is drawn."""
    shape = Image.new("L", (panel.width * 2, panel.height * 2))
    pen = ImageDraw.Draw(shape)
    for number in range(16):
        start = 120 + number * (52 + 2 * number)
        bends = [(start + 70 * sin(y / 150) + 34 * sin(y / 67 + 1), y) for y in range(-10, shape.height + 20, 10)]
        pen.line(bends, fill=170 - 7 * number, width=5, joint="curve")
    panel.paste(colours.accent, (0, 0), shape.resize(panel.size, Image.Resampling.LANCZOS))


@cache
def _drawing(name: str) -> Image.Image | None:
    path = STATIC / "img" / "share" / f"{name}.webp"
    return Image.open(path).convert("RGBA") if path.is_file() else None


def _rounded(width: int, height: int, radius: int) -> Image.Image:
    """The mask of a box with round corners and smooth edges."""
    shape = Image.new("L", (width * SMOOTH, height * SMOOTH))
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, shape.width - 1, shape.height - 1), radius * SMOOTH, fill=255)
    return shape.resize((width, height), Image.Resampling.LANCZOS)


def _mark(picture: Image.Image, colours: Colours) -> None:
    scale = 2.6
    for number, (x, y, width, turn) in enumerate(MARK):
        box = round(width * scale * 1.6) * SMOOTH
        shape = Image.new("L", (box, box))
        half_width, half_height = width * scale * SMOOTH / 2, 2 * scale * SMOOTH
        corners = (box / 2 - half_width, box / 2 - half_height, box / 2 + half_width, box / 2 + half_height)
        ImageDraw.Draw(shape).rounded_rectangle(corners, half_height, fill=255)
        shape = shape.rotate(-turn, Image.Resampling.BICUBIC).resize((box // SMOOTH, box // SMOOTH), Image.Resampling.LANCZOS)
        place = (round(LEFT + (x - 10) * scale - shape.width / 2), round(66 + y * scale - shape.height / 2))
        picture.paste(colours.signal_fill if number == 3 else colours.accent, place, shape)


def _logo(picture: Image.Image, look: Look) -> None:
    """The clinic's logo where the mark would stand, as wide as its form asks for; one that is damaged is left out."""
    if look.logo.startswith(b"<svg "):
        logo_svg = look.logo.decode()
        found = re.search(r'viewBox="[^"]*?([\d.]+)[ ,]+([\d.]+)\s*"', logo_svg)
        wide, high = (float(side) for side in found.groups()) if found else (1.0, 1.0)
        width = min(round(LOGO_HEIGHT * wide / (high or 1)), RIGHT - LEFT) or 1
        paint(picture, logo_svg, (LEFT, LOGO_TOP, LEFT + width, LOGO_TOP + LOGO_HEIGHT), look.tokens)
        return
    try:
        logo = Image.open(io.BytesIO(look.logo), formats=["PNG"]).convert("RGBA")
    except (OSError, SyntaxError):
        return
    logo.thumbnail((RIGHT - LEFT, LOGO_HEIGHT), Image.Resampling.LANCZOS)
    picture.paste(logo, (LEFT, LOGO_TOP), logo)


def _title_top(height: int) -> int:
    """Where the title starts: in the middle of what mark and foot leave free."""
    return 196 + max(0, (300 - height) // 2)


def _fitting_title(title: str, heading_font: bytes) -> tuple[int, int, list[str]]:
    """Size, space of lines and lines of the largest form that fits; of a title too long for any, as many as do."""
    for size, space, most in TITLE_SIZES:
        font = _font(heading_font, size, 500)
        lines = _wrapped(title, font, RIGHT - LEFT)
        if len(lines) <= most and all(font.getlength(line) <= RIGHT - LEFT for line in lines):
            return size, space, lines
    return size, space, [_shortened(line, font, RIGHT - LEFT) for line in lines[:most]]


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _foot(picture: Image.Image, pen: ImageDraw.ImageDraw, card: Card) -> None:
    font, badge_font, base = _font(card.look.text_font, 26, 600), _font(card.look.text_font, 21, 600), 566
    badge = round(badge_font.getlength(card.badge)) + 32 if card.badge else 0
    name = _shortened(card.clinic_name, font, RIGHT - LEFT - badge - 20)
    pen.text((LEFT, base), name, card.look.colours.muted, font, anchor="ls")
    if badge:
        start = LEFT + round(font.getlength(name)) + 20
        picture.paste(card.look.colours.muted, (start, base - 28), _rounded(badge, 40, 20))
        picture.paste(card.look.colours.paper, (start + 2, base - 26), _rounded(badge - 4, 36, 18))
        pen.text((start + badge / 2, base - 8), card.badge, card.look.colours.muted, badge_font, anchor="mm")


def _shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip(" ,&-") + "…"


def _mixed(one: str, other: str, share: float) -> str:
    channels = zip(ImageColor.getrgb(one), ImageColor.getrgb(other), strict=True)
    return "#" + "".join(f"{round(mine + (theirs - mine) * share):02x}" for mine, theirs in channels)


@lru_cache(maxsize=32)
def _font(content: bytes, size: int, weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(io.BytesIO(content), size)
    try:
        axes = font.get_variation_axes()
    except OSError:  # it has the one weight
        return font
    font.set_variation_by_axes(
        [min(max(weight, axis["minimum"]), axis["maximum"]) if axis["name"] == b"Weight" else axis["default"] for axis in axes]
    )
    return font
