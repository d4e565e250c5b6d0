"""What patients send, and what the clinic does about it.

Every answer is an EncryptedTextField; beside it stand only times, states, keys
and keyed hashes. Rows of the Outbox hold keys, never answers.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Self

import phonenumbers
from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinic_site.models import Clinic
from clinic_site.site_record import current_clinic

from .fields import EncryptedTextField, Undecryptable, blind, folded, parse_phone, phone_forms
from .submission import Submission, plain_reference, shown_reference


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


class ConsultationRequestQuerySet(models.QuerySet):
    """Questions about requests."""

    def awaiting_first_contact(self) -> Self:
        """New requests nobody has answered yet."""
        return self.filter(status=LeadStatus.NEW, first_contact_at=None)

    def to_try_again(self) -> Self:
        """New requests that somebody tried to answer without reaching the person."""
        return self.filter(status=LeadStatus.NEW).exclude(first_contact_at=None)

    def overdue(self, now: datetime) -> Self:
        """Requests whose promised first contact has passed without one."""
        return self.awaiting_first_contact().filter(respond_by__lt=now)

    def still_open(self) -> Self:
        """Requests with something left to do: not closed, not set aside as spam."""
        return self.exclude(status__in=[LeadStatus.CLOSED, LeadStatus.SPAM])

    def new_and_urgent(self) -> Self:
        """New requests in which a warning sign was ticked."""
        return self.filter(status=LeadStatus.NEW, priority=Priority.URGENT)

    def by_what_is_due(self) -> Self:
        """New and urgent first, then what waits for first contact, then who wasn't reached, then the rest; what is due first."""
        turn = Case(
            When(status=LeadStatus.NEW, priority=Priority.URGENT, then=0),
            When(status=LeadStatus.NEW, first_contact_at=None, then=1),
            When(status=LeadStatus.NEW, then=2),
            default=3,
        )
        return self.order_by(turn, "respond_by", "pk")

    def with_failed_notices(self) -> Self:
        """Adds `has_failed_notice`: a mail about the request was given up."""
        failed = Outbox.objects.filter(request=OuterRef("pk"), state=OutboxState.FAILED)
        return self.annotate(has_failed_notice=Exists(failed))

    def with_last_attempt(self) -> Self:
        """Adds `last_outcome` and `last_tried_at`: what came of the last try to reach the person, and when that was."""
        tries = ContactAttempt.objects.filter(request=OuterRef("pk")).order_by("-at", "-pk")
        return self.annotate(last_outcome=Subquery(tries.values("outcome")[:1]), last_tried_at=Subquery(tries.values("at")[:1]))

    def with_ways_to_answer(self) -> Self:
        """Adds `has_phone` and `has_email`, without opening either."""
        keys = SearchKey.objects.filter(request=OuterRef("pk"))
        return self.annotate(
            has_phone=Exists(keys.filter(kind=SearchKind.PHONE)), has_email=Exists(keys.filter(kind=SearchKind.EMAIL))
        )

    def from_same_contact(self, lead: "ConsultationRequest") -> Self:
        """Other requests with the phone number or the email of this one. A family may share either."""
        own = SearchKey.objects.filter(request=lead, kind__in=[SearchKind.PHONE, SearchKind.EMAIL])
        shared = SearchKey.objects.filter(kind__in=[SearchKind.PHONE, SearchKind.EMAIL], digest__in=own.values("digest"))
        return self.filter(pk__in=shared.values("request_id")).exclude(pk=lead.pk)

    def matching(self, text: str) -> Self:
        """Requests with this reference, e-mail address, phone number, or these words in a name.

        Compares keyed hashes only; accents, case and punctuation don't matter,
        parts of words don't match.
        """
        text = text.strip()
        wanted = Q(pk__in=self._keyed(SearchKind.EMAIL, text.casefold())) | Q(reference=plain_reference(text))
        if reference := plain_reference(text):
            wanted |= Q(pk__in=self._keyed(SearchKind.REFERENCE, reference))
        digits = "".join(char for char in text if char.isdecimal())
        for form in {*phone_forms(text), *([digits] if digits else [])}:
            wanted |= Q(pk__in=self._keyed(SearchKind.PHONE, form))
        if words := folded(text).split():
            every_word = Q(pk__in=self._keyed(SearchKind.NAME, " ".join(words)))
            all_words = Q()
            for word in words:
                all_words &= Q(pk__in=self._keyed(SearchKind.WORD, word))
            wanted |= every_word | all_words
        return self.filter(wanted)

    def of(self, submission: Submission) -> Self:
        """The request that this submission with these answers became: one, or none."""
        return self.filter(submission_id=submission.submission_id, answers_digest=submission.answers_digest)

    @staticmethod
    def _keyed(kind: "SearchKind", value: str) -> QuerySet:
        return SearchKey.objects.filter(kind=kind, digest=blind(value, kind)).values("request_id")


class ConsultationRequest(models.Model):
    """Someone asks to be seen. In staff wording: a lead."""

    reference = models.CharField(_("reference"), max_length=8, unique=True, editable=False)
    submission_id = models.UUIDField(_("submission"), editable=False)
    answers_digest = models.CharField(_("digest of the answers"), max_length=64, editable=False)
    amends = models.ForeignKey(
        "self",
        verbose_name=_("changes"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="amendments",
        editable=False,
        help_text=_("The earlier request that the same person sent from the same form and then changed."),
    )

    status = models.CharField(_("status"), max_length=16, choices=LeadStatus, default=LeadStatus.NEW)
    priority = models.CharField(_("priority"), max_length=8, choices=Priority, default=Priority.ROUTINE)
    received_at = models.DateTimeField(_("received"))
    respond_by = models.DateTimeField(_("first contact promised by"))
    first_contact_at = models.DateTimeField(_("first contact"), null=True, blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("assigned to"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="leads",
    )
    origin_page = models.ForeignKey(
        "conditions.Page",
        verbose_name=_("page it came from"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="consultation_requests",
    )
    origin_path = models.CharField(_("address of that page"), max_length=200, blank=True)
    language = models.CharField(_("language of the site"), max_length=8, default="en")
    consent_version = models.CharField(_("consent version"), max_length=20)
    consent_text = models.TextField(_("consent as agreed to"))
    consented_at = models.DateTimeField(_("consent given"))
    spam_score = models.PositiveSmallIntegerField(_("spam score"), default=0)
    spam_reasons = models.JSONField(_("reasons for the score"), default=list, blank=True)

    name = EncryptedTextField(_("full name"), blank=True, default="")
    email = EncryptedTextField(_("email"), blank=True, default="")
    phone = EncryptedTextField(_("phone"), blank=True, default="")
    preferred_contact = EncryptedTextField(_("prefers"), blank=True, default="")
    best_time = EncryptedTextField(_("best time to call"), blank=True, default="")
    may_leave_voicemail = EncryptedTextField(_("may leave a voicemail"), blank=True, default="")
    on_behalf_of = EncryptedTextField(_("this is for"), blank=True, default="")
    patient_name = EncryptedTextField(_("name of the patient"), blank=True, default="")
    relation = EncryptedTextField(_("relation to the patient"), blank=True, default="")
    patient_is_minor = EncryptedTextField(_("patient is under 18"), blank=True, default="")
    pain_area = EncryptedTextField(_("where it hurts"), blank=True, default="")
    interest = EncryptedTextField(_("asks about"), blank=True, default="")
    message = EncryptedTextField(_("in their words"), blank=True, default="")
    imaging = EncryptedTextField(_("scans already done"), blank=True, default="")
    referral_source = EncryptedTextField(_("heard of us through"), blank=True, default="")
    spoken_language = EncryptedTextField(_("speaks"), blank=True, default="")
    needs_interpreter = EncryptedTextField(_("wants an interpreter"), blank=True, default="")
    access_needs = EncryptedTextField(_("access needs"), blank=True, default="")
    red_flags = EncryptedTextField(_("warning signs"), blank=True, default="")

    objects = ConsultationRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("consultation request")
        verbose_name_plural = _("consultation requests")
        ordering = ["-received_at", "-pk"]
        indexes = [
            models.Index(fields=["status", "-priority", "respond_by"], name="request_queue"),
            models.Index(fields=["-received_at"], name="request_received"),
            models.Index(fields=["answers_digest"], name="request_digest"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["submission_id", "answers_digest"], name="request_once"),
            models.CheckConstraint(condition=Q(status__in=LeadStatus.values), name="request_status"),
            models.CheckConstraint(condition=Q(priority__in=Priority.values), name="request_priority"),
            models.CheckConstraint(
                condition=~Q(consent_version="") & ~Q(consent_text=""),
                name="request_has_consent",
                violation_error_message=_("A request keeps the wording that was agreed to."),
            ),
        ]

    def __str__(self) -> str:
        return self.shown_reference

    @property
    def shown_reference(self) -> str:
        """The reference as people read it: `7KQ4-M2XB`."""
        return shown_reference(self.reference)

    def can_move_to(self, status: LeadStatus) -> bool:
        """Whether the workflow has this step."""
        return status in NEXT_STATUSES[LeadStatus(self.status)]

    def next_statuses(self) -> list[LeadStatus]:
        """Where the workflow goes from here, in the order of LeadStatus."""
        return [status for status in LeadStatus if self.can_move_to(status)]

    def is_overdue(self, now: datetime) -> bool:
        """Whether the promised first contact has passed without one."""
        return self.status == LeadStatus.NEW and self.first_contact_at is None and self.respond_by < now

    def shown(self, field: str) -> str:
        """An answer as staff read it: codes in words, the telephone number spaced; empty if not given."""
        value = getattr(self, field)
        if isinstance(value, Undecryptable) or not value:
            return value
        if field == "phone":
            return shown_phone(value)
        choices = dict(LISTED_OF[field](current_clinic())) if field in LISTED_OF else CHOICES_OF.get(field)
        if choices:
            return "; ".join(str(choices.get(code, code)) for code in value.split(","))
        return value

    def unreadable_fields(self) -> list[str]:
        """Names of answers that no key opens."""
        return [name for name, value in self._answers() if isinstance(value, Undecryptable)]

    def _answers(self) -> Iterator[tuple[str, str]]:
        for field in self._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield field.name, getattr(self, field.attname)


def shown_phone(stored: str) -> str:
    """A stored number as it is dialled here: national in our own region, else international."""
    number = parse_phone(stored)
    if number is None:
        return stored
    at_home = number.country_code == phonenumbers.country_code_for_region(settings.PHONE_REGION)
    style = phonenumbers.PhoneNumberFormat.NATIONAL if at_home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, style)


class SearchKind(models.TextChoices):
    """What a keyed hash stands for."""

    EMAIL = "email", _("Email")
    PHONE = "phone", _("Phone")
    NAME = "name", _("Full name")
    WORD = "word", _("Word of a name")
    REFERENCE = "reference", _("Reference told to the person")


class SearchKey(models.Model):
    """One keyed hash under which a request is found. Nothing can be read back from it."""

    request = models.ForeignKey(
        ConsultationRequest, verbose_name=_("request"), on_delete=models.CASCADE, related_name="search_keys"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=SearchKind)
    digest = models.CharField(_("keyed hash"), max_length=64)

    class Meta:
        verbose_name = _("search key")
        verbose_name_plural = _("search keys")
        indexes = [models.Index(fields=["digest", "kind"], name="search_key_digest")]
        constraints = [
            models.UniqueConstraint(fields=["request", "kind", "digest"], name="search_key_once"),
            models.CheckConstraint(condition=Q(kind__in=SearchKind.values), name="search_key_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.digest[:8]}"


class EventKind(models.TextChoices):
    """What changed."""

    RECEIVED = "received", _("Received")
    REPLAYED = "replayed", _("Received while the database was away, stored later")
    AMENDED = "amended", _("The person sent the form again with changes")
    STATUS = "status", _("Moved")
    ASSIGNED = "assigned", _("Assigned")
    CONTACT = "contact", _("Contact logged")
    RESENT = "resent", _("Notice sent again")


class LeadEvent(models.Model):
    """What changed, when and by whom. Without notes or answers."""

    request = models.ForeignKey(ConsultationRequest, verbose_name=_("request"), on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(_("when"), auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="lead_events",
    )
    kind = models.CharField(_("what"), max_length=10, choices=EventKind)
    from_status = models.CharField(_("from"), max_length=16, choices=LeadStatus, blank=True)
    to_status = models.CharField(_("to"), max_length=16, choices=LeadStatus, blank=True)

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=EventKind.values), name="lead_event_kind"),
            models.CheckConstraint(
                condition=Q(from_status__in=["", *LeadStatus.values]) & Q(to_status__in=["", *LeadStatus.values]),
                name="lead_event_status",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"


class AccessAction(models.TextChoices):
    """How a person of the staff saw a request."""

    VIEW = "view", _("Opened")
    LIST = "list", _("Seen in a list")
    EXPORT = "export", _("Exported")


class LeadAccess(models.Model):
    """Who looked at a request, when and how. Every look is a row."""

    request = models.ForeignKey(ConsultationRequest, verbose_name=_("request"), on_delete=models.CASCADE, related_name="accesses")
    at = models.DateTimeField(_("when"), auto_now_add=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("who"), on_delete=models.SET_NULL, null=True, related_name="lead_accesses"
    )
    username = models.CharField(_("account"), max_length=150, help_text=_("Kept when the account is deleted."))
    action = models.CharField(_("how"), max_length=8, choices=AccessAction)
    via = models.CharField(_("where"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("access")
        verbose_name_plural = _("accesses")
        ordering = ["-at", "-pk"]
        constraints = [models.CheckConstraint(condition=Q(action__in=AccessAction.values), name="lead_access_action")]

    def __str__(self) -> str:
        return f"{self.username} {self.get_action_display()} {self.at:%Y-%m-%d %H:%M}"


class AttemptChannel(models.TextChoices):
    """How the clinic tried to reach a person."""

    PHONE = "phone", _("Phone")
    EMAIL = "email", _("Email")
    IN_PERSON = "in_person", _("In person")


class AttemptOutcome(models.TextChoices):
    """What came of it."""

    REACHED = "reached", _("Reached")
    VOICEMAIL = "voicemail", _("Left a voicemail")
    NO_ANSWER = "no_answer", pgettext_lazy("telephone call", "No answer")
    MESSAGE_SENT = "message_sent", _("Message sent")
    WRONG_CONTACT = "wrong_contact", _("Wrong number or address")


class ContactAttempt(models.Model):
    """One try to reach the person."""

    request = models.ForeignKey(ConsultationRequest, verbose_name=_("request"), on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField(_("when"), auto_now_add=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("who"), on_delete=models.SET_NULL, null=True, related_name="contact_attempts"
    )
    channel = models.CharField(_("how"), max_length=10, choices=AttemptChannel, default=AttemptChannel.PHONE)
    outcome = models.CharField(_("outcome"), max_length=14, choices=AttemptOutcome)
    note = EncryptedTextField(_("note"), blank=True, default="")

    class Meta:
        verbose_name = _("contact attempt")
        verbose_name_plural = _("contact attempts")
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(channel__in=AttemptChannel.values), name="contact_attempt_channel"),
            models.CheckConstraint(condition=Q(outcome__in=AttemptOutcome.values), name="contact_attempt_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_outcome_display()}"


class NoticeKind(models.TextChoices):
    """Which mail a request sets off."""

    STAFF = "staff_notice", _("Notice to staff")
    ACKNOWLEDGEMENT = "acknowledgement", _("Acknowledgement to the person")


class OutboxState(models.TextChoices):
    """Where a mail stands. Failed: given up, until someone sends it again."""

    PENDING = "pending", _("Waiting")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


class Outbox(models.Model):
    """A mail to be sent about a request. Holds keys, never answers: the text is made when it is sent."""

    request = models.ForeignKey(
        ConsultationRequest, verbose_name=_("request"), on_delete=models.SET_NULL, null=True, related_name="notices"
    )
    reference = models.CharField(_("reference"), max_length=8)
    kind = models.CharField(_("mail"), max_length=16, choices=NoticeKind)
    message_id = models.CharField(_("Message-ID"), max_length=200, unique=True)
    state = models.CharField(_("state"), max_length=8, choices=OutboxState, default=OutboxState.PENDING)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    due_at = models.DateTimeField(_("next try"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    last_error = models.CharField(
        _("last error"),
        max_length=120,
        blank=True,
        help_text=_("Kind of error and the mail server's code; never an address or text."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="pending"), name="outbox_due")]
        constraints = [
            models.UniqueConstraint(fields=["reference", "kind"], name="outbox_once"),
            models.CheckConstraint(condition=Q(kind__in=NoticeKind.values), name="outbox_kind"),
            models.CheckConstraint(condition=Q(state__in=OutboxState.values), name="outbox_state"),
            models.CheckConstraint(condition=~Q(state="sent") | Q(sent_at__isnull=False), name="outbox_sent_has_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {shown_reference(self.reference)}"


class RateBucket(models.Model):
    """How many requests a network sent in one hour. The network stands as a keyed hash."""

    key = models.CharField(_("keyed hash"), max_length=64, unique=True)
    count = models.PositiveIntegerField(_("requests"), default=0)
    expires_at = models.DateTimeField(_("until"), db_index=True)

    class Meta:
        verbose_name = _("rate")
        verbose_name_plural = _("rates")

    def __str__(self) -> str:
        return f"{self.count}"
