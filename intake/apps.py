"""What patients send."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntakeConfig(AppConfig):
    """Consultation requests and the work on them."""

    name = "intake"
    verbose_name = _("Requests")
