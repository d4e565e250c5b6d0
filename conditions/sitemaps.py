"""What search engines are told exists."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.sitemaps import Sitemap
from django.urls import reverse
from django.utils import timezone

from .addresses import of_page
from .models import Page, Physician


class PageSitemap(Sitemap):
    """Published pages with a medical review that is not long overdue, or with nothing to review, each with its other language."""

    i18n = alternates = True

    def get_languages_for_item(self, page: Page) -> list[str]:
        """The languages a page is published in."""
        return list(of_page(page))

    def items(self) -> Iterable[Page]:
        """Pages that may be listed."""
        return Page.objects.indexable(timezone.localdate())

    def lastmod(self, page: Page) -> datetime:
        """When the page last changed."""
        return page.changed_at


class PhysicianSitemap(Sitemap):
    """Profiles of real physicians; samples are never listed."""

    def items(self) -> Iterable[Physician]:
        """Published, real profiles."""
        return Physician.objects.filter(is_published=True, is_sample=False)


class StaticSitemap(Sitemap):
    """The front page and the lists."""

    def items(self) -> list[str]:
        """URL names."""
        names = ["home", "procedure_index", "condition_index", "symptom_index", "guide_index", "physician_index", "glossary"]
        return [f"conditions:{name}" for name in names] + ["intake:consultation"]

    def location(self, item: str) -> str:
        """The address of a list."""
        return reverse(item)


SITEMAPS = {"pages": PageSitemap, "physicians": PhysicianSitemap, "lists": StaticSitemap}
