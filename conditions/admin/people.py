"""Doctors, where and when they see patients, and what patients say."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from modeltranslation.admin import TranslationAdmin

from conditions.models import Location, Physician, PhysicianHours, Testimonial

from .fields import HoursInline, SideBySide
from .saving import EditsContent, RefusesUnseen


@admin.register(Location)
class LocationAdmin(SideBySide, RefusesUnseen, EditsContent, TranslationAdmin):
    """Places where doctors see patients."""

    list_display = ["name", "street", "city", "phone", "is_sample"]
    search_fields = ["name_en", "street", "city"]
    prepopulated_fields = {"key": ["name"]}
    fieldsets = [
        (None, {"fields": [("name_en", "name_es"), ("key", "position"), "is_sample"]}),
        (_("Contact"), {"fields": ["street", ("city", "state", "postal_code"), "phone"]}),
        (_("Getting there"), {"fields": [("access_note_en", "access_note_es"), ("directions_en", "directions_es")]}),
    ]


class PhysicianHoursInline(HoursInline):
    """Where and when a doctor sees patients."""

    model = PhysicianHours
    extra = 0
    fields = [("location", "weekday", "opens_at", "closes_at")]


@admin.register(Physician)
class PhysicianAdmin(SideBySide, RefusesUnseen, EditsContent, TranslationAdmin):
    """Doctors of the clinic."""

    inlines = [PhysicianHoursInline]
    list_display = ["name", "role", "is_published", "is_sample", "accepting_new_patients"]
    list_filter = ["is_published", "is_sample"]
    search_fields = ["name", "role_en"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", ("slug", "position"), "credentials", "email", "is_published", "is_sample"]}),
        (_("Profile"), {"fields": [(f"{name}_en", f"{name}_es") for name in ("role", "board", "lead", "bio")]}),
        (_("Training"), {"fields": ["training_en", "training_es"]}),
        (_("Practice"), {"fields": ["languages", ("days_en", "days_es"), "accepting_new_patients", "interests", "portrait"]}),
    ]

    def view_on_site(self, physician: Physician) -> str | None:
        """The public profile, once there is one."""
        return physician.get_absolute_url() if physician.is_published else None


@admin.register(Testimonial)
class TestimonialAdmin(SideBySide, RefusesUnseen, EditsContent, TranslationAdmin):
    """Patients' own words with their authorisation, or samples."""

    list_display = ["display_name", "descriptor", "is_published", "is_sample", "consent_recorded_on", "consent_expires_on"]
    list_filter = ["is_published", "is_sample"]
    search_fields = ["display_name", "quote_en"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("key", "position"),
                    ("quote_en", "quote_es"),
                    "display_name",
                    ("descriptor_en", "descriptor_es"),
                    "pages",
                    ("is_published", "is_sample"),
                ]
            },
        ),
        (_("Authorisation"), {"fields": ["consent_recorded_on", "consent_scope", "consent_expires_on", "consent_withdrawn_on"]}),
    ]
