"""Saves that the public sees."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
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


class ChangedMeanwhile:
    """Makes a form that can be read, but not saved: what it would overwrite was never shown."""

    def clean(self) -> None:
        super().clean()  # type: ignore[misc]
        raise ValidationError(
            _(
                "Nothing was saved: somebody else changed this while you had it open. Everything you typed is still here. "
                "Look at what is stored now; if yours is right all the same, save again."
            ),
            code="changed_meanwhile",
        )


class RefusesUnseen(admin.ModelAdmin):
    """A save over a change that its author has not seen is refused once. Pages, which have a history, do it their own way.

    The form carries a digest of what it was opened on: the row, what it is joined to, and the rows in its inlines.
    """

    change_form_template = "admin/opened_form.html"

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        with transaction.atomic():
            row = self.get_object(request, unquote(object_id)) if object_id else None
            if row and request.method == "POST":
                row = self.model._default_manager.select_for_update().filter(pk=row.pk).first()
            stored = self._digest(request, row) if row else ""
            request.changed_meanwhile = row and request.POST.get("opened_as", stored) != stored
            shown = {"opened_as": stored, "changed_meanwhile": request.changed_meanwhile}
            return super().changeform_view(request, object_id, form_url, (extra_context or {}) | shown)

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        if getattr(request, "changed_meanwhile", False):
            return type(form)(form.__name__, (ChangedMeanwhile, form), {})
        return form

    def render_change_form(self, request, context, *args, **kwargs) -> HttpResponse:
        # The panel above the form says why it came back; Django would say it once more, in small print.
        if context.get("changed_meanwhile") and list(context["adminform"].form.errors) == [NON_FIELD_ERRORS]:
            context["errors"] = [] if len(context["errors"]) == 1 else context["errors"]
        return super().render_change_form(request, context, *args, **kwargs)

    def _digest(self, request: HttpRequest, row: models.Model) -> str:
        rows = [row]
        for inline in self.get_inline_instances(request, row):
            formset = inline.get_formset(request, row)
            rows += formset(instance=row, queryset=inline.get_queryset(request)).get_queryset()
        return hashlib.sha256(repr([list(_values(each)) for each in rows]).encode()).hexdigest()


def _values(row: models.Model) -> Iterator[tuple[str, str]]:
    for field in row._meta.concrete_fields:
        if field.editable:
            yield field.attname, str(field.value_from_object(row))
    for joined in row._meta.many_to_many:
        yield joined.name, str(sorted(other.pk for other in joined.value_from_object(row)))
