"""What every request and response passes through, beside Django's own middleware."""

import base64
import codecs
import functools
import hashlib
import logging
import re
import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils import timezone

from .network import client_address
from .page_cache import WARMING
from .site_record import current_clinic, zone_of

access_log = logging.getLogger("clinic_site.access")
Answer = Callable[[HttpRequest], HttpResponseBase]


class PathLog:
    """One access line a request: method, path, status and time. Never a query string or Referer."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        if WARMING in request.META:
            return response
        milliseconds = (time.perf_counter() - started) * 1000
        # The resolved pattern, not the path, where one part is a signed reference.
        match = request.resolver_match
        path = f"/{match.route}" if match and match.kwargs and match.app_name != "admin" else request.path
        access_log.info(
            "%s %s %s %.0fms %s",
            request.method if request.method in KNOWN_METHODS else "OTHER",
            path.encode("ascii", "backslashreplace").decode()[:200].replace("\n", " ").replace("\r", " "),
            response.status_code,
            milliseconds,
            client_address(request),
        )
        return response


KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}


class ClinicTime:
    """Days begin, and times are read and written, where the clinic is: in the time zone of its record."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with timezone.override(zone_of(current_clinic().time_zone)):
            return self.get_response(request)


class Compression(GZipMiddleware):
    """Django's own, for what becomes smaller by it; pictures are packed already, and keep their length and ETag."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The response, compressed unless it is a picture."""
        if response.get("Content-Type", "").startswith(("image/png", "image/jpeg", "image/webp", "image/avif")):
            return response
        return super().process_response(request, response)


class OwnHeaders:
    """Isolation headers that Django has no setting for, on every response and static file."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cross-Origin-Embedder-Policy", "require-corp")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("X-Frame-Options", "DENY")
        return response


class SampleSite:
    """Asks search engines to keep every answer out of their lists while the clinic's record is a sample."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not request.path.startswith(settings.STATIC_URL) and current_clinic().is_sample:
            response["X-Robots-Tag"] = "noindex"
        return response


class ReadableBody:
    """Answers 400 to a form body that cannot be text, before any view or the CSRF check reads it.

    Django decodes a body with the charset the sender names, and answers 500
    where that is no charset or one that is not a superset of ASCII.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/admin/") and self._is_too_long(request):
            return HttpResponse("The form is too long.", status=413, content_type="text/plain")
        if request.method in {"POST", "PUT", "PATCH"} and not self._is_readable(request):
            return HttpResponse("Bad request: the form must be sent as UTF-8 text.", status=400, content_type="text/plain")
        return self.get_response(request)

    @staticmethod
    def _is_too_long(request: HttpRequest) -> bool:
        """Longer than any form of the public; only staff upload files, so nothing of a stranger's is ever spooled to disk."""
        try:
            return int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        except ValueError:
            return True

    @staticmethod
    def _is_readable(request: HttpRequest) -> bool:
        charset = (request.content_params or {}).get("charset")
        if charset:
            try:
                if codecs.lookup(charset).name not in {"utf-8", "ascii", "iso8859-1"}:
                    return False
            except (LookupError, ValueError, TypeError):
                return False
        try:
            request.POST  # noqa: B018  (parses the body now, so that a broken one is refused here)
        except RequestDataTooBig:
            raise
        except Exception:
            return False
        return True


class Integrity:
    """Adds Subresource Integrity to every script and stylesheet of an HTML page, admin's own included.

    Digests come from the collected, hashed files, so they are computed once a file and process.
    """

    TAG = re.compile(r'<(?:script\b[^>]*?\bsrc|link\b(?=[^>]*\brel="stylesheet")[^>]*?\bhref)="([^"?#]+)"(?![^>]*\bintegrity=)')

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponse) and response.get("Content-Type", "").startswith("text/html"):
            response.content = self.TAG.sub(self._with_digest, response.content.decode(response.charset)).encode(response.charset)
            if "Content-Length" in response:
                response["Content-Length"] = str(len(response.content))
        return response

    @classmethod
    def _with_digest(cls, match: re.Match[str]) -> str:
        digest = _digest_of(match[1]) if match[1].startswith(settings.STATIC_URL) else ""
        return f'{match[0]} integrity="{digest}"' if digest else match[0]


@functools.cache
def _digest_of(url: str) -> str:
    """`sha384-…` of a collected static file; empty where it is not collected (a development server)."""
    path = (settings.STATIC_ROOT / url.removeprefix(settings.STATIC_URL)).resolve()
    if not path.is_relative_to(settings.STATIC_ROOT) or not path.is_file():
        return ""
    return "sha384-" + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()
