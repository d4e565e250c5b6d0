"""Fields of the admin forms: both languages side by side, lists typed one entry a line, tables typed row by row."""

from typing import Any

from django import forms
from django.contrib.admin.options import BaseModelAdmin, StackedInline
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTimeWidget
from django.db import models
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

LANGUAGES = {"en": _("English"), "es": _("Spanish")}


class LinesField(forms.Field):
    """A list of texts, typed one a line."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        """The list as lines; what was typed as it was typed."""
        return "\n".join(str(entry) for entry in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        """The lines that hold something."""
        lines = value if isinstance(value, list) else (value or "").splitlines()
        return [line.strip() for line in lines if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the list is another; how it is broken into lines does not count."""
        return self.to_python(initial) != self.to_python(data)


class CodesField(LinesField):
    """ICD-10-CM codes, typed one a line, kept under the name of their system."""

    SYSTEM = "icd10cm"

    def prepare_value(self, value: Any) -> Any:
        """The codes as lines."""
        return super().prepare_value(value.get(self.SYSTEM, []) if isinstance(value, dict) else value)

    def clean(self, value: Any) -> dict[str, list[str]]:
        """The codes under the name of their system, or nothing."""
        codes = [code.upper() for code in super().clean(value)]
        return {self.SYSTEM: codes} if codes else {}

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether a code came or went."""
        return super().has_changed(initial.get(self.SYSTEM, []) if isinstance(initial, dict) else initial, data)


class TrainingWidget(forms.Widget):
    """A row for each stage of a training, with blank ones above and below to add more; works without a script."""

    template_name = "admin/training.html"
    use_fieldset = True
    PARTS = {
        "what": pgettext_lazy("training", "What"),
        "where": pgettext_lazy("training", "Where"),
        "year": _("Year, if it is shown"),
    }
    BLANK: dict[str, str] = {}
    MOST = 60

    class Media:
        js = [forms.Script("js/admin-rows.js", type="module")]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The rows as they are, or as they were typed, and blank ones below."""
        context = super().get_context(name, value, attrs)
        steps = [step for step in value or [] if isinstance(step, dict)]
        shown = [self.BLANK, *steps, *[self.BLANK] * 3] if steps else [self.BLANK] * 3
        rows = [[(part, label, step.get(part) or "") for part, label in self.PARTS.items()] for step in shown]
        return context | {"name": name, "labels": self.PARTS.values(), "rows": rows, "lang": self.attrs.get("lang", "")}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, str]]:
        """The rows that hold something and are not ticked to be removed, in their order."""
        rows = []
        for number in range(self.MOST):
            step = {part: str(data.get(f"{name}-{number}-{part}") or "").strip() for part in self.PARTS}
            if any(step.values()) and not data.get(f"{name}-{number}-remove"):
                rows.append(step)
        return rows

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Whether the form did not hold the table at all."""
        return f"{name}-0-what" not in data

    def id_for_label(self, id_: str) -> str:
        """None: the table has a legend."""
        return ""


class TrainingField(forms.Field):
    """What a doctor learned, where, and when if that is to be shown."""

    widget = TrainingWidget
    LONGEST = 120

    def clean(self, value: Any) -> list[dict[str, str]]:
        """Each stage with what and where; a year only where one was typed."""
        for step in value:
            if not (step["what"] and step["where"]):
                raise forms.ValidationError(
                    _("“%(step)s”: say both what and where."), params={"step": step["what"] or step["where"] or step["year"]}
                )
            if max(map(len, step.values())) > self.LONGEST:
                raise forms.ValidationError(
                    _("“%(step)s …”: up to 120 characters in each box."), params={"step": step["what"][:30]}
                )
        return [{part: text for part, text in step.items() if text} for step in value]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether a word of it is another."""
        return [{part: text for part, text in step.items() if text} for step in data or []] != (initial or [])


LINES = dict.fromkeys(("alternate_names", "search_terms", "callouts", "languages"), LinesField) | {"codes": CodesField}


class SideBySide(BaseModelAdmin):
    """Forms that name the language of each field, for people and for machines, and take lists one entry a line or row."""

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        """The field, labelled with its language, so that spelling is checked and read aloud in that language."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        original = getattr(db_field, "translated_field", db_field)
        if field is None:
            return None
        if original.name in LINES and isinstance(original, models.JSONField):
            widget = AdminTextareaWidget(attrs={"rows": 3, "class": "vLargeTextField lines"})
            help_text = original.help_text or _("One a line.")
            field = LINES[original.name](label=field.label, required=False, help_text=help_text, widget=widget)
        if original.name == "training":
            field = TrainingField(
                label=field.label, required=False, help_text=_("The newest first. Empty a row, or tick it, to remove it.")
            )
        if language := getattr(db_field, "language", ""):
            field.label = format_lazy("{} ({})", capfirst(original.verbose_name), LANGUAGES[language])
            field.widget.attrs["lang"] = language
            if language != "en":
                field.help_text = ""
        return field


class HoursInline(StackedInline):
    """Hours of the day, without seconds."""

    formfield_overrides = {models.TimeField: {"widget": AdminTimeWidget(format="%H:%M")}}


class PlacedFormSet(BaseInlineFormSet):
    """Rows that have a position: a new one without a number goes to the end."""

    def add_fields(self, form: forms.ModelForm, index: int | None) -> None:
        """Leaves the position of a new row open."""
        super().add_fields(form, index)
        if form.instance.pk is None:
            form.fields["position"].required = False
            form.initial["position"] = None

    def save_new(self, form: forms.ModelForm, commit: bool = True) -> models.Model:
        """The new row, at the end where no number was typed."""
        if form.instance.position is None:
            taken = [row.instance.position for row in self.forms if row.instance.position is not None]
            form.instance.position = max(taken, default=-1) + 1
        return super().save_new(form, commit)
