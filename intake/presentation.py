"""A request as staff read it: words for states and times, answers in groups. Nothing here writes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractUser
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import get_language_info, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from conditions.models import Page

from .fields import Undecryptable, parse_phone
from .models import AttemptOutcome, ConsultationRequest, LeadStatus, Priority

SOON = timedelta(hours=2)

GROUPS = (
    (gettext_lazy("The problem"), ("red_flags", "pain_area", "interest", "message", "imaging")),
    (gettext_lazy("Contact"), ("name", "phone", "email", "preferred_contact", "best_time", "may_leave_voicemail")),
    (gettext_lazy("Who it is for"), ("on_behalf_of", "patient_name", "relation", "patient_is_minor")),
    (gettext_lazy("Language and access"), ("spoken_language", "needs_interpreter", "access_needs")),
    (gettext_lazy("How they found us"), ("referral_source",)),
)

MOVES = {
    LeadStatus.NEW: pgettext_lazy("move a request", "Restore to new"),
    LeadStatus.CONTACTED: pgettext_lazy("move a request", "Contacted"),
    LeadStatus.SCHEDULED: pgettext_lazy("move a request", "Scheduled"),
    LeadStatus.CLOSED: pgettext_lazy("move a request", "Close"),
    LeadStatus.SPAM: pgettext_lazy("move a request", "Suspected spam"),
}

# What to do after a try that did not reach the person.
NEXT_STEP = {
    AttemptOutcome.VOICEMAIL: gettext_lazy("Waits for an answer"),
    AttemptOutcome.MESSAGE_SENT: gettext_lazy("Waits for an answer"),
    AttemptOutcome.NO_ANSWER: gettext_lazy("Try again"),
    AttemptOutcome.WRONG_CONTACT: gettext_lazy("Find another way"),
}

SPAM_WORDS = {
    "honeypot": gettext_lazy("a field that people cannot see was filled in"),
    "too_fast": gettext_lazy("the form was sent within seconds"),
    "links": gettext_lazy("the text holds a link"),
    "many_links": gettext_lazy("the text holds many links"),
    "markup": gettext_lazy("the text holds link code"),
    "repeat": gettext_lazy("the same answers were sent before"),
    "busy_network": gettext_lazy("many requests came from the same network"),
    "flood": gettext_lazy("very many requests came from the same network while the database was away"),
}


@dataclass(frozen=True)
class Answer:
    """One answer: the column's name, its label, and the text; empty where none was given."""

    field: str
    label: str
    text: str

    @property
    def is_readable(self) -> bool:
        """Whether a key opened it."""
        return not isinstance(self.text, Undecryptable)


@dataclass(frozen=True)
class Group:
    """Answers that belong together: those given, and those left out."""

    heading: str
    given: list[Answer]
    missing: list[Answer]


def grouped_answers(lead: ConsultationRequest) -> list[Group]:
    """Every answer of a request in the groups of its page. Looks one page up."""
    groups = []
    for heading, names in GROUPS:
        answers = [Answer(name, _label(name), _text(lead, name)) for name in names]
        groups.append(Group(str(heading), [one for one in answers if one.text], [one for one in answers if not one.text]))
    return groups


def _text(lead: ConsultationRequest, field: str) -> str:
    return named_interest(lead.interest) if field == "interest" else lead.shown(field)


def _label(field: str) -> str:
    return str(getattr(ConsultationRequest, field).field.verbose_name)


def named_interest(slug: str) -> str:
    """The name of the page that a request asks about; the stored value where there is no such page."""
    if not slug or isinstance(slug, Undecryptable):
        return slug
    page = Page.objects.filter(slug=slug).first()
    return page.name if page else slug


def spam_words(reasons: Iterable[str]) -> list[str]:
    """Reason codes in words."""
    return [str(SPAM_WORDS.get(reason, reason)) for reason in reasons]


def dialled(lead: ConsultationRequest) -> str:
    """The number for a `tel:` link; empty where there is no whole one."""
    readable = lead.phone and not isinstance(lead.phone, Undecryptable)
    return lead.phone if readable and parse_phone(lead.phone) else ""


def ways_to_answer(lead: ConsultationRequest) -> str:
    """How they want to be answered; where they did not say, what they left. Needs a request read `with_ways_to_answer`."""
    preferred = lead.shown("preferred_contact")
    if isinstance(preferred, Undecryptable):
        return _("could not be read")
    if preferred:
        return preferred
    if lead.has_phone and lead.has_email:
        return _("Phone or email")
    return _("Phone") if lead.has_phone else _("Email")


def language_name(code: str) -> str:
    """A language of the site in the reader's words; the code where it isn't known."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def shown_user(user: AbstractUser) -> str:
    """A colleague as lists name them."""
    return user.get_short_name() or user.get_username()


def moment(at: datetime, now: datetime) -> str:
    """A time of day, with its date unless that is today."""
    local, today = timezone.localtime(at), timezone.localtime(now).date()
    words = {"time": date_format(local, "TIME_FORMAT")}
    if local.date() == today:
        return _("today, %(time)s") % words
    words["day"] = date_format(local, "MONTH_DAY_FORMAT" if local.year == today.year else "DATE_FORMAT")
    return _("%(day)s, %(time)s") % words


def due(lead: ConsultationRequest, now: datetime) -> tuple[str, str, str]:
    """What to do next: a tone (late, soon, ok, met, none), words, and the exact times behind them.

    Needs a request read `with_last_attempt`.
    """
    tone, words = _due(lead, now)
    if lead.status == LeadStatus.NEW and lead.last_outcome in NEXT_STEP:
        outcome = AttemptOutcome(lead.last_outcome).label
        return tone, words, f"{outcome}, {moment(lead.last_tried_at, now)}"
    exact = _("by %(moment)s") % {"moment": moment(lead.respond_by, now)} if tone in {"late", "soon", "ok"} else ""
    return tone, words, exact


def _due(lead: ConsultationRequest, now: datetime) -> tuple[str, str]:
    if lead.status == LeadStatus.NEW and lead.last_outcome in NEXT_STEP:
        return "soon", str(NEXT_STEP[AttemptOutcome(lead.last_outcome)])
    if lead.first_contact_at:
        return "met", _("Answered late") if lead.first_contact_at > lead.respond_by else _("Answered in time")
    if lead.status != LeadStatus.NEW:
        return "none", "-"
    if lead.is_overdue(now):
        return "late", _("%(time)s overdue") % {"time": timesince(lead.respond_by, now, depth=1)}
    if lead.priority == Priority.URGENT:
        return "late", _("Call first")
    tone = "soon" if lead.respond_by - now < SOON else "ok"
    return tone, _("%(time)s left") % {"time": timeuntil(lead.respond_by, now, depth=1)}
