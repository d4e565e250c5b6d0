"""Links to pages that a site may or may not have."""

from django import template

from ..addresses import known_paths

register = template.Library()


@register.simple_tag
def page_path(slug: str) -> str:
    """The address of a guide or a page about the clinic; empty where it isn't published in the language in use."""
    return known_paths().get(slug, "")
