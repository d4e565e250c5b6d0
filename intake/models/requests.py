"""A request: its answers, where it stands, and which ones are looked for."""

from collections.abc import Iterator
from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, When
from django.utils.translation import gettext_lazy as _

from clinic_site.phones import shown_phone
from clinic_site.site_record import current_clinic
from intake.fields import EncryptedTextField, Undecryptable, blind, folded, parse_phone, phone_forms
from intake.submission import Submission, plain_reference, shown_reference

from .choices import CHOICES_OF, LISTED_OF, NEXT_STATUSES, LeadStatus, Priority
from .outbox import Outbox, OutboxState
from .search import SearchKey, SearchKind
from .work import ContactAttempt, LeadAccess


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

    def next_to_call(self, user: AbstractBaseUser, now: datetime, after: "ConsultationRequest | None" = None) -> Self:
        """These, as `user` calls one after the other: those a colleague has taken left out, those one has open last.

        In the order of the queue from `after` on, and then from its start; but after something
        routine comes whoever is new with a warning sign and was not called yet.
        """
        elsewhere = LeadAccess.objects.opened_lately(now).exclude(user=user).filter(request=OuterRef("pk"))
        turns = [When(Exists(elsewhere), then=2)]
        free = self.filter(Q(assigned_to=None) | Q(assigned_to=user))
        if after:
            free = free.exclude(pk=after.pk)
            turns.append(When(self._ahead_of(after), then=0))
        return free.order_by(Case(*turns, default=1), *self.by_what_is_due().query.order_by)

    @staticmethod
    def _ahead_of(lead: "ConsultationRequest") -> Q:
        later = Q(respond_by__gt=lead.respond_by) | Q(respond_by=lead.respond_by, pk__gt=lead.pk)
        if lead.priority == Priority.URGENT:
            return later | Q(priority=Priority.ROUTINE)
        return later & Q(priority=Priority.ROUTINE) | Q(priority=Priority.URGENT, first_contact_at=None)

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
        wanted = Q(pk__in=self._keyed(SearchKind.EMAIL, text.casefold()))
        if reference := plain_reference(text):
            wanted |= Q(reference=reference) | Q(pk__in=self._keyed(SearchKind.REFERENCE, reference))
        digits = "".join(char for char in text if char.isdecimal())
        for form in {*phone_forms(text), *([digits] if digits else [])}:
            wanted |= Q(pk__in=self._keyed(SearchKind.PHONE, form))
        if words := folded(text).split():
            all_words = Q()
            for word in words:
                all_words &= Q(pk__in=self._keyed(SearchKind.WORD, word))
            wanted |= all_words
        return self.filter(wanted)

    def of(self, submission: Submission) -> Self:
        """The request that this submission with these answers became: one, or none.

        After SEARCH_KEY was replaced the digest is another one, but what waited in the spool knows its reference.
        """
        is_same = Q(answers_digest=submission.answers_digest)
        if submission.told:
            is_same |= Q(reference=submission.told)
        return self.filter(is_same, submission_id=submission.submission_id)

    @staticmethod
    def _keyed(kind: SearchKind, value: str) -> QuerySet:
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

    # There only on requests that were read with them.
    has_failed_notice: bool
    has_phone: bool
    has_email: bool
    last_outcome: str | None
    last_tried_at: datetime | None

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
            number = parse_phone(value)
            return shown_phone(number) if number else value
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
