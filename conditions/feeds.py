"""What is new or was revised, for feed readers."""

import datetime

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic_site.site_record import current_clinic

from .models import Page

ENTRIES = 30


class RevisedPages(Feed):
    """Published pages that search engines may list, in the language in use, the latest change of words first.

    Saving a page as it was changes nothing here. An entry keeps its id when its page moves.
    """

    feed_type = Atom1Feed

    def title(self) -> str:
        """What a reader's list of feeds shows."""
        return _("%(clinic)s: new and revised pages") % {"clinic": current_clinic().name}

    def subtitle(self) -> str:
        """What is in it."""
        return _("Pages about symptoms, conditions and treatments, when they are new and when their words change.")

    def link(self) -> str:
        """The front page."""
        return settings.SITE_URL + reverse("conditions:home")

    def feed_url(self) -> str:
        """Its own address, whatever host it was asked from."""
        return settings.SITE_URL + reverse("conditions:feed")

    def author_name(self) -> str:
        """The clinic."""
        return current_clinic().name

    def items(self) -> list[Page]:
        """The latest, newest first."""
        pages = Page.objects.indexable(timezone.localdate()).published()
        return sorted(pages, key=self.item_updateddate, reverse=True)[:ENTRIES]

    def item_title(self, page: Page) -> str:
        """Its title as it stands on the page; the generator escapes it."""
        return page.title

    def item_description(self, page: Page) -> str:
        """Its first sentences."""
        return page.summary

    def item_link(self, page: Page) -> str:
        """Its address today."""
        return settings.SITE_URL + page.get_absolute_url()

    def item_guid(self, page: Page) -> str:
        """The same for as long as the page exists, however it is called."""
        return f"{settings.SITE_URL}/#page-{page.pk}-{get_language()}"

    def item_categories(self, page: Page) -> list[str]:
        """The kind of page."""
        return [page.get_kind_display()]

    def item_pubdate(self, page: Page) -> datetime.datetime:
        """When it was first published; where that is not known, when its words last changed."""
        if not page.first_published_on:
            return page.last_revised_at
        return timezone.make_aware(datetime.datetime.combine(page.first_published_on, datetime.time()))

    def item_updateddate(self, page: Page) -> datetime.datetime:
        """When its words last changed, and never before it was there to read."""
        return max(page.last_revised_at, self.item_pubdate(page))
