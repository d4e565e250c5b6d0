"""The start page of staff."""

from django import template
from django.template import Context
from django.utils import timezone

from clinic_site import dashboard

register = template.Library()


@register.simple_tag(takes_context=True)
def today(context: Context) -> dashboard.Today:
    """What waits for the person who is signed in: `{% today as today %}`."""
    return dashboard.today(context["request"].user, timezone.now())
