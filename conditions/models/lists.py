"""What all pages share: sources to cite, and words with their meaning."""

import re

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

CITATION = re.compile(r"\[([A-Z][A-Z0-9-]+)\]")


class Reference(models.Model):
    """A source. A page cites it by writing its key in brackets: [SMITH16]."""

    key = models.CharField(
        _("key"), max_length=24, unique=True, validators=[RegexValidator(r"^[A-Z][A-Z0-9-]+$", _("Capitals, digits and hyphens."))]
    )
    title = models.CharField(_("source"), max_length=400)
    url = models.URLField(_("address"), blank=True)
    checked_on = models.DateField(_("read on"))

    class Meta:
        verbose_name = _("reference")
        verbose_name_plural = _("references")
        ordering = ["key"]

    def __str__(self) -> str:
        return f"{self.key}: {self.title}"


class GlossaryTerm(models.Model):
    """A medical word and what it means in plain words."""

    slug = models.SlugField(_("anchor"), max_length=60, unique=True)
    term = models.CharField(_("term"), max_length=80)
    definition = models.TextField(_("definition"), blank=True)

    class Meta:
        verbose_name = _("glossary term")
        verbose_name_plural = _("glossary")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.term
