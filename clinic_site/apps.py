"""The site itself as an application."""

from django.apps import AppConfig


class ClinicSiteConfig(AppConfig):
    """Holds the clinic's record and the commands that serve the whole site."""

    name = "clinic_site"
    verbose_name = "Clinic"

    def ready(self) -> None:
        """Register the system checks."""
        from . import checks  # noqa: F401
