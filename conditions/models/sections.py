"""The headings of a page with the text under them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_prose_editor.fields import ProseEditorField

from conditions.rich_text import EXTENSIONS, clean

from .pages import Page


class SectionKind(models.TextChoices):
    """How a section is shown. The body stays plain rich text in every kind."""

    PROSE = "prose", _("Text")
    GLANCE = "glance", _("At a glance: one list, each item starts with a bold label")
    STEPS = "steps", _("Steps of an operation: one numbered list, bold leads")
    TIMELINE = "timeline", _("Timeline: one numbered list, each item starts with a bold time")
    RISKS = "risks", _("Risks: one list, each item starts with a bold “28 out of 100”")
    QUESTIONS = "questions", _("Questions to ask: one list")
    FAQ = "faq", _("Questions and answers: each subheading below asks, its text answers")
    CHECKLIST = "checklist", _("Checklist: one list")
    CLINICIANS = "clinicians", _("Closed drawer for clinicians")
    EMERGENCY = "emergency", _("Call 911: leave the text empty for the shared list")
    TODAY = "today", _("Call today: leave the text empty for the shared list")
    APPOINTMENT = "appointment", _("Make an appointment")


class Section(models.Model):
    """One heading of a page with the text under it."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="sections")
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    level = models.PositiveSmallIntegerField(_("level"), choices=[(2, _("Heading")), (3, _("Subheading"))], default=2)
    heading = models.CharField(_("heading"), max_length=120)
    anchor = models.SlugField(
        _("anchor"), max_length=40, help_text=_("Links to this place end in #anchor. Keep it once published.")
    )
    kind = models.CharField(_("shown as"), max_length=12, choices=SectionKind, default=SectionKind.PROSE)
    body = ProseEditorField(_("text"), blank=True, extensions=EXTENSIONS, sanitize=clean)
    physician = models.ForeignKey(
        "Physician",
        verbose_name=_("only for patients of"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="own_sections",
        help_text=_("In a packet of several surgeons: what one of them does otherwise. The copies of the others leave it out."),
    )

    class Meta:
        verbose_name = _("section")
        verbose_name_plural = _("sections")
        ordering = ["page", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["page", "anchor"], name="section_anchor_once"),
            models.CheckConstraint(condition=Q(kind__in=SectionKind.values), name="section_kind"),
            models.CheckConstraint(condition=Q(level__in=[2, 3]), name="section_level"),
        ]

    def __str__(self) -> str:
        return self.heading
