"""The five kinds of page, and what only a procedure or a guide has."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .pages import Kind, Page, PageQuerySet
from .people import Physician


def _kind_manager(kind: Kind) -> models.Manager:
    class KindManager(models.Manager.from_queryset(PageQuerySet)):
        def get_queryset(self) -> models.QuerySet:
            return super().get_queryset().filter(kind=kind)

        def create(self, **values: object) -> Page:
            return super().create(**{"kind": kind, **values})

    return KindManager()


class Procedure(Page):
    """A treatment: an operation, an injection or a programme of therapy."""

    objects = _kind_manager(Kind.PROCEDURE)

    class Meta:
        proxy = True
        verbose_name = _("procedure")
        verbose_name_plural = _("procedures")


class Condition(Page):
    """A diagnosis."""

    objects = _kind_manager(Kind.CONDITION)

    class Meta:
        proxy = True
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")


class Symptom(Page):
    """Something a person notices before anyone has named it."""

    objects = _kind_manager(Kind.SYMPTOM)

    class Meta:
        proxy = True
        verbose_name = _("symptom")
        verbose_name_plural = _("symptoms")


class Guide(Page):
    """A page that helps with something to do: prepare, recover, come to a first visit."""

    objects = _kind_manager(Kind.GUIDE)

    class Meta:
        proxy = True
        verbose_name = _("patient guide")
        verbose_name_plural = _("patient guides")


class Notice(Page):
    """A page about the clinic itself: privacy, accessibility, rights."""

    objects = _kind_manager(Kind.NOTICE)

    class Meta:
        proxy = True
        verbose_name = _("page about the clinic")
        verbose_name_plural = _("pages about the clinic")


class ProcedureFacts(models.Model):
    """What sets a procedure apart from others, each fact in a sentence or two, so that procedures can stand side by side.

    Sources are cited by key, as in sections: [SMITH16].
    """

    SHOWN = ("effect", "anesthesia", "incisions", "stay", "recovery", "main_risks")

    page = models.OneToOneField(Page, on_delete=models.CASCADE, related_name="facts", limit_choices_to={"kind": Kind.PROCEDURE})
    effect = models.TextField(_("what it does"), max_length=300)
    anesthesia = models.TextField(_("anesthesia"), max_length=300)
    incisions = models.TextField(_("cuts"), max_length=300)
    stay = models.TextField(_("hospital stay"), max_length=300)
    recovery = models.TextField(_("recovery"), max_length=400)
    main_risks = models.TextField(_("main risks"), max_length=500, help_text=_("People out of 100, who was studied, how long."))

    class Meta:
        verbose_name = _("facts to compare")
        verbose_name_plural = _("facts to compare")

    def __str__(self) -> str:
        return self.page.name


class Packet(models.Model):
    """A guide that belongs to one or more surgeons, also as a PDF made from the same page."""

    page = models.OneToOneField(Page, on_delete=models.CASCADE, related_name="packet", limit_choices_to={"kind": Kind.GUIDE})
    label = models.CharField(_("label"), max_length=80)
    intro = models.CharField(_("line under the label"), max_length=200)
    physicians = models.ManyToManyField(Physician, verbose_name=_("for patients of"), related_name="packets")
    version = models.CharField(_("version"), max_length=20, default="1")

    class Meta:
        verbose_name = _("packet")
        verbose_name_plural = _("packets")

    def __str__(self) -> str:
        return self.label
