"""The pages a request can be about, also while the database is away."""

import logging
import time
from dataclasses import dataclass

from django.db import Error, connection
from django.utils.translation import get_language

from conditions.models import Kind, Page

ASK_AGAIN_SECONDS = 2

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublishedPage:
    """As much of a page as the form shows."""

    slug: str
    kind: Kind
    name: str
    title: str


_last_good: dict[tuple[str, str], dict[str, PublishedPage]] = {}
_ask_again_at = 0.0


def published_pages() -> dict[str, PublishedPage]:
    """Published pages by slug, in the current language; the last good copy while the database is away.

    Empty where the database is away and this process has never seen it. A database
    that just failed isn't asked again at once, so that nobody waits for it twice.
    """
    global _ask_again_at
    key = (str(connection.settings_dict["NAME"]), get_language() or "")
    if time.monotonic() >= _ask_again_at:
        try:
            _last_good[key] = {
                page.slug: PublishedPage(page.slug, Kind(page.kind), page.name or page.title, page.title)
                for page in Page.objects.published().order_by("name")
            }
        except Error as error:
            log.warning("list of pages not readable: %s", type(error).__name__)
            _ask_again_at = time.monotonic() + ASK_AGAIN_SECONDS
    return _last_good.get(key, {})
