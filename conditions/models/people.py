"""Doctors, where and when they see patients, and what patients say."""

from typing import Any, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now, TruncDate
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_prose_editor.fields import ProseEditorField

from clinic_site.models import PostalAddress, Weekday
from conditions.rich_text import EXTENSIONS, clean

from .pages import Page
from .pictures import Photo


class Physician(models.Model):
    """A doctor of the clinic."""

    slug = models.SlugField(_("address"), max_length=80, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    name = models.CharField(_("name"), max_length=120)
    credentials = models.CharField(_("credentials"), max_length=60, blank=True)
    email = models.EmailField(
        _("e-mail"), blank=True, help_text=_("For reminders of reviews; never shown. Without one they go to the clinic's e-mail.")
    )
    role = models.CharField(_("role"), max_length=120)
    board = models.CharField(_("certified by"), max_length=200, blank=True, help_text=_("The full name of the certifying board."))
    lead = models.TextField(_("summary"), max_length=400)
    bio = ProseEditorField(_("text"), blank=True, extensions=EXTENSIONS, sanitize=clean)
    languages = models.JSONField(_("languages"), default=list, blank=True)
    days = models.CharField(
        _("note on days and hours"),
        max_length=120,
        blank=True,
        help_text=_("What the hours below cannot say, for example every second week."),
    )
    training = models.JSONField(_("training"), default=list, blank=True)
    accepting_new_patients = models.BooleanField(_("taking new patients"), default=True)
    is_sample = models.BooleanField(_("sample profile"), default=True)
    is_published = models.BooleanField(_("published"), default=False)
    interests = models.ManyToManyField(Page, verbose_name=_("treats"), blank=True, related_name="physicians")
    portrait = models.ForeignKey(
        Photo,
        verbose_name=_("portrait"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="portrayed",
        help_text=_("Without one a drawing stands in its place."),
    )

    class Meta:
        verbose_name = _("physician")
        verbose_name_plural = _("physicians")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the profile; where a published one moves, its old address goes on leading to it."""
        with transaction.atomic():
            before = Physician.objects.filter(pk=self.pk).first() if self.pk else None
            super().save(*args, **kwargs)
            FormerProfileAddress.objects.filter(physician=self, slug=self.slug).delete()
            if before and before.is_published and before.slug != self.slug:
                FormerProfileAddress.objects.update_or_create(slug=before.slug, defaults={"physician": self})

    def get_absolute_url(self) -> str:
        """`/physicians/<slug>/`"""
        return reverse("conditions:physician", args=[self.slug])

    def visits(self) -> dict["Location", list["PhysicianHours"]]:
        """Where the doctor sees patients, with the hours at each place. Asks for nothing that is prefetched."""
        places: dict[Location, list[PhysicianHours]] = {}
        for row in self.hours.all():
            places.setdefault(row.location, []).append(row)
        return places


class FormerProfileAddress(models.Model):
    """An address that a doctor's profile left, in both languages. It leads to the profile, unless another one stands there."""

    physician = models.ForeignKey(Physician, on_delete=models.CASCADE, related_name="former_addresses")
    slug = models.SlugField(_("address"), max_length=80, unique=True)

    class Meta:
        verbose_name = _("former address of a profile")
        verbose_name_plural = _("former addresses of profiles")
        ordering = ["slug"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.slug


class Location(PostalAddress):
    """A place where doctors of the clinic see patients."""

    key = models.SlugField(_("key"), max_length=40, unique=True, help_text=_("Links to this place end in #key. Keep it."))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    name = models.CharField(_("name"), max_length=80)
    phone = models.CharField(
        _("phone"), max_length=20, blank=True, help_text=_("With country code. Left empty, the clinic's number is shown.")
    )
    access_note = models.TextField(_("access"), blank=True, help_text=_("Steps, elevator, doors, rest rooms, help from the car."))
    directions = ProseEditorField(
        _("directions"), blank=True, extensions=EXTENSIONS, sanitize=clean, help_text=_("By car, by bus, and from the door on.")
    )
    is_sample = models.BooleanField(_("sample data"), default=True)

    class Meta:
        verbose_name = _("location")
        verbose_name_plural = _("locations")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class PhysicianHours(models.Model):
    """One stretch of a weekday in which a doctor sees patients at a place, in the clinic's time zone."""

    physician = models.ForeignKey(Physician, on_delete=models.CASCADE, related_name="hours")
    location = models.ForeignKey(Location, verbose_name=_("location"), on_delete=models.PROTECT, related_name="hours")
    weekday = models.PositiveSmallIntegerField(_("day"), choices=Weekday)
    opens_at = models.TimeField(_("from"))
    closes_at = models.TimeField(_("until"))

    class Meta:
        verbose_name = _("hours of a doctor")
        verbose_name_plural = _("hours of a doctor")
        ordering = ["location__position", "location__name", "weekday", "opens_at"]
        constraints = [
            models.UniqueConstraint(fields=["physician", "weekday", "opens_at"], name="physician_hours_once"),
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")),
                name="physician_hours_in_order",
                violation_error_message=_("The hours must end after they start."),
            ),
            models.CheckConstraint(condition=Q(weekday__in=Weekday.values), name="physician_hours_weekday"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens_at:%H:%M}-{self.closes_at:%H:%M}"


class TestimonialQuerySet(models.QuerySet):
    """Questions about testimonials."""

    def shown(self) -> Self:
        """Published ones whose authorisation stands today; samples always say that they are samples."""
        return (
            self.filter(is_published=True)
            .exclude(consent_withdrawn_on__isnull=False)
            .filter(Q(is_sample=True) | Q(consent_expires_on__isnull=True) | Q(consent_expires_on__gt=TruncDate(Now())))
        )


class Testimonial(models.Model):
    """A patient's own words, with the authorisation to show them; or a sample that says so."""

    key = models.SlugField(_("key"), max_length=40, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    quote = models.TextField(_("quote"))
    display_name = models.CharField(_("name shown"), max_length=60, help_text=_("First name and initial."))
    descriptor = models.CharField(_("line under the name"), max_length=80, help_text=_("A role or hobby."))
    pages = models.ManyToManyField(Page, verbose_name=_("shown on"), blank=True, related_name="testimonials")
    is_sample = models.BooleanField(_("sample"), default=False)
    consent_recorded_on = models.DateField(_("authorisation signed on"), null=True, blank=True)
    consent_scope = models.CharField(_("authorisation covers"), max_length=200, blank=True)
    consent_expires_on = models.DateField(_("authorisation ends on"), null=True, blank=True)
    consent_withdrawn_on = models.DateField(_("authorisation withdrawn on"), null=True, blank=True)
    is_published = models.BooleanField(_("published"), default=False)

    objects = TestimonialQuerySet.as_manager()

    class Meta:
        verbose_name = _("testimonial")
        verbose_name_plural = _("testimonials")
        ordering = ["position", "key"]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_sample=True) | (Q(consent_recorded_on__isnull=False) & ~Q(consent_scope="")),
                name="testimonial_consent_or_sample",
                violation_error_message=_("Record the patient's authorisation, or mark this as a sample."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.display_name}: {self.quote[:40]}"
