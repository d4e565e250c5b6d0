"""What search engines are told exists."""

import datetime
from collections.abc import Iterable
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from .addresses import of_page
from .models import ENGLISH, SPANISH, Page, Physician


class BothLanguages(Sitemap):
    """Each thing in each language it is there in, and with it the address in the other; English for everyone else.

    Addresses are those of the site's own host, whatever host was asked.
    """

    i18n = alternates = x_default = True

    def get_protocol(self, protocol: str | None = None) -> str:
        """That of the site's address."""
        return urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: Any = None) -> str:
        """The host of the site's address."""
        return urlsplit(settings.SITE_URL).netloc

    def get_languages_for_item(self, item: Any) -> list[str]:
        """Both, once there are pages in Spanish."""
        return [ENGLISH, SPANISH] if self._has_spanish else [ENGLISH]

    @cached_property
    def _has_spanish(self) -> bool:
        return Page.objects.published(SPANISH).exists()


class PageSitemap(BothLanguages):
    """Published pages with a medical review that is not long overdue, or with nothing to review."""

    def get_languages_for_item(self, item: Page) -> list[str]:
        """The languages a page is published in."""
        return list(of_page(item))

    def items(self) -> Iterable[Page]:
        """Pages that may be listed."""
        return Page.objects.indexable(timezone.localdate())

    def lastmod(self, page: Page) -> datetime.datetime:
        """When its words last changed, in the language in use."""
        return page.last_revised_at

    def get_urls(self, page: int | str = 1, site: Any = None, protocol: str | None = None) -> list[dict[str, Any]]:
        """The entries, each with the date of its own language."""
        entries = super().get_urls(page, site, protocol)
        for entry in entries:
            listed, language = entry["item"]
            with override(language):
                entry["lastmod"] = self.lastmod(listed)
        return entries


class PhysicianSitemap(BothLanguages):
    """Profiles of real physicians; samples are never listed."""

    def items(self) -> Iterable[Physician]:
        """Published, real profiles."""
        return Physician.objects.filter(is_published=True, is_sample=False)


class ListSitemap(BothLanguages):
    """The front page, the lists and the form."""

    def items(self) -> list[str]:
        """URL names."""
        names = ["home", "procedure_index", "condition_index", "symptom_index", "guide_index", "physician_index", "glossary"]
        return [f"conditions:{name}" for name in names] + ["intake:consultation"]

    def location(self, item: str) -> str:
        """The address of a list."""
        return reverse(item)


SITEMAPS = {"pages": PageSitemap, "physicians": PhysicianSitemap, "lists": ListSitemap}
