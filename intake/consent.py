"""What a person agrees to when they send a request. A new wording gets a new version; old ones stay with their requests."""

from django.utils.translation import gettext as _

CONSENT_VERSION = "2026-11"


def consent_text(clinic_name: str) -> str:
    """The wording beside the box, in the language of the page."""
    return _("I agree that %(clinic_name)s may use these answers to contact me about my care.") % {
        "clinic_name": clinic_name or _("the clinic")
    }
