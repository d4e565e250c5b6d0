"""Drawings and logo where a page is set on paper."""

import base64

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .. import brand, paper
from ..brand_files import PNG
from ..models import Clinic
from .site import drawing

register = template.Library()


@register.simple_tag(takes_context=True)
def paper_drawing(context: template.Context, name: str, alt: str) -> SafeString:
    """The drawing of that name in the clinic's colours; nothing where there is none."""
    found = drawing(context, name)
    return SafeString(paper.on_paper(found, paper.tokens_of(context["clinic"]), name=name, alt=alt)) if found else found


@register.simple_tag(takes_context=True)
def paper_mark(context: template.Context, is_on_dark: bool) -> SafeString:
    """The clinic's logo, or the house's mark; on a dark cover in the colours of dark bands."""
    clinic: Clinic = context["clinic"]
    logo = clinic.file("logo")
    if logo and logo.format == PNG:
        picture = base64.b64encode(brand.content_of(logo)).decode()
        return format_html('<img class="head__mark" src="data:image/png;base64,{}" alt="{}">', picture, clinic.name)
    tokens = paper.tokens_of(clinic)
    if is_on_dark:
        tokens |= {"petrol": tokens["on-deep"], "coral-fill": tokens["warm"], "coral": tokens["warm"], "ink": tokens["on-deep"]}
    drawn = brand.content_of(logo).decode() if logo else render_to_string("art/paper_mark.html")
    drawn = drawn.replace("<svg ", '<svg class="head__mark" ', 1)
    return SafeString(paper.on_paper(drawn, tokens, name="mark", alt=clinic.name))
