"""The form, and the receipt. Success and failure are separate pages that share no text."""

import math

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from clinic_site.network import client_address, network_of
from clinic_site.site_record import current_clinic
from conditions import addresses
from conditions.models import SPANISH

from . import spam
from .consent import CONSENT_VERSION, consent_text
from .forms import ConsultationForm
from .middleware import remember, to_receipt
from .published_pages import published_pages
from .services import NotStored, OutcomeUnknown, Receipt, promise, submit_consultation_request
from .submission import Submission, shown_reference
from .tokens import SubmissionToken, has_read_warning, read_receipt, warning_token

RETRY_AFTER_SECONDS = 120
# The button of this name asks for the form in the other language, with what was typed.
SWITCH = "switch_language"
FREE_TEXTS = ("name", "patient_name", "relation", "message", "spoken_language", "access_needs")
no_store = cache_control(no_store=True, private=True)


@no_store
@require_http_methods(["GET", "HEAD", "POST"])
def consultation(request: HttpRequest) -> HttpResponse:
    """The consultation form; `?about=<slug>` carries along the page it is opened from."""
    if request.method == "POST":
        return _receive(request)
    form = ConsultationForm(clinic=current_clinic(), pages=published_pages(), origin=request.GET.get("about", ""))
    return _show(request, "intake/consultation.html", form)


def _in_this_language(request: HttpRequest) -> HttpResponse:
    """The form as it was filled in so far, in the language of the address it was posted to. Sends nothing."""
    return _show(request, "intake/consultation.html", _as_typed(request))


@no_store
def not_trusted(request: HttpRequest) -> HttpResponse:
    """Says that nothing was sent, and keeps what was typed, where the cookie against foreign forms is missing or another."""
    form = _as_typed(request)
    return _show(request, "intake/not_trusted.html", form, status=403, submit_label=_("Try again with the same answers"))


def _as_typed(request: HttpRequest) -> ConsultationForm:
    token = request.POST.get("submission", "")
    return ConsultationForm(
        clinic=current_clinic(),
        pages=published_pages(),
        origin=request.POST.get("origin", ""),
        submission_token=token if SubmissionToken.read(token) else SubmissionToken.renewed(token),
        warning_token=request.POST.get("warning", ""),
        honeypot=request.POST.get("website", ""),
        in_doubt="in_doubt" in request.POST,
        kept=request.POST,
    )


def _receive(request: HttpRequest) -> HttpResponse:
    if SWITCH in request.POST:
        return _in_this_language(request)
    clinic = current_clinic()
    sent_token = request.POST.get("submission", "")
    token = SubmissionToken.read(sent_token)
    form = ConsultationForm(
        request.POST,
        clinic=clinic,
        pages=published_pages(),
        origin=request.POST.get("origin", ""),
        submission_token=sent_token if token else SubmissionToken.renewed(sent_token),
        warning_token=request.POST.get("warning", ""),
        honeypot=request.POST.get("website", ""),
        in_doubt="in_doubt" in request.POST,
    )
    is_valid = form.is_valid()
    if token is None:
        form.add_error(
            None, _("This page was open for more than a day, or was changed on the way. Please press the button once more.")
        )
    if token is None or not is_valid:
        return _show(request, "intake/consultation.html", form, status=422)

    if form.has_red_flag and not has_read_warning(form.warning_token, token.submission_id):
        form.warning_token = warning_token(token.submission_id)
        return _show(request, "intake/warning.html", form, submit_label=_("I have read this. Send my request"))

    answers = form.answers()
    submission = Submission(
        submission_id=token.submission_id,
        answers=answers,
        received_at=timezone.now(),
        consent_version=CONSENT_VERSION,
        consent_text=consent_text(clinic.name),
        language=get_language() or "en",
        origin=form.origin,
        spam_reasons=tuple(spam.reasons_in([answers.get(name, "") for name in FREE_TEXTS], honeypot=form.honeypot, took=token.age)),
        network=network_of(client_address(request)),
    )
    try:
        receipt = submit_consultation_request(submission, was_in_doubt=form.in_doubt)
    except spam.FloodLimit as limit:
        seconds = math.ceil(limit.retry_after.total_seconds())
        response = _show(
            request,
            "intake/too_many.html",
            form,
            status=429,
            submit_label=_("Try again with the same answers"),
            retry_minutes=math.ceil(seconds / 60),
        )
        response.headers["Retry-After"] = str(seconds)
        return response
    except NotStored:
        return _failed(request, "intake/not_sent.html", form)
    except OutcomeUnknown:
        form.in_doubt = True
        return _failed(request, "intake/not_sure.html", form)
    remember(request, receipt)
    return to_receipt(receipt)


def _failed(request: HttpRequest, template: str, form: ConsultationForm) -> HttpResponse:
    response = _show(request, template, form, status=503, submit_label=_("Try again with the same answers"))
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _alternates(name: str, *arguments: str) -> dict[str, str]:
    """Addresses by language, once there are Spanish pages; asks no database that was just away."""
    with override(SPANISH):
        has_spanish = bool(published_pages())
    return addresses.of_view(name, ("en", SPANISH) if has_spanish else ("en",), *arguments)


def _show(
    request: HttpRequest, template: str, form: ConsultationForm, *, status: int = 200, submit_label: str = "", **context: object
) -> HttpResponse:
    context |= {
        "form": form,
        "submit_label": submit_label or _("Send my request"),
        "alternates": _alternates("intake:consultation"),
    }
    return render(request, template, context, status=status)


@no_store
@require_safe
def received(request: HttpRequest, token: str) -> HttpResponse:
    """The receipt: reference, when it was saved, what happens next. Needs no database and shows no answer."""
    found = read_receipt(token)
    if found is None:
        raise Http404
    reference, received_at = found
    remember(request, Receipt(reference, received_at))
    context = {
        "reference": shown_reference(reference),
        "received_at": received_at,
        "respond_by": promise(current_clinic(), received_at),
        "alternates": _alternates("intake:received", token),
    }
    return render(request, "intake/received.html", context)
