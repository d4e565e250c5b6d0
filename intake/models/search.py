"""Keyed hashes under which a request is found."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


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
        "ConsultationRequest", verbose_name=_("request"), on_delete=models.CASCADE, related_name="search_keys"
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
