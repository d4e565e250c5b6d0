"""What staff do with a request: change it, look at it, try to reach the person."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from intake.fields import EncryptedTextField

from .choices import LeadStatus


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

    request = models.ForeignKey("ConsultationRequest", verbose_name=_("request"), on_delete=models.CASCADE, related_name="events")
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


# For so long whoever opened a request is taken to be at it still.
STILL_OPEN = timedelta(minutes=10)


class LeadAccessQuerySet(models.QuerySet):
    """Questions about looks."""

    def opened_lately(self, now: datetime) -> Self:
        """The looks of those who may have the page of a request open."""
        return self.filter(action=AccessAction.VIEW, at__gt=now - STILL_OPEN)


class LeadAccess(models.Model):
    """Who looked at a request, when and how. Every look is a row."""

    request = models.ForeignKey("ConsultationRequest", verbose_name=_("request"), on_delete=models.CASCADE, related_name="accesses")
    at = models.DateTimeField(_("when"), auto_now_add=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("who"), on_delete=models.SET_NULL, null=True, related_name="lead_accesses"
    )
    username = models.CharField(_("account"), max_length=150, help_text=_("Kept when the account is deleted."))
    action = models.CharField(_("how"), max_length=8, choices=AccessAction)
    via = models.CharField(_("where"), max_length=40, blank=True)

    objects = LeadAccessQuerySet.as_manager()

    class Meta:
        verbose_name = _("access")
        verbose_name_plural = _("accesses")
        ordering = ["-at", "-pk"]
        constraints = [models.CheckConstraint(condition=Q(action__in=AccessAction.values), name="lead_access_action")]

    def __str__(self) -> str:
        return f"{self.username} {self.get_action_display()} {self.at:%Y-%m-%d %H:%M}"

    def may_be_open(self, now: datetime) -> bool:
        """Whether the page may be open still."""
        return self.action == AccessAction.VIEW and self.at > now - STILL_OPEN


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

    request = models.ForeignKey("ConsultationRequest", verbose_name=_("request"), on_delete=models.CASCADE, related_name="attempts")
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
