"""Fields of the public form: what each lets through, and in which words it refuses."""

import re
import unicodedata
from typing import Any

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from email_validator import EmailNotValidError, validate_email

from .fields import parse_phone

SLUG = re.compile(r"[a-z0-9-]{1,80}")
# Marks that reverse or re-order the text around them: a name could show as another one.
BIDI_CONTROLS = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}


def refuse_unreadable(value: str, *, allowed: str = "") -> None:
    """Raise ValidationError on characters that no keyboard types into a form: controls, half characters, re-ordering marks."""
    for char in value:
        if unicodedata.category(char) in {"Cc", "Cs"} and char not in allowed or char in BIDI_CONTROLS:
            raise ValidationError(_("This has characters that we cannot read. Please type it again."), code="unreadable")


class Line(forms.CharField):
    """One line of text, trimmed, inner runs of spaces made one."""

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)
        self.error_messages["max_length"] = _("Use %(limit_value)d characters or fewer. You have %(show_value)d.")
        self.widget.attrs.setdefault("class", "input")

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        refuse_unreadable(text, allowed="\t")
        return re.sub(r"\s+", " ", text)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        # No maxlength: a browser would cut off what is pasted without a word.
        return {}


class Paragraphs(Line):
    """Text of several lines; a line break counts as one character, as in the browser."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        text = (forms.CharField.to_python(self, value) or "").replace("\r\n", "\n").replace("\r", "\n")
        refuse_unreadable(text, allowed="\t\n")
        return text


class EmailAddress(Line):
    """An e-mail address, checked by form alone: nothing is looked up."""

    def clean(self, value: Any) -> str:
        """The address as mail servers write it, or nothing. Raises ValidationError where it can't be one."""
        text = super().clean(value)
        if not text:
            return ""
        try:
            return validate_email(text, check_deliverability=False).normalized
        except EmailNotValidError:
            raise ValidationError(_("Enter an email address like name@example.com"), code="invalid") from None


class PhoneNumber(Line):
    """A telephone number as people type it; gives E.164, with `;ext=` where there is an extension."""

    def clean(self, value: Any) -> str:
        """The number, or nothing. Raises ValidationError where digits are missing."""
        text = super().clean(value)
        if not text:
            return ""
        number = parse_phone(text)
        if number is None:
            raise ValidationError(
                _("Enter a phone number with all its digits, for example 703-555-0142, or with + and the country code"),
                code="invalid",
            )
        dialled = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return f"{dialled};ext={number.extension}" if number.extension else dialled


class Listed(forms.ChoiceField):
    """A choice from a list in the database; any well-formed key while that list can't be read."""

    is_list_known = True

    def valid_value(self, value: str) -> bool:
        return super().valid_value(value) or (not self.is_list_known and bool(SLUG.fullmatch(value)))


class Interest(Listed):
    """One of the published pages."""


class PainArea(Listed):
    """One of the parts of the body that the clinic treats."""


class RedFlags(Listed, forms.MultipleChoiceField):
    """Signs that need an emergency room."""
