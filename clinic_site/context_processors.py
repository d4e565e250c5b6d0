"""What every template may use."""

from django.conf import settings
from django.http import HttpRequest

from .site_record import current_clinic


def clinic(request: HttpRequest) -> dict[str, object]:
    """`clinic`: the clinic's record. `canonical_url`: this page's public address, without a query string."""
    return {"clinic": current_clinic(), "canonical_url": settings.SITE_URL + request.path, "site_url": settings.SITE_URL}
