"""What is read and not written: publications despite problems, mails to reviewers, searches in vain."""

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from conditions.models import PublishOverride, ReviewReminder, SearchMiss

from .fields import LANGUAGES


class RecordAdmin(admin.ModelAdmin):
    """Rows that the site writes itself: to be read."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        # With their page they may go; one by one nobody takes them away.
        own = request.resolver_match and request.resolver_match.view_name.startswith(f"admin:conditions_{self.opts.model_name}_")
        return not own and super().has_delete_permission(request, obj)


@admin.register(PublishOverride)
class PublishOverrideAdmin(RecordAdmin):
    """Who published what despite open problems, and why."""

    list_display = ["page", "language", "at", "by_name", "reason"]
    list_filter = ["language"]
    fields = ["page", "language", "at", "by_name", "reason", "problems_shown"]

    @admin.display(description=_("open problems"))
    def problems_shown(self, override: PublishOverride) -> str:
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((line,) for line in override.problems)))


@admin.register(ReviewReminder)
class ReviewReminderAdmin(RecordAdmin):
    """Mails to reviewers: which went out, and which could not."""

    list_display = ["page", "due_on", "sent_at", "attempts", "last_error"]
    fields = ["page", "due_on", "sent_at", "attempts", "next_try_at", "last_error"]


@admin.register(SearchMiss)
class SearchMissAdmin(admin.ModelAdmin):
    """What people looked for and did not find: a page, another name or a search word may be missing."""

    list_display = ["query", "language_shown", "count", "first_on", "last_on"]
    list_display_links = None
    list_filter = ["language"]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    @admin.display(description=_("language"), ordering="language")
    def language_shown(self, miss: SearchMiss) -> str:
        return LANGUAGES[miss.language]
