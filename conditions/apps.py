"""What patients read."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConditionsConfig(AppConfig):
    """Pages, people, references and the words of the site."""

    name = "conditions"
    verbose_name = _("Pages")
