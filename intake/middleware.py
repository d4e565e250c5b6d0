"""What holds for every answer about a request, whatever fails on the way."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse

from clinic_site.site_record import current_clinic

from .services import Receipt
from .submission import shown_reference
from .tokens import receipt_token

Answer = Callable[[HttpRequest], HttpResponseBase]

log = logging.getLogger(__name__)


class ReceiptStands:
    """Shows the receipt in place of an error page once a request is durable.

    A view that knows of a durable request says so with `remember`. From then on
    no fault of ours, in the view or in the middleware inside this one, may tell
    the person anything else.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        receipt: Receipt | None = getattr(request, "receipt", None)
        if receipt is None or response.status_code < 500:
            return response
        if request.method == "POST":
            try:
                return to_receipt(receipt)
            except Exception as error:
                log.error("receipt shown in place, its address failed: %s", type(error).__name__)
        return plain_receipt(receipt)


def remember(request: HttpRequest, receipt: Receipt) -> None:
    """From here on the person of this request is told "received", whatever else happens."""
    request.receipt = receipt  # type: ignore[attr-defined]


def to_receipt(receipt: Receipt) -> HttpResponse:
    """Send the browser to the receipt's own address."""
    token = receipt_token(receipt.reference, receipt.received_at)
    return HttpResponseRedirect(reverse("intake:received", args=[token]), status=303)


def plain_receipt(receipt: Receipt) -> HttpResponse:
    """The receipt in a page that needs neither the request, nor the database, nor the rest of the site."""
    context = {"reference": shown_reference(receipt.reference), "received_at": receipt.received_at, "clinic": current_clinic()}
    response = HttpResponse(render_to_string("intake/received_plain.html", context))
    response["Cache-Control"] = "no-store, private"
    return response
