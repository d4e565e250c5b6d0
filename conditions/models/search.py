"""What people searched for in vain."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SearchMiss(models.Model):
    """Words that people searched for without finding anything: what they were and how often, never who or at what time."""

    query = models.CharField(_("searched for"), max_length=60)
    language = models.CharField(_("language"), max_length=2)
    count = models.PositiveIntegerField(_("times"), default=1)
    first_on = models.DateField(_("first"))
    last_on = models.DateField(_("last"))

    class Meta:
        verbose_name = _("search without results")
        verbose_name_plural = _("searches without results")
        ordering = ["-count", "-last_on", "query"]
        constraints = [models.UniqueConstraint(fields=["query", "language"], name="search_miss_once")]

    def __str__(self) -> str:
        return self.query
