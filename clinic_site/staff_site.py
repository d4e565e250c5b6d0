"""Django's admin site, with its lists in the order in which staff need them."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest

APPS = ["intake", "conditions", "clinic_site"]
MODELS = [
    *["ConsultationRequest", "Procedure", "Condition", "Symptom", "Guide", "Notice", "Page"],
    *["Physician", "Location", "Testimonial", "Photo", "GlossaryTerm", "Reference"],
]


class StaffSite(AdminSite):
    """Requests first, then pages by kind and what they are made of; whatever is not named here follows by name."""

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """What the person may look after, on the start page and at the side."""
        listed = super().get_app_list(request, app_label)
        for app in listed:
            app["models"].sort(key=lambda model: _place(model["object_name"], MODELS))
        return sorted(listed, key=lambda app: _place(app["app_label"], APPS))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Whoever looks after one list alone finds no list of lists beside it."""
        context = super().each_context(request)
        lists = sum(len(app["models"]) for app in context["available_apps"])
        return context | {"is_nav_sidebar_enabled": context["is_nav_sidebar_enabled"] and lists > 1}


class StaffSiteConfig(AdminConfig):
    """Makes it the admin site that every model is registered with."""

    default_site = "clinic_site.staff_site.StaffSite"


def _place(name: str, order: list[str]) -> int:
    return order.index(name) if name in order else len(order)
