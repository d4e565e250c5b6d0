"""Which words of the clinic's record exist once for each language."""

from modeltranslation.translator import TranslationOptions, register

from .models import BodyRegion, Clinic, WarningSign


@register(Clinic)
class ClinicTranslation(TranslationOptions):
    """What the clinic says about itself and promises; its name and address stay as they are."""

    fields = Clinic.WORDS


@register(BodyRegion)
class BodyRegionTranslation(TranslationOptions):
    """What a part of the body is called, and what people feel there."""

    fields = ("name", "hint")
    required_languages = {"en": ("name",)}


@register(WarningSign)
class WarningSignTranslation(TranslationOptions):
    """A sign in a patient's words."""

    fields = ("text",)
    required_languages = {"en": ("text",)}
