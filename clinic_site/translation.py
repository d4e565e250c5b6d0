"""Which words of the clinic's record exist once for each language."""

from modeltranslation.translator import TranslationOptions, register

from .models import Clinic


@register(Clinic)
class ClinicTranslation(TranslationOptions):
    """What the clinic says about itself and promises; its name and address stay as they are."""

    fields = (
        "tagline",
        "description",
        "access_note",
        "directions",
        "response_promise",
        "message_headline",
        "message_thanks",
        "message_follow_up",
        "message_error",
    )
