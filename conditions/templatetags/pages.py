"""Links to pages that a site may or may not have, words kept on one line, what a list of sources has in common."""

from collections.abc import Sequence
from datetime import date

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from .. import rich_text
from ..addresses import known_paths
from ..presentation import ShownReference

register = template.Library()


@register.simple_tag
def page_path(slug: str) -> str:
    """The address of a guide or a page about the clinic; empty where it isn't published in the language in use."""
    return known_paths().get(slug, "")


@register.filter
def unbroken(text: str, words: str = "") -> SafeString:
    """Text or HTML in which no line ends after the X of X-ray or before 911; with "every", within no word that has a hyphen."""
    return mark_safe(rich_text.unbroken(conditional_escape(text), every=words == "every"))


@register.filter
def read_on_one_day(references: Sequence[ShownReference]) -> date | None:
    """The day on which several sources were all read, so that a list says it once; None if days differ."""
    days = {entry.reference.checked_on for entry in references}
    return days.pop() if len(days) == 1 and len(references) > 1 else None
