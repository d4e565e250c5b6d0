"""What was done with pages: loaded, changed, published despite problems, reminded of."""

from typing import Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .pages import Page


class PackRecord(models.Model):
    """What the content pack last put into the database, so that a staff edit is noticed and kept."""

    name = models.CharField(max_length=120, unique=True)
    digest = models.CharField(max_length=64)
    loaded_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class RevisionAction(models.TextChoices):
    """What made a revision."""

    SAVED = "saved", pgettext_lazy("revision", "Saved")
    PUBLISHED = "published", pgettext_lazy("revision", "Published")
    UNPUBLISHED = "unpublished", pgettext_lazy("revision", "Taken off the site")
    RESTORED = "restored", pgettext_lazy("revision", "Restored")
    LOADED = "loaded", pgettext_lazy("revision", "Loaded from files")


class PageRevision(models.Model):
    """A page as it stood at one time, both languages, and who made it so. Rows are written once and never changed."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="revisions")
    made_at = models.DateTimeField(_("when"), default=timezone.now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    made_by_name = models.CharField(_("who"), max_length=150, blank=True)
    action = models.CharField(_("what"), max_length=12, choices=RevisionAction)
    comment = models.CharField(_("note"), max_length=300, blank=True)
    data = models.JSONField(encoder=DjangoJSONEncoder, help_text="The page in the form of the content pack.")
    digest = models.CharField(max_length=64, help_text="Fingerprint of the data.")
    english_digest = models.CharField(max_length=64, help_text="Digest of the English words, as Page.english_digest holds it.")

    class Meta:
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["page", "english_digest"], name="revision_english")]
        constraints = [models.CheckConstraint(condition=Q(action__in=RevisionAction.values), name="page_revision_action")]

    def __str__(self) -> str:
        return f"{self.page_id}: {self.action} {self.made_at:%Y-%m-%d %H:%M}"

    @property
    def author(self) -> str:
        """Who made it, in words; the name outlives the account."""
        return self.made_by_name or str(_("Content files") if self.action == RevisionAction.LOADED else _("The site itself"))


class PublishOverride(models.Model):
    """Somebody published a page although problems were open: who, when, why, and which. Rows are written once and never changed."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="overrides")
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    at = models.DateTimeField(_("when"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    by_name = models.CharField(_("who"), max_length=150)
    reason = models.TextField(_("reason"), max_length=500)
    problems = models.JSONField(_("open problems"), default=list)

    class Meta:
        verbose_name = _("publication despite problems")
        verbose_name_plural = _("publications despite problems")
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="publish_override_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.page}: {self.by_name}, {self.at:%Y-%m-%d}"


class PlannedOverride(models.Model):
    """Leave for a page to go out at its planned time with the problems that were open then: who gave it, when and why.

    It holds for that time and those problems alone, and is gone once the time has come.
    """

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="planned_overrides")
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    due_at = models.DateTimeField(_("planned for"))
    at = models.DateTimeField(_("when"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    by_name = models.CharField(_("who"), max_length=150)
    reason = models.TextField(_("reason"), max_length=500)
    problems = models.JSONField(_("open problems"), default=list, help_text="Kinds of problems, as readiness tells them apart.")

    class Meta:
        verbose_name = _("leave to go out despite problems")
        verbose_name_plural = _("leaves to go out despite problems")
        constraints = [
            models.UniqueConstraint(fields=["page", "language"], name="planned_override_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="planned_override_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.page}: {self.by_name}, {self.due_at:%Y-%m-%d}"

    @classmethod
    def of(cls, page: Page, language: str) -> Self | None:
        """The leave that was given for the time at which a page is planned now. Asks for nothing that is prefetched."""
        due_at = getattr(page, page.PUBLISH_AT[language])
        return next((leave for leave in page.planned_overrides.all() if (leave.language, leave.due_at) == (language, due_at)), None)


class ReviewReminder(models.Model):
    """The mail to a page's reviewer that its review is due: one for each page and due date, sent by the worker."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="reminders")
    due_on = models.DateField(_("review due"))
    message_id = models.CharField(_("Message-ID"), max_length=200, unique=True)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("reminder of a review")
        verbose_name_plural = _("reminders of reviews")
        ordering = ["-due_on", "page"]
        constraints = [models.UniqueConstraint(fields=["page", "due_on"], name="review_reminder_once")]

    def __str__(self) -> str:
        return f"{self.page}: {self.due_on}"
