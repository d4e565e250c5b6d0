"""The site itself as an application."""

from django.apps import AppConfig


class ClinicSiteConfig(AppConfig):
    """Holds the clinic's record and the commands that serve the whole site."""

    name = "clinic_site"
    verbose_name = "Clinic"

    def ready(self) -> None:
        """Register the system checks, and report errors where that is asked for."""
        from django.conf import settings

        from . import checks, error_reports  # noqa: F401

        # `new_key` runs before there are settings.
        if dsn := getattr(settings, "SENTRY_DSN", ""):
            error_reports.start(dsn)
