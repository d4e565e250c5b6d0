"""The clinic's own record in admin."""

from io import BytesIO
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from modeltranslation.admin import TranslationAdmin, TranslationStackedInline
from PIL import Image, UnidentifiedImageError

from conditions.admin.fields import HoursInline, SideBySide
from conditions.admin.saving import RefusesUnseen

from . import theme
from .accounts import FOR_ONCE, PasswordForOnce, make_one_time
from .brand_files import LARGEST, PNG, PNG_SIDE
from .models import BodyRegion, BrandFile, Clinic, Holiday, OpeningHours, WarningSign

LOGO_SIDE = 512

# Two apps of others, under names that staff understand.
apps.get_app_config("auth").verbose_name = _("Staff accounts")
apps.get_app_config("axes").verbose_name = _("Sign-in record")


admin.site.unregister(User)


@admin.register(User)
class StaffAccountAdmin(UserAdmin):
    """Staff accounts. A password that one person sets for another has to be replaced at the first sign-in."""

    change_password_form = PasswordForOnce
    add_fieldsets = [(None, {**UserAdmin.add_fieldsets[0][1], "description": FOR_ONCE})]

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if not change:
            make_one_time(obj)

    def get_deleted_objects(self, objs, request):
        """Django's record of who changed and deleted what goes with an account: one that is in it is closed, not deleted."""
        *found, protected = super().get_deleted_objects(objs, request)
        if LogEntry.objects.filter(user__in=objs).exists():
            protected.append(_("The record of what this account changed. To close the account, clear “Active” instead."))
        return *found, protected

    def user_change_password(self, request, id, form_url=""):
        """One's own is changed where the old one is asked for, and is not for once."""
        if unquote(id) == str(request.user.pk):
            return HttpResponseRedirect(reverse("admin:password_change"))
        return super().user_change_password(request, id, form_url)


class ThemeWidget(forms.Widget):
    """A row for each role, a colour to pick in light and in dark."""

    template_name = "admin/theme.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = value if isinstance(value, dict) else {}
        shown = {mode: theme.colours(chosen, mode) for mode in theme.MODES}
        context["modes"] = list(theme.MODES.values())
        context["rows"] = [
            (label, [(f"{name}_{mode}_{role}", shown[mode][role], mode_label) for mode, mode_label in theme.MODES.items()])
            for role, label in theme.ROLES.items()
        ]
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> theme.Theme:
        """Only what differs from the house's colours."""
        found: theme.Theme = {}
        for mode in theme.MODES:
            for role, usual in theme.DEFAULTS[mode].items():
                colour = str(data.get(f"{name}_{mode}_{role}", usual)).lower()
                if colour != usual:
                    found.setdefault(mode, {})[role] = colour
        return found


class ThemeField(forms.Field):
    """Colours by role; the record itself refuses pairs that are too faint to read."""

    widget = ThemeWidget


class ClinicForm(forms.ModelForm):
    """The record, and a logo to go with it."""

    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        help_text=_("A square PNG picture. It stands beside the name, and in the browser’s tab."),
    )
    remove_logo = forms.BooleanField(label=_("Use the house’s mark again"), required=False)

    def clean_logo(self) -> bytes | None:
        """The picture, drawn anew: nothing that was hidden in the file is kept."""
        upload = self.cleaned_data["logo"]
        if not upload:
            return None
        refused = forms.ValidationError(_("This is no PNG picture of up to 2000 by 2000 pixels and 200 KB."))
        if upload.size > LARGEST[PNG]:
            raise refused
        try:
            with Image.open(upload, formats=["PNG"]) as picture:
                if max(picture.size) > PNG_SIDE:
                    raise refused
                picture.thumbnail((LOGO_SIDE, LOGO_SIDE))
                drawn = BytesIO()
                picture.convert("RGBA").save(drawn, "PNG", optimize=True)
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            raise refused from None
        if drawn.tell() > LARGEST[PNG]:
            raise refused
        return drawn.getvalue()


class OpeningHoursInline(HoursInline):
    """When the phone is answered."""

    model = OpeningHours
    extra = 0
    fields = [("weekday", "opens_at", "closes_at")]


class HolidayInline(admin.StackedInline):
    """Days on which it is not."""

    model = Holiday
    extra = 0
    fields = [("date", "name")]


class BodyRegionInline(SideBySide, TranslationStackedInline):
    """The parts of the body it treats."""

    model = BodyRegion
    extra = 0
    classes = ["collapse"]
    fields = [("position", "key"), ("name_en", "name_es"), ("hint_en", "hint_es")]


class WarningSignInline(SideBySide, TranslationStackedInline):
    """What the form asks for, as it needs an emergency room."""

    model = WarningSign
    extra = 0
    classes = ["collapse"]
    fields = [("position", "key"), ("text_en", "text_es")]


def in_both(*names: str) -> list[tuple[str, str]]:
    """Fields that exist once for each language, side by side."""
    return [(f"{name}_en", f"{name}_es") for name in names]


@admin.register(Clinic)
class ClinicAdmin(RefusesUnseen, SideBySide, TranslationAdmin):
    """One record: it can be changed, never added twice or deleted."""

    form = ClinicForm
    inlines = [OpeningHoursInline, HolidayInline, BodyRegionInline, WarningSignInline]
    fieldsets = [
        (None, {"fields": ["name", "legal_name", *in_both("tagline", "description"), "is_sample"]}),
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
                    *in_both("access_note", "directions"),
                ]
            },
        ),
        (_("What we promise"), {"fields": [*in_both("response_promise"), "response_working_days"]}),
        (
            _("Messages of the consultation form"),
            {"fields": in_both("message_headline", "message_thanks", "message_follow_up", "message_error")},
        ),
        (
            _("Front page"),
            {"classes": ["collapse"], "fields": [*in_both("home_heading", "home_lead"), "body_map", *in_both("regions_note")]},
        ),
        (
            _("Look"),
            {
                "classes": ["collapse"],
                "description": _("Colors that people with low vision could not tell apart are refused."),
                "fields": ["logo", "remove_logo", "heading_font", "text_font", "theme"],
            },
        ),
        (
            _("What it treats"),
            {
                "classes": ["collapse"],
                "fields": [*in_both("specialist", "conditions_heading", "search_example", "urgent_signs"), "medical_specialty"],
            },
        ),
    ]

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "theme":
            return ThemeField(label=_("Colors"), required=False)
        if db_field.name in ("heading_font", "text_font"):
            own = BrandFile.objects.filter(format="woff2").values_list("key", "key")
            choices = [*((key, label) for key, (label, _families) in theme.BUILT_IN_FONTS.items()), *own]
            return forms.ChoiceField(label=db_field.verbose_name.capitalize(), choices=choices, required=False)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if form.cleaned_data["remove_logo"]:
            BrandFile.objects.filter(key="logo").delete()
        if form.cleaned_data["logo"]:
            logo = BrandFile.objects.filter(key="logo").first() or BrandFile(key="logo")
            logo.content = form.cleaned_data["logo"]
            logo.full_clean()
            logo.save()
        Clinic.bump_content_revision()

    def has_add_permission(self, request):
        return not Clinic.objects.exists() and super().has_add_permission(request)

    def has_delete_permission(self, request, obj=None):
        return False
