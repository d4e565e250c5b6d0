"""Small pieces that every page of the site uses: icons, the region glyph, phone numbers, opening hours."""

import re
from collections.abc import Iterable, Iterator
from datetime import time
from itertools import count, groupby
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.template import TemplateDoesNotExist
from django.template.loader import get_template, render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape, format_html, strip_tags
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from .. import brand
from ..models import BodyMap, BodyRegion, Clinic, Holiday, OpeningHours, Weekday
from ..phones import read_phone, shown_phone
from ..site_record import current_clinic

register = template.Library()

_ROW = re.compile(r"<tr>(.*?)</tr>", re.S)
_CELL = re.compile(r"<(th|td)([^>]*)>(.*?)</\1>", re.S)
SPRITE = "img/icons.svg"
# Parts that the small spine of the sprite can mark.
SPINE_PARTS = ("cervical", "thoracic", "lumbar", "sacral", "whole")


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """An icon of the sprite, for the eye only: words beside it must say the same."""
    return format_html(
        '<svg class="icon{}" viewBox="0 0 24 24" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" {css}" if css else "",
        static(SPRITE),
        name,
    )


@register.simple_tag
def glyph(regions: Iterable[str] | str, css: str = "") -> SafeString:
    """A small spine with the given parts marked; nothing where the clinic's map is not the spine."""
    if current_clinic().body_map != BodyMap.SPINE:
        return SafeString("")
    wanted = {regions} if isinstance(regions, str) else set(regions or ())
    names = ["glyph", *(f"glyph--{region}" for region in SPINE_PARTS if region in wanted), *css.split()]
    return format_html(
        '<svg class="{}" viewBox="0 0 22 68" aria-hidden="true"><use href="{}#spine"/></svg>',
        " ".join(names),
        static(SPRITE),
    )


@register.filter
def region_name(key: str) -> str:
    """What a part of the body is called in the language in use."""
    return current_clinic().region_name(key)


@register.filter
def email_display(address: str) -> SafeString:
    """An email address that breaks before its @ where a column is too narrow for it."""
    return SafeString("<wbr>@".join(escape(part) for part in str(address or "").split("@")))


@register.filter
def phone_display(number: str) -> str:
    """A number as people at home write it: `(703) 555-0142`; abroad with its country code. Unreadable ones stay as they are."""
    found = read_phone(number or "")
    return shown_phone(found) if found else number or ""


@register.filter
def host(url: str) -> str:
    """The site an address leads to, to name a link by: `pubmed.ncbi.nlm.nih.gov`."""
    return urlsplit(url or "").netloc.removeprefix("www.")


@register.simple_tag
def hours(clinic: Clinic) -> str:
    """Opening hours in words, to stand within a sentence: `Monday to Friday, 8 a.m. to 5 p.m.`"""
    return "; ".join(_grouped(clinic.opening_hours.all())) if clinic.is_stored else ""


@register.simple_tag
def art(key: str) -> SafeString:
    """The clinic's own drawing of that key, for the eye only; nothing where it has none."""
    return brand.drawing(key)


@register.simple_tag
def own_map(regions: Iterable[BodyRegion]) -> SafeString:
    """The clinic's own map of the body, each part a link to its symptoms; nothing where it has none."""
    symptoms = reverse("conditions:symptom_index")
    links = {region.key: (f"{symptoms}?region={region.key}#list", region.name) for region in regions}
    return brand.body_map(links, _("Map of the body"))


@register.simple_tag
def mark() -> SafeString:
    """The clinic's logo beside its name; the house's mark where it has none."""
    logo = current_clinic().file("logo")
    if logo is None:
        return SafeString(render_to_string("art/mark.html"))
    if drawn := brand.drawing("logo", "mark"):
        return drawn
    return format_html('<img class="mark" src="{}" width="34" height="34" alt="">', brand.address(logo))


@register.simple_tag
def page_picture(page: Any) -> SafeString:
    """The picture of a page on cards and beside its title.

    The clinic's own; else for guides a thing, and for a clinic of the spine what is drawn for that page, or where on the
    spine it is about.
    """
    if own := brand.drawing(page.slug):
        return own
    names = [f"art/guides/{page.slug}.html", "art/guides/guide.html"] if page.kind == "guide" else []
    if current_clinic().body_map == BodyMap.SPINE:
        names += [f"art/pages/{page.slug}.html", "art/region.html"]
    return SafeString(render_to_string(names, {"page": page, "regions": page.regions}) if names else "")


@register.filter
def hours_in_words(rows: Iterable[OpeningHours]) -> str:
    """Rows of hours in words, to stand on their own: `Monday and Tuesday, 8 a.m. to noon`."""
    return capfirst("; ".join(_grouped(rows)))


@register.filter
def weekdays(rows: Iterable[OpeningHours]) -> str:
    """The days of rows of hours: `Monday, Tuesday and Thursday`."""
    return _enumerated([str(Weekday(day).label) for day in sorted({row.weekday for row in rows})])


@register.filter
def spoken(languages: Iterable[str]) -> str:
    """Languages in words: `English and Spanish`, `Inglés y español`."""
    names = [_(language) for language in languages]
    # Spanish writes the names of languages small.
    return capfirst(_enumerated([name.lower() for name in names] if get_language() == "es" else names))


def _enumerated(names: list[str]) -> str:
    return _(" and ").join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


@register.simple_tag
def closed_ahead(clinic: Clinic) -> list[Holiday]:
    """The days of the next two months on which the clinic is closed."""
    return clinic.closed_ahead(timezone.localdate())


@register.simple_tag(takes_context=True)
def drawing(context: template.Context, name: str) -> SafeString:
    """The drawing of that name, the clinic's own or the house's (`conditions/drawings/<name>.html`); nothing for others."""
    if own := brand.drawing(name):
        return own
    try:
        found = get_template(f"conditions/drawings/{name}.html")
    except TemplateDoesNotExist:
        return SafeString("")
    return SafeString(found.template.render(context))


@register.filter
def readable_tables(body: SafeString, label: str) -> SafeString:
    """Name each table of a rich text after its heading, and make those of three columns or more readable row by row.

    On a narrow screen each cell then stands under its row's head, beside the name of its column. Roles are
    written out, as some browsers forget that what is no longer laid out as a table still is one.
    """
    numbers = count(1)

    def named(match: re.Match[str]) -> str:
        number = next(numbers)
        name = escape(label if number == 1 else f"{label} ({number})")
        columns = [strip_tags(cell[3]) for cell in _CELL.finditer(match[1].partition("</thead>")[0])]
        if len(columns) < 3 or "span=" in match[1]:
            return f'<div class="table wide"><table aria-label="{name}">{match[1]}</table></div>'
        rows = _ROW.sub(lambda row: _with_columns(row[1], columns), match[1])
        rows = re.sub("<(thead|tbody)>", r'<\1 role="rowgroup">', rows)
        return f'<div class="table wide"><table class="rows" role="table" aria-label="{name}">{rows}</table></div>'

    return SafeString(re.sub(r"<table>(.*?)</table>", named, body, flags=re.S))


def _with_columns(cells: str, columns: list[str]) -> str:
    """A table row whose cells know their role, and those that no one reads a head for, their column."""
    names = iter(columns)

    def cell(match: re.Match[str]) -> str:
        element, attributes, text = match.groups()
        column = next(names, "")
        role = "cell" if element == "td" else "columnheader" if "col" in attributes else "rowheader"
        named = f' data-column="{column}"' if element == "td" else ""
        return f'<{element}{attributes} role="{role}"{named}>{text}</{element}>'

    return f'<tr role="row">{_CELL.sub(cell, cells)}</tr>'


def _grouped(rows: Iterable[OpeningHours]) -> Iterator[str]:
    by_day: dict[int, list[tuple[time, time]]] = {}
    for row in rows:
        by_day.setdefault(row.weekday, []).append((row.opens_at, row.closes_at))
    numbered = enumerate(sorted(by_day))
    # Days in a row with the same hours keep the same distance from their place in the list.
    for (_distance, spans), run in groupby(numbered, key=lambda pair: (pair[1] - pair[0], by_day[pair[1]])):
        days = [day for _position, day in run]
        times = _(" and ").join(_("%(from)s to %(to)s") % {"from": _clock(start), "to": _clock(end)} for start, end in spans)
        yield _("%(days)s, %(times)s") % {"days": _days(days), "times": times}


def _days(days: list[int]) -> str:
    names = [str(Weekday(day).label) for day in days]
    if len(names) < 3:
        return _(" and ").join(names)
    return _("%(from)s to %(to)s") % {"from": names[0], "to": names[-1]}


def _clock(moment: time) -> str:
    if moment.minute == 0 and moment.hour in {0, 12}:
        return _("midnight") if moment.hour == 0 else _("noon")
    shown = f"{moment.hour % 12 or 12}" + (f":{moment.minute:02}" if moment.minute else "")
    # The same words as Django's "P" format, so that every time of day on the site reads alike.
    half = _("a.m.") if moment.hour < 12 else _("p.m.")
    return f"{shown}\N{NO-BREAK SPACE}{half}"
