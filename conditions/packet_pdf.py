"""A packet as a tagged PDF, made from the same page as its web twin."""

import logging

from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.translation import get_language

from clinic_site.models import Clinic

from .models import Packet
from .presentation import present

log = logging.getLogger(__name__)
_made: dict[tuple[int, str, int], bytes] = {}


def packet_pdf(packet: Packet) -> bytes | None:
    """The packet as PDF/UA-1; None, said in the log, where the PDF library's system parts are missing.

    Made once for each language, content revision and process, then answered from memory.
    """
    clinic = Clinic.current()
    key = (packet.pk, get_language() or "en", clinic.content_revision)
    if key not in _made:
        try:
            from weasyprint import HTML  # takes a second and needs Pango, so only where a PDF is asked for
        except OSError:
            log.error("The PDF library needs Pango. On Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0")
            return None
        html = render_to_string(
            "conditions/packet_pdf.html",
            {
                "packet": packet,
                "page": packet.page,
                "presented": present(packet.page, on_paper=True),
                "clinic": clinic,
                "site_url": settings.SITE_URL,
                "stylesheet": finders.find("css/print-packet.css"),
                "title": escape(packet.page.title),
            },
        )
        for stale in [made for made in _made if made[:2] == key[:2]]:
            del _made[stale]
        _made[key] = HTML(string=html, base_url=str(settings.STATICFILES_DIRS[0])).write_pdf(pdf_variant="pdf/ua-1")
    return _made[key]
