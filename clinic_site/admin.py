"""The clinic's own record in admin."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from modeltranslation.admin import TranslationAdmin

from .models import Clinic, Holiday, OpeningHours


class OpeningHoursInline(admin.StackedInline):
    """When the phone is answered."""

    model = OpeningHours
    extra = 0
    fields = [("weekday", "opens_at", "closes_at")]


class HolidayInline(admin.StackedInline):
    """Days on which it is not."""

    model = Holiday
    extra = 0
    fields = [("date", "name")]


@admin.register(Clinic)
class ClinicAdmin(TranslationAdmin):
    """One record: it can be changed, never added twice or deleted."""

    inlines = [OpeningHoursInline, HolidayInline]
    fieldsets = [
        (None, {"fields": ["name", "legal_name", "tagline", "description", "is_sample"]}),
        (
            _("Contact"),
            {
                "fields": [
                    "phone",
                    "email",
                    "street",
                    ("city", "state", "postal_code"),
                    "country",
                    "time_zone",
                    "access_note",
                    "directions",
                ]
            },
        ),
        (_("What we promise"), {"fields": ["response_promise", "response_working_days"]}),
        (
            _("Messages of the consultation form"),
            {"fields": ["message_headline", "message_thanks", "message_follow_up", "message_error"]},
        ),
    ]

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        Clinic.bump_content_revision()

    def has_add_permission(self, request):
        return not Clinic.objects.exists() and super().has_add_permission(request)

    def has_delete_permission(self, request, obj=None):
        return False
