"""The content graph: typed links between pages."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .pages import Page


class Relation(models.TextChoices):
    """Typed edges between pages; the other direction is derived, never stored."""

    TREATS = "treats", _("treats")
    CAUSES_SYMPTOM = "causes_symptom", _("causes symptom")
    ALTERNATIVE_TO = "alternative_to", _("alternative to")
    RELATED_CONDITION = "related_condition", _("related condition")
    READ_NEXT = "read_next", _("read next")


class Role(models.TextChoices):
    """How a procedure stands to a condition it treats."""

    FIRST = "first", pgettext_lazy("treatment role", "Usually tried first")
    OPTION = "option", pgettext_lazy("treatment role", "An option for many people")
    SELECTED = "selected", pgettext_lazy("treatment role", "For some people, after careful selection")
    SPECIALIST = "specialist", pgettext_lazy("treatment role", "For severe cases, at specialist centers")
    UNCERTAIN = "uncertain", pgettext_lazy("treatment role", "Benefit is uncertain")


class HowOften(models.TextChoices):
    """How often a condition causes a symptom."""

    COMMON = "common", _("Often")
    SOMETIMES = "sometimes", _("Sometimes")


class PageLink(models.Model):
    """One typed edge of the content graph. A symmetric one counts once, stored either way round or both."""

    source = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="links_out")
    target = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="links_in", verbose_name=_("page"))
    relation = models.CharField(_("relation"), max_length=20, choices=Relation)
    role = models.CharField(_("role"), max_length=12, choices=Role, blank=True)
    how_often = models.CharField(_("how often"), max_length=12, choices=HowOften, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        ordering = ["source", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "target", "relation"], name="page_link_once"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="page_link_not_to_itself"),
            models.CheckConstraint(condition=Q(relation__in=Relation.values), name="page_link_relation"),
            models.CheckConstraint(condition=Q(role__in=["", *Role.values]), name="page_link_role"),
            models.CheckConstraint(condition=Q(how_often__in=["", *HowOften.values]), name="page_link_how_often"),
        ]

    def __str__(self) -> str:
        return f"{self.source.name}, {self.get_relation_display()}: {self.target.name}"
