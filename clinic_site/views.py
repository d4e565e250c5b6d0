"""Small files that browsers and robots ask for, and the pages for when something went wrong."""

import datetime
from pathlib import PurePosixPath

from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.static import serve

from intake.views import not_trusted

from . import brand
from .brand_files import CONTENT_TYPES
from .models import Clinic
from .site_record import current_clinic

PICTURE_TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".avif": "image/avif"}


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What robots may fetch. A demonstration site asks to be left out altogether by the robots header of its answers."""
    closed = ["/admin/", "/consultation/received/", "/search/", "/es/consulta/recibida/", "/es/buscar/"]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), ""]
    lines.append(f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain")


@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """The web app manifest: name, colours and icons."""
    clinic = current_clinic()
    return JsonResponse(
        {
            "name": clinic.name,
            "short_name": clinic.name[:24],
            "start_url": "/",
            "display": "browser",
            "background_color": clinic.colours["paper"],
            "theme_color": clinic.colours["deep"],
            "icons": _icons(clinic),
        },
        content_type="application/manifest+json",
    )


def _icons(clinic: Clinic) -> list[dict[str, str]]:
    logo = clinic.file("logo")
    if logo:
        return [{"src": brand.address(logo), "sizes": "any", "type": CONTENT_TYPES[logo.format]}]
    return [{"src": static(f"img/icon-{side}.png"), "sizes": f"{side}x{side}", "type": "image/png"} for side in (192, 512)]


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Where to report a security problem (RFC 9116). Expires a year from the day it is asked for."""
    expires = (timezone.now() + datetime.timedelta(days=364)).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: mailto:{current_clinic().email}",
        f"Expires: {expires.isoformat()}",
        "Preferred-Languages: en, es",
        f"Canonical: {settings.SITE_URL}{request.path}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """Browsers that ask for it by this name; not for ever, since the name it leads to changes with the picture."""
    return HttpResponseRedirect(static("img/favicon.ico"))


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Uploaded pictures and nothing else, for a year: another picture has another name. Opened by itself one can do nothing."""
    content_type = PICTURE_TYPES.get(PurePosixPath(path).suffix)
    if content_type is None:
        raise Http404
    try:
        response = serve(request, path, document_root=settings.MEDIA_ROOT)
    except OSError as error:
        # A name longer than the disk takes, or a folder we may not read, is no file of ours.
        raise Http404 from error
    response["Content-Type"] = content_type
    response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400, without saying what was sent."""
    return _failure(request, "400.html", 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return _failure(request, "403.html", 403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404, with a search box and ways on."""
    return _failure(request, "404.html", 404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose protection cookie is missing or old: how to send it again, and the phone; for staff, where they were."""
    match = request.resolver_match
    if match and match.view_name == "intake:consultation":
        return not_trusted(request)
    if match and match.app_name == "admin":
        staff = admin.site.each_context(request) | {"title": _("Nothing was saved"), "again": request.get_full_path()}
        return _failure(request, "admin/not_trusted.html", 403, **staff)
    return _failure(request, "403_csrf.html", 403)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, from a template that needs neither the database nor the request; memory knows whom to call."""
    response = HttpResponse(render_to_string("500.html", {"clinic": current_clinic()}), status=500)
    response["Cache-Control"] = "no-store"
    return response


def _failure(request: HttpRequest, template: str, status: int, **values: object) -> HttpResponse:
    response = render(request, template, {"nav_current": "", **values}, status=status)
    response["Cache-Control"] = "no-store"
    return response
