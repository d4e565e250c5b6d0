"""A page as a tagged PDF (PDF/UA-1), made from the same rows as its web twin."""

import logging
import threading

from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.translation import get_language

from clinic_site.models import Clinic

from .models import Packet, Page
from .presentation import present

log = logging.getLogger(__name__)
_lock = threading.Lock()
_made: dict[tuple[int, str], tuple[int, bytes]] = {}


def handout_pdf(page: Page) -> bytes | None:
    """The page on paper; a packet with a cover that names its surgeons. None, said in the log, where Pango is missing.

    Made once for each language, content revision and process, then answered from memory.
    """
    # One at a time: setting a page takes a second of work, and whoever waits finds it made.
    with _lock:
        return _from_memory(page)


def _from_memory(page: Page) -> bytes | None:
    clinic = Clinic.current()
    key = (page.pk, get_language() or "en")
    revision, content = _made.get(key, (0, b""))
    if revision == clinic.content_revision and page.is_published:
        return content
    try:
        from weasyprint import HTML  # takes a second and needs Pango, so only where a PDF is asked for
    except OSError:
        log.error("The PDF library needs Pango. On Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0")
        return None
    html = render_to_string(
        "conditions/handout_pdf.html",
        {
            "page": page,
            "packet": Packet.objects.filter(page=page).prefetch_related("physicians").first(),
            "presented": present(page, on_paper=True),
            "clinic": clinic,
            # The house's mark is a spine; a clinic with a logo of its own has its name alone.
            "has_own_logo": clinic.file("logo") is not None,
            "site_url": settings.SITE_URL,
            "stylesheet": finders.find("css/print-handout.css"),
        },
    )
    content = HTML(string=html, base_url=str(settings.STATICFILES_DIRS[0])).write_pdf(pdf_variant="pdf/ua-1")
    if page.is_published:
        _made[key] = (clinic.content_revision, content)
    return content


def forget() -> None:
    """Drop what was made; for tests that change pages without telling other processes."""
    _made.clear()
