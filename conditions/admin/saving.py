"""Saves that the public sees."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db import models, transaction
from django.forms import CheckboxSelectMultiple
from django.http import HttpResponse
from js_asset.media import Media

from clinic_site.models import Clinic

# A list of boxes needs no script and has a label for each.
CHECKBOXES: dict[type[models.Field], Mapping[str, Any]] = {models.ManyToManyField: {"widget": CheckboxSelectMultiple}}


class EditsContent(admin.ModelAdmin):
    """Saves that the public sees: every process is told; the text editor runs under the content security policy."""

    formfield_overrides = CHECKBOXES | {models.URLField: {"assume_scheme": "https"}}

    class Media:
        js = ["js/admin-editor.js", "js/admin-paste.js"]

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        Clinic.bump_content_revision()

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        Clinic.bump_content_revision()

    @transaction.atomic
    def delete_queryset(self, request, queryset):
        super().delete_queryset(request, queryset)
        Clinic.bump_content_revision()

    def render_change_form(self, request, context, *args, **kwargs) -> HttpResponse:
        context["media"] = Media.from_media(context["media"], nonce=request.csp_nonce)
        return super().render_change_form(request, context, *args, **kwargs)
