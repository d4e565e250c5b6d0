"""The clinic's own record in admin."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from modeltranslation.admin import TranslationAdmin, TranslationStackedInline

from .models import BodyRegion, Clinic, Holiday, OpeningHours, WarningSign


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


class BodyRegionInline(TranslationStackedInline):
    """The parts of the body it treats."""

    model = BodyRegion
    extra = 0
    classes = ["collapse"]
    fields = [("position", "key"), ("name_en", "name_es"), ("hint_en", "hint_es")]


class WarningSignInline(TranslationStackedInline):
    """What the form asks for, as it needs an emergency room."""

    model = WarningSign
    extra = 0
    classes = ["collapse"]
    fields = [("position", "key"), ("text_en", "text_es")]


@admin.register(Clinic)
class ClinicAdmin(TranslationAdmin):
    """One record: it can be changed, never added twice or deleted."""

    inlines = [OpeningHoursInline, HolidayInline, BodyRegionInline, WarningSignInline]
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
        (_("Front page"), {"classes": ["collapse"], "fields": ["home_heading", "home_lead", "body_map", "regions_note"]}),
        (
            _("What it treats"),
            {
                "classes": ["collapse"],
                "fields": ["specialist", "conditions_heading", "search_example", "urgent_signs", "medical_specialty"],
            },
        ),
    ]

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        Clinic.bump_content_revision()

    def has_add_permission(self, request):
        return not Clinic.objects.exists() and super().has_add_permission(request)

    def has_delete_permission(self, request, obj=None):
        return False
