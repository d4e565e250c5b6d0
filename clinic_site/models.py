"""The clinic's own record: what it is called, where it is, when it is open, what it promises."""

from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

HEADLINE = "Congratulations! You are taking the first step to overcome your neck or back pain."
THANKS = "Thank you for choosing {clinic_name}!"
FOLLOW_UP = "A member of our new patient team will reach out to you shortly to discuss your care."
NOT_SENT = (
    "Something went wrong on our side, and your request was not sent. "
    "Please try again, or call or email us and we will take it down for you."
)


class Weekday(models.IntegerChoices):
    """Days as Python counts them: Monday is 0."""

    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class Clinic(models.Model):
    """The one clinic this site speaks for. There is exactly one row, with pk 1."""

    name = models.CharField(_("name"), max_length=120)
    legal_name = models.CharField(_("legal name"), max_length=160, blank=True)
    tagline = models.CharField(_("tagline"), max_length=160, blank=True)
    description = models.CharField(_("description for search engines"), max_length=300, blank=True)
    is_sample = models.BooleanField(
        _("sample data"), default=True, help_text=_("Shows the sample bar on every page. Clear it only when every detail is real.")
    )
    phone = models.CharField(_("phone"), max_length=20, help_text=_("With country code, for example +17035550142"))
    email = models.EmailField(_("e-mail"))
    street = models.CharField(_("street"), max_length=160)
    city = models.CharField(_("city"), max_length=80)
    state = models.CharField(_("state"), max_length=40)
    postal_code = models.CharField(_("postal code"), max_length=20)
    country = models.CharField(_("country"), max_length=2, default="US")
    access_note = models.TextField(_("access"), blank=True)
    directions = models.TextField(_("directions"), blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="America/New_York")
    response_promise = models.CharField(_("response promise"), max_length=80, default="within one working day")
    response_working_days = models.PositiveSmallIntegerField(
        _("response promise, in working days"), default=1, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    message_headline = models.CharField(_("confirmation headline"), max_length=300, default=HEADLINE)
    message_thanks = models.CharField(
        _("confirmation thanks"), max_length=300, default=THANKS, help_text=_("{clinic_name} becomes the clinic's name.")
    )
    message_follow_up = models.CharField(_("confirmation follow-up"), max_length=300, default=FOLLOW_UP)
    message_error = models.TextField(_("message when a request could not be stored"), default=NOT_SENT)
    content_revision = models.PositiveBigIntegerField(default=1, editable=False)

    class Meta:
        verbose_name = _("clinic")
        verbose_name_plural = _("clinic")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="clinic_is_one")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> Self:
        """The clinic's record; an unsaved sample one where none is stored yet."""
        return cls.objects.prefetch_related("opening_hours", "holidays").filter(pk=1).first() or cls(
            pk=1, name="Sample clinic", phone="+17035550142", email="newpatients@clinic.example"
        )

    @classmethod
    def bump_content_revision(cls) -> None:
        """Tell every process that published content changed; call it in the changing transaction."""
        cls.objects.filter(pk=1).update(content_revision=F("content_revision") + 1)

    @property
    def thanks(self) -> str:
        """The thanks line with the clinic's name in its place."""
        return self.message_thanks.replace("{clinic_name}", self.name)


class OpeningHours(models.Model):
    """One stretch of a weekday in which the phone is answered, in the clinic's time zone."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField(_("day"), choices=Weekday)
    opens_at = models.TimeField(_("opens"))
    closes_at = models.TimeField(_("closes"))

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        ordering = ["weekday", "opens_at"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "weekday", "opens_at"], name="opening_hours_once"),
            models.CheckConstraint(condition=Q(closes_at__gt=F("opens_at")), name="opening_hours_in_order"),
            models.CheckConstraint(condition=Q(weekday__in=Weekday.values), name="opening_hours_weekday"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens_at:%H:%M}-{self.closes_at:%H:%M}"


class Holiday(models.Model):
    """A date on which the clinic is closed."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="holidays")
    date = models.DateField(_("date"))
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        ordering = ["date"]
        constraints = [models.UniqueConstraint(fields=["clinic", "date"], name="holiday_once")]

    def __str__(self) -> str:
        return f"{self.date} {self.name}"


class OneTimePassword(models.Model):
    """Says that this account's password was made for it, and has to be replaced before anything else."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, verbose_name=_("account"), on_delete=models.CASCADE, primary_key=True, related_name="+"
    )

    class Meta:
        verbose_name = _("one-time password")
        verbose_name_plural = _("one-time passwords")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user}"
