"""Mails about a request that are to be sent."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from intake.submission import shown_reference


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
        "ConsultationRequest", verbose_name=_("request"), on_delete=models.SET_NULL, null=True, related_name="notices"
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
