"""Published pages served from memory, before the rest of the stack, and still there when the database is not.

A page is kept for the day, and for as long as the site's content revision stays
the same: review dates and authorisations pass at midnight. Every process looks
at the revision at most once a second. While the database is away the last good
copy is served, whatever its age.
"""

import gzip
import hashlib
import logging
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeGuard
from wsgiref.util import setup_testing_defaults

import brotli
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.timezone import localdate

from .site_record import current_clinic

MAX_PAGES = 2000  # far above a clinic's library; query strings are never kept
# Marks a request that the site makes to itself; it is in no log.
WARMING = "clinic_site.warming"
KEPT_TYPES = ("text/html", "application/xml", "application/atom+xml", "application/json", "image/png")
# `br;q=0`: anything but that.
REFUSED = re.compile(r";\s*q=0(\.0*)?\s*$")
Answer = Callable[[HttpRequest], HttpResponseBase]
# What a kept page was true for: the content revision and the day.
State = tuple[int, date]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kept:
    """One page as it was answered: its headers and its body in each encoding."""

    state: State
    headers: tuple[tuple[str, str], ...]
    bodies: dict[str, bytes]
    etag: str

    @classmethod
    def of(cls, response: HttpResponse, state: State) -> "Kept":
        """The response, compressed once for all who ask."""
        body = response.content
        etag = '"' + hashlib.sha256(body).hexdigest()[:24] + '"'
        skipped = {"content-length", "content-encoding", "etag", "date", "vary"}
        headers = tuple((name, value) for name, value in response.items() if name.lower() not in skipped)
        bodies = {"": body}
        if not response["Content-Type"].startswith("image/"):
            bodies |= {"br": brotli.compress(body, quality=9), "gzip": gzip.compress(body, 9, mtime=0)}
        return cls(state, headers, bodies, etag)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The page in the best encoding the browser takes, or 304 where it has it already."""
        offers = request.headers.get("Accept-Encoding", "").split(",")
        accepted = {offer.split(";")[0].strip() for offer in offers if not REFUSED.search(offer)}
        encoding = next((name for name in ("br", "gzip") if name in accepted and name in self.bodies), "")
        tag = self.etag if not encoding else f'{self.etag[:-1]}-{encoding}"'
        fresh = tag in [part.strip().removeprefix("W/") for part in request.headers.get("If-None-Match", "").split(",")]
        response = HttpResponse(b"" if fresh else self.bodies[encoding], status=304 if fresh else 200)
        for name, value in self.headers:
            response[name] = value
        response["ETag"] = tag
        response["Vary"] = "Accept-Encoding"
        if encoding and not fresh:
            response["Content-Encoding"] = encoding
        if not fresh:
            response["Content-Length"] = str(len(self.bodies[encoding]))
        return response


class PageCache:
    """Answers GET and HEAD of public pages from memory; everyone with a session goes past it."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self.kept: dict[str, Kept] = {}
        self.lock = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not self._is_public(request):
            return self.get_response(request)
        state = (current_clinic().content_revision, localdate())
        kept = self.kept.get(request.path)
        if kept and kept.state == state:
            return kept.answer(request)
        response = self.get_response(request)
        if self._is_worth_keeping(response):
            fresh = Kept.of(response, state)
            with self.lock:
                if len(self.kept) < MAX_PAGES or request.path in self.kept:
                    self.kept[request.path] = fresh
            return fresh.answer(request)
        if response.status_code >= 500 and kept:
            return kept.answer(request)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A view that needed the database while it is away."""
        return _unavailable(request) if isinstance(exception, Error) else None

    @staticmethod
    def _is_public(request: HttpRequest) -> bool:
        if (
            request.method not in ("GET", "HEAD")
            or request.META.get("QUERY_STRING")
            or settings.SESSION_COOKIE_NAME in request.COOKIES
        ):
            return False
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return False
        try:
            request.get_host()
        except DisallowedHost:
            return False
        return True

    @staticmethod
    def _is_worth_keeping(response: HttpResponseBase) -> TypeGuard[HttpResponse]:
        return (
            isinstance(response, HttpResponse)
            and response.status_code == 200
            and not response.cookies
            and response.get("Cache-Control", "").startswith("public")
            and response.get("Content-Type", "").startswith(KEPT_TYPES)
        )


def _unavailable(request: HttpRequest) -> HttpResponse:
    response = render(request, "503.html", {"nav_current": ""}, status=503)
    response["Retry-After"] = "60"
    response["Cache-Control"] = "no-store"
    return response


def warm(handler: WSGIHandler, paths: Callable[[], Iterable[str]]) -> None:
    """Ask for each page once, so that each is kept before the first visitor comes, and before the database may go away.

    Does nothing where the database is away already. Leaves no connection open.
    """
    try:
        for path in paths():
            environ: dict[str, object] = {"PATH_INFO": path, "HTTP_HOST": settings.ALLOWED_HOSTS[0], "wsgi.url_scheme": "https"}
            if settings.TRUSTED_PROXIES:
                environ["HTTP_X_FORWARDED_PROTO"] = "https"
            setup_testing_defaults(environ)
            environ[WARMING] = True
            handler.get_response(WSGIRequest(environ))
    except Error as error:
        log.warning("pages not kept at the start: %s", type(error).__name__)
    finally:
        connection.close()
