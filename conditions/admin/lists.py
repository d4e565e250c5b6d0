"""What all pages share: sources to cite, and words with their meaning."""

from django.contrib import admin
from modeltranslation.admin import TranslationAdmin

from conditions.models import GlossaryTerm, Reference

from .fields import SideBySide
from .saving import EditsContent, RefusesUnseen


@admin.register(Reference)
class ReferenceAdmin(RefusesUnseen, EditsContent, admin.ModelAdmin):
    """Sources that pages cite by key."""

    list_display = ["key", "title", "checked_on"]
    search_fields = ["key", "title"]


@admin.register(GlossaryTerm)
class GlossaryTermAdmin(SideBySide, RefusesUnseen, EditsContent, TranslationAdmin):
    """Words and what they mean."""

    list_display = ["term", "definition"]
    search_fields = ["term_en", "term_es", "definition_en"]
    prepopulated_fields = {"slug": ["term"]}
