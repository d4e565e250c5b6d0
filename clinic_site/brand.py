"""How the site looks as this clinic's own: its colours, fonts, logo and drawings, from the record.

Files and the sheet stand under addresses with a digest in them, so browsers keep
them for good. A clinic that keeps the house's look costs no further request.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from . import theme
from .brand_files import CONTENT_TYPES, SVG
from .models import BrandFile, Clinic
from .site_record import current_clinic

FOR_GOOD = "public, max-age=31536000, immutable"
HOUSE_FONTS = {
    "heading_font": "fonts/brygada-1918-latin-wght-normal.woff2",
    "text_font": "fonts/hanken-grotesk-latin-wght-normal.woff2",
}
# The token of site.css that each choice of a font is.
FONT_TOKENS = {"heading_font": "display", "text_font": "text"}
# What stands in for the device's own fonts where the site draws the letters itself.
DRAWN_FONTS = {"serif": HOUSE_FONTS["heading_font"], "system": HOUSE_FONTS["text_font"]}
MAX_KEPT = 60
# The key of the drawing on which a patient points to where it hurts.
BODY_MAP = "body-map"

# Contents by database, digest and key: a file of that digest never changes.
_kept: dict[tuple[str, str, str], bytes] = {}


@dataclass(frozen=True)
class Brand:
    """What the head of a page needs: the sheet, the fonts to load early, the icon. Empty where it is the house's."""

    sheet: str
    fonts: list[str]
    house_fonts: list[str]
    icon: str


def of(clinic: Clinic) -> Brand:
    """The look of a clinic's pages."""
    sheet = style_sheet(clinic)
    own = {name: font for name in FONT_TOKENS if (font := clinic.font(getattr(clinic, name)))}
    icon = clinic.file("logo")
    return Brand(
        sheet=f"/brand/{_short(sheet.encode())}/theme.css" if sheet else "",
        fonts=list(dict.fromkeys(address(font) for font in own.values())),
        house_fonts=[path for name, path in HOUSE_FONTS.items() if not getattr(clinic, name)],
        icon=address(icon) if icon else "",
    )


def style_sheet(clinic: Clinic) -> str:
    """What the clinic's colours and fonts change over site.css; empty where nothing."""
    fonts = {}
    for name, token in FONT_TOKENS.items():
        chosen = getattr(clinic, name)
        if chosen and (font := clinic.font(chosen)):
            fonts[token] = (f'"Clinic {chosen}", "Text fallback", system-ui, sans-serif', address(font))
        elif chosen in theme.BUILT_IN_FONTS and chosen:
            fonts[token] = (theme.BUILT_IN_FONTS[chosen][1], "")
    return theme.style_sheet(clinic.theme, fonts)


def address(file: BrandFile) -> str:
    """Where a file is served, for as long as it stays as it is."""
    return f"/brand/{file.digest[:16]}/{file.key}.{file.format}"


def drawing(key: str, css: str = "art") -> SafeString:
    """The clinic's own drawing of that key, to stand in a page for the eye alone; empty where it has none."""
    # Checked when it was stored: shapes and plain values, nothing that acts.
    return mark_safe(svg(current_clinic(), key).replace("<svg ", f'<svg class="{css}" aria-hidden="true" focusable="false" ', 1))


def svg(clinic: Clinic, key: str) -> str:
    """The clinic's own drawing of that key as it was stored; empty where it has none."""
    file = clinic.file(key)
    return content_of(file).decode() if file and file.format == SVG else ""


def body_map(links: Mapping[str, tuple[str, str]], label: str) -> SafeString:
    """The clinic's own map of the body, on which each part is a link: `links` gives address and name by part.

    A part is a group of shapes that stands directly in the drawing and has the class `part-<key>`. Empty where there is no map.
    """
    drawing = svg(current_clinic(), BODY_MAP)
    if not drawing:
        return SafeString("")
    root = ElementTree.fromstring(drawing)
    for shape in root.iter():
        # In a page the parser knows the drawing's namespace; written out, it would get whatever prefix the process gave it.
        shape.tag = shape.tag.rpartition("}")[2]
    for name, value in {"class": "map-art map-art--own bones", "role": "group", "aria-label": label}.items():
        root.set(name, value)
    for place, part in enumerate(list(root)):
        key = part.get("class", "").removeprefix("part-")
        if key in links:
            href, name = links[key]
            link = {"class": "map-region", "data-region": key, "href": href, "aria-label": name}
            root[place] = ElementTree.Element("a", link)
            root[place].append(part)
    # Checked when it was stored; what was added here is escaped by the serializer.
    return mark_safe(ElementTree.tostring(root, encoding="unicode"))


def content_of(file: BrandFile) -> bytes:
    """The bytes of a file; asked for once in a process."""
    name = (str(connection.settings_dict["NAME"]), file.digest, file.key)
    if name not in _kept:
        content = bytes(BrandFile.objects.values_list("content", flat=True).get(digest=file.digest, key=file.key))
        if len(_kept) >= MAX_KEPT:
            _kept.clear()
        _kept[name] = content
    return _kept[name]


def drawn_font(clinic: Clinic, name: str) -> tuple[str, bytes]:
    """Name and file of the font for paper and pictures, for `heading_font` or `text_font`. Needs no font of the machine."""
    chosen = getattr(clinic, name)
    if font := clinic.font(chosen):
        return chosen, content_of(font)
    path = DRAWN_FONTS.get(chosen, HOUSE_FONTS[name])
    return Path(path).stem, _house_font(path)


@cache
def _house_font(path: str) -> bytes:
    return (Path(settings.BASE_DIR) / "static" / path).read_bytes()


def addresses() -> Iterator[str]:
    """Every address of the look, to be asked for once at the start, before the database may go away."""
    clinic = current_clinic()
    found = of(clinic)
    yield from [found.sheet] if found.sheet else []
    if clinic.is_stored:
        yield from (address(file) for file in clinic.brand_files.all())


def with_addresses(paths: Callable[[], list[str]]) -> Callable[[], list[str]]:
    """The same paths, and those of the look."""
    return lambda: [*paths(), *addresses()]


@require_safe
def sheet(request: HttpRequest, digest: str) -> HttpResponse:
    """The clinic's style sheet; under an older address the present one, not to be kept."""
    text = style_sheet(current_clinic())
    response = HttpResponse(text, content_type="text/css; charset=utf-8")
    response["Cache-Control"] = FOR_GOOD if digest == _short(text.encode()) else "no-store"
    return response


@require_safe
def file(request: HttpRequest, digest: str, key: str, format: str) -> HttpResponse:
    """A file of the clinic's record."""
    found = current_clinic().file(key)
    if not found or found.digest[:16] != digest or found.format != format:
        raise Http404
    response = HttpResponse(content_of(found), content_type=CONTENT_TYPES[found.format])
    response["Cache-Control"] = FOR_GOOD
    return response


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
