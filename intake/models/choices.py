"""Where a request stands, and what the form lets a person choose."""

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clinic_site.models import Clinic


class LeadStatus(models.TextChoices):
    """Where a request stands."""

    NEW = "new", _("New")
    CONTACTED = "contacted", _("Contacted")
    SCHEDULED = "scheduled", _("Scheduled")
    CLOSED = "closed", _("Closed")
    SPAM = "spam", _("Suspected spam")


NEXT_STATUSES: dict[LeadStatus, frozenset[LeadStatus]] = {
    LeadStatus.NEW: frozenset({LeadStatus.CONTACTED, LeadStatus.SCHEDULED, LeadStatus.CLOSED, LeadStatus.SPAM}),
    LeadStatus.CONTACTED: frozenset({LeadStatus.SCHEDULED, LeadStatus.CLOSED, LeadStatus.SPAM}),
    LeadStatus.SCHEDULED: frozenset({LeadStatus.CONTACTED, LeadStatus.CLOSED}),
    LeadStatus.CLOSED: frozenset({LeadStatus.CONTACTED}),
    LeadStatus.SPAM: frozenset({LeadStatus.NEW}),
}


class Priority(models.TextChoices):
    """How soon a request is read. Urgent: a warning sign was ticked. Sorts urgent first when descending."""

    ROUTINE = "routine", _("Routine")
    URGENT = "urgent", _("Urgent")


class YesNo(models.TextChoices):
    """A ticked or empty box, as text, so that it can be encrypted."""

    YES = "yes", _("Yes")
    NO = "no", _("No")


class ContactChannel(models.TextChoices):
    """How a person wants to be reached."""

    PHONE = "phone", _("Phone")
    EMAIL = "email", _("Email")


class BestTime(models.TextChoices):
    """When a person is best called."""

    ANY = "any", _("Any time")
    MORNING = "morning", _("Morning")
    MIDDAY = "midday", _("Midday")
    AFTERNOON = "afternoon", _("Afternoon")


class OnBehalfOf(models.TextChoices):
    """For whom the request is."""

    ME = "me", _("Me")
    OTHER = "other", _("Someone I help care for")


class Imaging(models.TextChoices):
    """Pictures that were already taken."""

    NONE = "none", _("None yet")
    XRAY = "xray", _("X-ray")
    MRI = "mri", _("MRI scan")
    CT = "ct", _("CT scan")
    OTHER = "other", _("Something else")


class ReferralSource(models.TextChoices):
    """How a person heard of the clinic."""

    DOCTOR = "doctor", _("A doctor or therapist")
    FRIEND = "friend", _("Family or a friend")
    SEARCH = "search", _("A search on the web")
    INSURANCE = "insurance", _("An insurance list")
    RETURNING = "returning", _("I have been a patient here")
    OTHER = "other", _("Another way")


NO_RED_FLAG = "none"
NOT_SURE = "unsure"


def red_flag_choices(clinic: Clinic) -> list[tuple[str, str | Promise]]:
    """The signs that need an emergency room, from the clinic's record, and that none of them is there."""
    return [*((sign.key, sign.text) for sign in clinic.signs), (NO_RED_FLAG, _("None of these"))]


def pain_area_choices(clinic: Clinic) -> list[tuple[str, str | Promise]]:
    """The parts of the body, from the clinic's record, and that a person can't tell."""
    return [*((region.key, region.name) for region in clinic.regions), (NOT_SURE, _("I am not sure"))]


# Which choices explain a stored code; several codes are joined by commas.
CHOICES_OF: dict[str, dict[str, str | Promise]] = {
    "preferred_contact": dict(ContactChannel.choices),
    "best_time": dict(BestTime.choices),
    "may_leave_voicemail": dict(YesNo.choices),
    "on_behalf_of": dict(OnBehalfOf.choices),
    "patient_is_minor": dict(YesNo.choices),
    "imaging": dict(Imaging.choices),
    "referral_source": dict(ReferralSource.choices),
    "needs_interpreter": dict(YesNo.choices),
}
# Which function gives those that the clinic's record lists. A code that is no longer listed is shown as it is.
LISTED_OF = {"pain_area": pain_area_choices, "red_flags": red_flag_choices}
