"""What every template may use."""

from django.conf import settings
from django.http import HttpRequest

from . import brand
from .site_record import current_clinic


def clinic(request: HttpRequest) -> dict[str, object]:
    """`clinic`: the clinic's record. `brand`: what its look adds. `canonical_url`: this page's address, without a query string."""
    record = current_clinic()
    address = settings.SITE_URL + request.path
    return {"clinic": record, "brand": brand.of(record), "canonical_url": address, "site_url": settings.SITE_URL}
