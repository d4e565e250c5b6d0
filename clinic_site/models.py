"""The clinic's own record: what it is called, where it is, when it is open, what it promises."""

import hashlib
from collections.abc import Collection
from datetime import date, timedelta
from typing import Self
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from . import brand_files, theme

# How far ahead days without opening hours are told.
CLOSED_AHEAD = timedelta(days=60)
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


class BodyMap(models.TextChoices):
    """Drawings of the house on which a patient can point to where it hurts. Values stand in the content pack."""

    NONE = "", _("None: the list of parts alone")
    SPINE = "spine", _("The spine from the side")


class PostalAddress(models.Model):
    """Where letters go, in the clinic's country."""

    street = models.CharField(_("street"), max_length=160)
    city = models.CharField(_("city"), max_length=80)
    state = models.CharField(_("state"), max_length=40, blank=True, help_text=_("Left empty where the country has none."))
    postal_code = models.CharField(_("postal code"), max_length=20)

    class Meta:
        abstract = True

    @property
    def town(self) -> str:
        """City, state and postal code as on a letter."""
        return f"{self.city}, {self.state} {self.postal_code}" if self.state else f"{self.city}, {self.postal_code}"


class Clinic(PostalAddress):
    """The one clinic this site speaks for. There is exactly one row, with pk 1."""

    # Columns that exist once for each language.
    WORDS = (
        "tagline",
        "description",
        "access_note",
        "directions",
        "response_promise",
        "message_headline",
        "message_thanks",
        "message_follow_up",
        "message_error",
        "specialist",
        "home_heading",
        "home_lead",
        "regions_note",
        "conditions_heading",
        "search_example",
        "urgent_signs",
    )

    name = models.CharField(_("name"), max_length=120)
    legal_name = models.CharField(_("legal name"), max_length=160, blank=True)
    tagline = models.CharField(_("tagline"), max_length=160, blank=True)
    description = models.CharField(_("description for search engines"), max_length=300, blank=True)
    is_sample = models.BooleanField(
        _("sample data"), default=True, help_text=_("Shows the sample bar on every page. Clear it only when every detail is real.")
    )
    phone = models.CharField(_("phone"), max_length=20, help_text=_("With country code, for example +17035550142"))
    email = models.EmailField(_("e-mail"))
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
    # Every column from here on may be left empty: the site then says it in general words.
    specialist = models.CharField(
        _("a specialist, with the article"), max_length=80, blank=True, help_text=_("For example: a spine specialist")
    )
    home_heading = models.CharField(_("heading"), max_length=120, blank=True, help_text=_("Left empty, the tagline stands there."))
    home_lead = models.CharField(_("text under the heading"), max_length=300, blank=True)
    regions_note = models.CharField(
        _("note beside the parts of the body"),
        max_length=300,
        blank=True,
        help_text=_("For example, that pain can be felt elsewhere."),
    )
    conditions_heading = models.CharField(_("heading of the list of conditions"), max_length=80, blank=True)
    search_example = models.CharField(_("example in the search box"), max_length=40, blank=True)
    urgent_signs = models.CharField(
        _("signs that cannot wait, in a line"),
        max_length=240,
        blank=True,
        help_text=_("Stands above the form. Starts with a capital letter, ends without a full stop."),
    )
    medical_specialty = models.CharField(
        _("specialty for search engines"), max_length=40, blank=True, help_text=_("A schema.org MedicalSpecialty: Musculoskeletal")
    )
    body_map = models.CharField(_("map of the body"), max_length=12, choices=BodyMap, default=BodyMap.NONE, blank=True)
    theme = models.JSONField(
        _("colours"), default=dict, blank=True, help_text=_("Roles of theme.py, each #rrggbb, in light and dark.")
    )
    heading_font = models.SlugField(_("font of headings"), max_length=40, blank=True)
    text_font = models.SlugField(_("font of the text"), max_length=40, blank=True)
    content_revision = models.PositiveBigIntegerField(default=1, editable=False)

    class Meta:
        verbose_name = _("clinic")
        verbose_name_plural = _("clinic")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="clinic_is_one"),
            models.CheckConstraint(condition=Q(body_map__in=BodyMap.values), name="clinic_body_map"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuses a time zone that does not exist, and a theme that is malformed or too faint to read."""
        problems: dict[str, list[str]] = {}
        if self.time_zone not in available_timezones():
            problems["time_zone"] = [str(_("There is no time zone of this name. Write one like America/Chicago."))]
        if faults := list(theme.malformed(self.theme)) or list(theme.too_faint(self.theme)):
            problems["theme"] = faults
        if problems:
            raise ValidationError(problems)

    @classmethod
    def current(cls, before: Self | None = None) -> Self:
        """The clinic's record with all that belongs to it; an unsaved sample one where none is stored yet.

        `before`, a copy from earlier, is given back, for one query, where the record is as it was: its content revision
        says so for what belongs to it, and for the pages.
        """
        clinic = cls.objects.filter(pk=1).first()
        if clinic is None:
            return cls(pk=1, name="Sample clinic", phone="+17035550142", email="newpatients@clinic.example")
        if before and before._columns == clinic._columns:
            return before
        files = models.Prefetch("brand_files", BrandFile.objects.defer("content"))
        models.prefetch_related_objects([clinic], "opening_hours", "holidays", "body_regions", "warning_signs", files)
        return clinic

    @property
    def _columns(self) -> tuple[object, ...]:
        return tuple(self.__dict__.get(column.attname) for column in self._meta.concrete_fields)

    @classmethod
    def bump_content_revision(cls) -> None:
        """Tell every process that published content changed; call it in the changing transaction."""
        cls.objects.filter(pk=1).update(content_revision=F("content_revision") + 1)

    @property
    def is_stored(self) -> bool:
        """Whether this is the record, not what stands in until there is one: hours, lists and files are of a stored one."""
        return not self._state.adding

    @property
    def thanks(self) -> str:
        """The thanks line with the clinic's name in its place."""
        return self.message_thanks.replace("{clinic_name}", self.name)

    @property
    def regions(self) -> list["BodyRegion"]:
        """The parts of the body it treats, in order; none where no record is stored. Asks for nothing that is prefetched."""
        return list(self.body_regions.all()) if self.is_stored else []

    @property
    def signs(self) -> list["WarningSign"]:
        """The signs that need an emergency room, in order; none where no record is stored. Asks for nothing that is prefetched."""
        return list(self.warning_signs.all()) if self.is_stored else []

    def closed_ahead(self, today: date) -> list["Holiday"]:
        """The days from today on, for CLOSED_AHEAD, on which it is closed. Asks for nothing that is prefetched."""
        if not self.is_stored:
            return []
        return [holiday for holiday in self.holidays.all() if today <= holiday.date <= today + CLOSED_AHEAD]

    @property
    def ordered_theme(self) -> dict[str, dict[str, str]]:
        """The theme with light before dark and roles as theme.py lists them."""
        return theme.in_order(self.theme)

    @property
    def colours(self) -> dict[str, str]:
        """Every role's colour in the light scheme, by the names of theme.py: accent, signal, paper, ink and the rest."""
        return theme.colours(self.theme)

    @property
    def tokens(self) -> dict[str, str]:
        """The tokens of site.css that the clinic's look changes in the light scheme, each with its colour."""
        return theme.tokens(self.theme)

    def file(self, key: str) -> "BrandFile | None":
        """A file of the clinic by its key, without its content. Asks for nothing that is prefetched."""
        return next((file for file in self.brand_files.all() if file.key == key), None) if self.is_stored else None

    def font(self, key: str) -> "BrandFile | None":
        """A font of the clinic's own by its key, without its content."""
        file = self.file(key) if key else None
        return file if file and file.format == brand_files.WOFF2 else None

    def knows_font(self, key: str) -> bool:
        """Whether headings or text can be set in it: a built-in choice, or a font of the clinic's own."""
        return key in theme.BUILT_IN_FONTS or self.font(key) is not None

    def region_name(self, key: str) -> str:
        """What a part of the body is called, from its key; the key where it is no longer listed."""
        return next((region.name for region in self.regions if region.key == key), key)


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


class BodyRegion(models.Model):
    """A part of the body that the clinic treats: pages are filtered by it, and the form asks for it."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="body_regions", default=1)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    key = models.SlugField(_("key"), max_length=20, help_text=_("Names it in pages, requests and addresses. Keep it."))
    name = models.CharField(_("name"), max_length=60)
    hint = models.CharField(
        _("what people feel there"), max_length=120, blank=True, help_text=_("Left empty, it is not on the front page’s list.")
    )

    class Meta:
        verbose_name = _("part of the body")
        verbose_name_plural = _("parts of the body")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "key"], name="body_region_once"),
            # “I am not sure” is an answer of the form.
            models.CheckConstraint(condition=~Q(key="unsure"), name="body_region_key_is_free"),
        ]

    def __str__(self) -> str:
        return self.name


class WarningSign(models.Model):
    """A sign that needs an emergency room now. The form asks for it, and warns whoever ticks it."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="warning_signs", default=1)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    key = models.SlugField(_("key"), max_length=20, help_text=_("Names it in requests. Keep it."))
    text = models.CharField(_("text"), max_length=160)

    class Meta:
        verbose_name = _("warning sign")
        verbose_name_plural = _("warning signs")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "key"], name="warning_sign_once"),
            # “None of these” is an answer of the form.
            models.CheckConstraint(condition=~Q(key="none"), name="warning_sign_key_is_free"),
        ]

    def __str__(self) -> str:
        return self.text


class BrandFile(models.Model):
    """A file that makes the site the clinic's own: its logo, a drawing, a font.

    Known by key: `logo`; `hero`, the drawing of the front page; `body-map`, where a patient points to what hurts; a page's `art` or
    address, its drawing; any other, a font that the record may name.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="brand_files", default=1)
    key = models.SlugField(_("key"), max_length=80)
    content = models.BinaryField()
    format = models.CharField(
        _("format"), max_length=8, choices=[(name, name) for name in brand_files.CONTENT_TYPES], editable=False
    )
    digest = models.CharField(max_length=64, editable=False)

    class Meta:
        verbose_name = _("file of the brand")
        verbose_name_plural = _("files of the brand")
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "key"], name="brand_file_once"),
            models.CheckConstraint(condition=Q(format__in=list(brand_files.CONTENT_TYPES)), name="brand_file_format"),
        ]

    def __str__(self) -> str:
        return f"{self.key}.{self.format}"

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Works out format and digest from the content, and refuses what no page may carry."""
        try:
            self.format = brand_files.check(bytes(self.content))
        except brand_files.Refused as refused:
            raise ValidationError({"content": str(refused)}) from None
        self.digest = hashlib.sha256(bytes(self.content)).hexdigest()
        super().clean_fields(exclude)


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
