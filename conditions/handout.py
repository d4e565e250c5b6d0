"""A page as a tagged PDF (PDF/UA-1), made from the same rows as its web twin, in the clinic's own look."""

import atexit
import hashlib
import logging
import os
import secrets
import threading
from datetime import date
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language

from clinic_site.models import Clinic
from clinic_site.paper import style_sheet

from .content_pack import is_behind_english
from .models import SPANISH, Packet, Page, Physician
from .presentation import present

MAX_FILES = 500  # some 30 MB; a library in two languages has a hundred
# Who else asks while one is made is asked to come back, so that most threads go on answering pages.
MAX_WAITING = 3
PATIENCE_SECONDS = 4.0

log = logging.getLogger(__name__)
_lock = threading.Lock()
_places = threading.BoundedSemaphore(MAX_WAITING)
# For each database, page, language and surgeon: the content revision and day, and the name of the file that was made for them.
_names: dict[tuple[str, int, str, int], tuple[tuple[int, date], str]] = {}


class Busy(Exception):
    """Others are being made already: the one who asks may come back in a few seconds."""


class Unavailable(Exception):
    """This machine cannot make PDFs; the log says what is missing."""


def handout_pdf(page: Page, physician: Physician | None = None) -> bytes:
    """The page on paper; a packet with a cover that names its surgeons, or the one whose patients it is for.

    A published one is made once for its text and look, then read from disk, by every
    process and after every restart. Raises Busy and Unavailable.
    """
    clinic = Clinic.current()
    key = (str(connection.settings_dict["NAME"]), page.pk, get_language() or "en", physician.pk if physician else 0)
    # A review that has become overdue is said from that day on.
    edition = (clinic.content_revision, timezone.localdate())
    known, name = _names.get(key, (None, ""))
    if page.is_published and known == edition and (content := _read(name)):
        return content
    sheet = style_sheet(clinic)
    html = _html(page, clinic, physician)
    name = hashlib.sha256("\0".join((html, sheet, version("weasyprint"))).encode()).hexdigest()
    content = _read(name) if page.is_published else b""
    if not content:
        content = _made(html, sheet, name if page.is_published else "")
    if page.is_published:
        _names[key] = (edition, name)
    return content


def _html(page: Page, clinic: Clinic, physician: Physician | None) -> str:
    packet = Packet.objects.filter(page=page).prefetch_related("physicians").first()
    return render_to_string(
        "conditions/handout_pdf.html",
        {
            "page": page,
            "packet": packet,
            "surgeons": [physician] if physician else packet.physicians.all() if packet else [],
            "review_overdue": page.is_review_overdue(timezone.localdate()),
            "is_behind_english": get_language() == SPANISH and is_behind_english(page),
            "presented": present(page, on_paper=True, physician=physician),
            "clinic": clinic,
            "site_url": settings.SITE_URL,
        },
    )


def _made(html: str, sheet: str, name: str) -> bytes:
    """The PDF of a text, kept on disk under `name` where there is one."""
    if not _places.acquire(blocking=False):
        raise Busy
    try:
        # One at a time: it takes a second of work, and whoever waits for the same finds it made.
        if not _lock.acquire(timeout=PATIENCE_SECONDS):
            raise Busy
        try:
            return (_read(name) if name else b"") or _make(html, sheet, name)
        finally:
            _lock.release()
    finally:
        _places.release()


def _make(html: str, sheet: str, name: str) -> bytes:
    try:
        from weasyprint import HTML  # takes a second and needs Pango, so only where a PDF is made
    except OSError as error:
        log.error("The PDF library needs Pango. On Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0")
        raise Unavailable from error
    parsed, fonts = _parsed(sheet)
    document = HTML(string=html, base_url=str(settings.BASE_DIR))
    content = document.write_pdf(stylesheets=[parsed], font_config=fonts, pdf_variant="pdf/ua-1", dpi=200)
    if name:
        _keep(name, content)
    return content


@lru_cache(maxsize=2)
def _parsed(sheet: str) -> tuple[Any, Any]:
    """A sheet as the library wants it, with its fonts loaded: as much work as a short page."""
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    # Its fonts are given back with the library still whole.
    atexit.register(_parsed.cache_clear)
    return CSS(string=sheet, font_config=fonts), fonts


def _read(name: str) -> bytes:
    try:
        return (Path(settings.HANDOUT_DIR) / f"{name}.pdf").read_bytes()
    except OSError:
        return b""


def _keep(name: str, content: bytes) -> None:
    """Write a file whole or not at all; beyond MAX_FILES the oldest go. A folder that cannot be written costs speed alone."""
    folder = Path(settings.HANDOUT_DIR)
    part = folder / f"{secrets.token_hex(8)}.part"
    try:
        folder.mkdir(exist_ok=True)
        part.write_bytes(content)
        os.replace(part, folder / f"{name}.pdf")
        kept = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
        for path in kept[:-MAX_FILES]:
            path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("PDF not kept on disk: %s", type(error).__name__)


def forget() -> None:
    """Drop what is known of kept files; for tests that change pages without telling other processes."""
    _names.clear()
