"""Photos that staff upload."""

from django import forms
from django.contrib import admin
from django.db import transaction
from django.forms import Script
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from modeltranslation.admin import TranslationAdmin

from clinic_site.models import Clinic
from conditions import photos, services
from conditions.models import Photo

from .fields import SideBySide
from .saving import EditsContent, RefusesUnseen


class PhotoForm(forms.ModelForm):
    """A photo with its picture, which was examined before the form is read."""

    class Meta:
        field_classes = {"picture": photos.ArrivedPictureField}
        help_texts = {
            "picture": _("JPEG, PNG, WebP or AVIF, up to 12 MB. Place and camera data in it are removed."),
        }

    def clean_picture(self):
        picture = self.cleaned_data["picture"]
        if isinstance(picture, str):
            photos.forget_size(self.instance)
        return picture


@admin.register(Photo)
class PhotoAdmin(SideBySide, RefusesUnseen, EditsContent, TranslationAdmin):
    """Pictures for pages and portraits."""

    form = PhotoForm
    list_display = ["thumbnail", "key", "alt", "size", "is_sample"]
    list_display_links = ["key"]
    list_filter = ["is_sample"]
    search_fields = ["key", "alt_en", "alt_es", "credit"]
    readonly_fields = ["preview"]
    fieldsets = [
        (None, {"fields": ["picture", "alt", "key", "credit", "is_sample"]}),
        (_("Focal point"), {"fields": [("focal_x", "focal_y"), "preview"]}),
    ]

    class Media:
        js = [Script("js/admin-focal-point.js", defer=True)]

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "picture":
            field.widget.attrs["accept"] = photos.ACCEPT
        return field

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        # A picture takes seconds, in which a transaction would hold up everyone who writes.
        upload = request.FILES.get("picture")
        may = self.has_change_permission(request) if object_id else self.has_add_permission(request)
        if not upload or not may:
            return super().changeform_view(request, object_id, form_url, extra_context)
        arrived = request.FILES["picture"] = photos.receive(upload)
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        finally:
            if arrived.name and not Photo.objects.filter(picture=arrived.name).exists():
                photos.remove(arrived.name)

    def save_model(self, request, obj, form, change):
        services.store_photo(obj)

    def delete_model(self, request, obj):
        services.delete_photo(obj)
        Clinic.bump_content_revision()

    @transaction.atomic
    def delete_queryset(self, request, queryset):
        for photo in queryset:
            self.delete_model(request, photo)

    @admin.display(description=_("picture"))
    def thumbnail(self, photo: Photo) -> str:
        return render_to_string("admin/photo_thumbnail.html", {"photo": photo})

    @admin.display(description=_("size"))
    def size(self, photo: Photo) -> str:
        return f"{photo.width} × {photo.height}"

    @admin.display(description=_("preview"))
    def preview(self, photo: Photo) -> str:
        # As stored: a form with a mistake in it may hold a picture that is not kept.
        stored = Photo.objects.filter(pk=photo.pk).first()
        return render_to_string("admin/photo_preview.html", {"photo": stored}) if stored else "-"
