"""The page: what it says, which state each language is in, and the addresses it had."""

import datetime
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.translation import get_language, get_language_from_path, override
from django.utils.translation import gettext_lazy as _

from clinic_site.models import BodyRegion

from .lists import CITATION

ENGLISH = "en"
SPANISH = "es"
# How long before its due date a medical review stands on the editors' list.
REVIEW_AHEAD = datetime.timedelta(days=30)
# How long after its due date a page stays in the sitemap: readers are told at once, search engines after this.
REVIEW_GRACE = datetime.timedelta(days=90)


class Kind(models.TextChoices):
    """Kinds of page. Values are stable: they stand in the content pack."""

    PROCEDURE = "procedure", _("Procedure")
    CONDITION = "condition", _("Condition")
    SYMPTOM = "symptom", _("Symptom")
    GUIDE = "guide", _("Patient guide")
    NOTICE = "notice", _("About this clinic")


class Status(models.TextChoices):
    """Whether the public sees a page."""

    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")


class ReviewState(models.TextChoices):
    """What stands behind a page's words. Every published page says which."""

    UNREVIEWED = "unreviewed", _("Not yet medically reviewed")
    SAMPLE = "sample", _("Sample review")
    REVIEWED = "reviewed", _("Medically reviewed")
    NOT_NEEDED = "not_needed", _("No medical content")


class PageQuerySet(models.QuerySet):
    """Questions about pages."""

    def published(self, language: str | None = None) -> Self:
        """Pages the public may read in a language, by default the one in use."""
        if (language or get_language()) == SPANISH:
            return self.filter(status_es=Status.PUBLISHED).exclude(slug_es="")
        return self.filter(status=Status.PUBLISHED)

    def published_anywhere(self) -> Self:
        """Pages the public may read in any language."""
        return self.published(ENGLISH) | self.published(SPANISH)

    def visible_to(self, user: AbstractUser | AnonymousUser) -> Self:
        """Published pages, and drafts too for staff who may look at pages."""
        if user.is_active and user.is_staff and user.has_perm("conditions.view_page"):
            return self
        return self.published()

    def due_for_review(self, today: datetime.date) -> Self:
        """Pages published in any language whose medical review is overdue, or due within REVIEW_AHEAD."""
        return self.published_anywhere().filter(next_review_on__lte=today + REVIEW_AHEAD)

    def indexable(self, today: datetime.date) -> Self:
        """Pages published in any language that search engines may list: with a review not long overdue, or with none to need."""
        long_overdue = Q(next_review_on__lt=today - REVIEW_GRACE)
        return self.published_anywhere().exclude(review_state=ReviewState.UNREVIEWED).exclude(long_overdue)

    def with_due_schedule(self, now: datetime.datetime) -> Self:
        """Pages that are to be published or taken off the site by now."""
        return self.filter(Q(publish_at__lte=now) | Q(publish_es_at__lte=now) | Q(unpublish_at__lte=now))

    def with_schedule(self) -> Self:
        """Pages with something planned."""
        return self.exclude(publish_at=None, publish_es_at=None, unpublish_at=None)

    def with_failed_schedule(self) -> Self:
        """Pages that were to be published, but were not ready when their time came."""
        return self.filter(Q(publish_failed_at__isnull=False) | Q(publish_es_failed_at__isnull=False))

    def of_kind(self, kind: Kind) -> Self:
        """Pages of one kind: those with a position first, in its order, the others by name."""
        return self.filter(kind=kind).order_by(F("position").asc(nulls_last=True), "name")

    def comparable(self) -> Self:
        """Published procedures that have facts to compare, by name."""
        return self.published().of_kind(Kind.PROCEDURE).filter(facts__isnull=False)


class Page(models.Model):
    """One page for patients, in two languages, each with its own state."""

    # Columns that exist once for each language: texts, and lists of them.
    TEXTS = ("title", "name", "summary", "description", "card")
    # Named by files and versions only where there is one: most pages have none.
    OPTIONAL_TEXTS = ("stage",)
    LISTS = ("alternate_names", "search_terms")
    # The column of each language.
    STATUS = {ENGLISH: "status", SPANISH: "status_es"}
    PUBLISH_AT = {ENGLISH: "publish_at", SPANISH: "publish_es_at"}
    PUBLISH_FAILED_AT = {ENGLISH: "publish_failed_at", SPANISH: "publish_es_failed_at"}

    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    slug = models.SlugField(_("address (English)"), max_length=80, unique=True)
    slug_es = models.SlugField(_("address (Spanish)"), max_length=80, blank=True)
    title = models.CharField(_("title"), max_length=80, help_text=_("The heading of the page, up to 60 characters."))
    name = models.CharField(_("short name"), max_length=60, help_text=_("For menus, cards and the path above the title."))
    summary = models.TextField(
        _("summary"), max_length=400, blank=True, help_text=_("One or two plain sentences, the most useful first.")
    )
    description = models.CharField(_("description for search engines"), max_length=170, blank=True)
    card = models.CharField(_("line for cards"), max_length=120, blank=True)
    pronunciation = models.CharField(
        _("how to say it"),
        max_length=60,
        blank=True,
        help_text=_("The English name in plain syllables, the strong one in capitals: ky-FOH-sis."),
    )
    alternate_names = models.JSONField(_("other names"), default=list, blank=True)
    search_terms = models.JSONField(_("search words"), default=list, blank=True)
    regions = models.JSONField(_("parts of the body"), default=list, blank=True)
    schema_type = models.CharField(_("schema.org type"), max_length=40, default="MedicalWebPage")
    body_location = models.CharField(_("body location"), max_length=60, blank=True)
    codes = models.JSONField(_("codes"), default=dict, blank=True, help_text=_("ICD-10-CM codes, for structured data only."))
    art = models.CharField(
        _("drawing"), max_length=40, blank=True, help_text=_("Name of a drawing of the house, shown beside the title.")
    )
    home_position = models.PositiveSmallIntegerField(
        _("place on the front page"), null=True, blank=True, help_text=_("Procedures with a number are shown there, in its order.")
    )
    position = models.PositiveSmallIntegerField(
        _("place in its list"),
        null=True,
        blank=True,
        help_text=_("Pages with a number come first, in its order; the others follow from A to Z."),
    )
    stage = models.CharField(
        _("stage"),
        max_length=60,
        blank=True,
        help_text=_("A heading in the list of guides. Guides of the same stage stand under it together."),
    )

    status = models.CharField(_("state"), max_length=10, choices=Status, default=Status.DRAFT)
    review_state = models.CharField(_("review"), max_length=12, choices=ReviewState, default=ReviewState.UNREVIEWED)
    reviewed_by = models.ForeignKey(
        "Physician", verbose_name=_("reviewed by"), on_delete=models.PROTECT, null=True, blank=True, related_name="reviewed_pages"
    )
    reviewed_on = models.DateField(_("last reviewed"), null=True, blank=True)
    next_review_on = models.DateField(_("next review due"), null=True, blank=True)
    status_es = models.CharField(_("state (Spanish)"), max_length=10, choices=Status, default=Status.DRAFT)
    review_state_es = models.CharField(_("review (Spanish)"), max_length=12, choices=ReviewState, default=ReviewState.UNREVIEWED)
    reviewed_on_es = models.DateField(_("last reviewed (Spanish)"), null=True, blank=True)
    english_digest = models.CharField(
        max_length=64, blank=True, editable=False, help_text="Digest of the English that the Spanish was made from."
    )

    publish_at = models.DateTimeField(
        _("publish at"),
        null=True,
        blank=True,
        help_text=_("In the clinic's time. It goes out then if nothing is open, or leave was given; otherwise it stays a draft."),
    )
    publish_es_at = models.DateTimeField(_("publish the Spanish at"), null=True, blank=True)
    unpublish_at = models.DateTimeField(
        _("take off the site at"), null=True, blank=True, help_text=_("Both languages become drafts then.")
    )
    publish_failed_at = models.DateTimeField(_("was to be published at"), null=True, blank=True, editable=False)
    publish_es_failed_at = models.DateTimeField(_("Spanish was to be published at"), null=True, blank=True, editable=False)

    first_published_on = models.DateField(_("first published"), null=True, blank=True, editable=False)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)
    revised_at = models.DateTimeField(_("words last changed"), null=True, blank=True, editable=False)
    revised_at_es = models.DateTimeField(_("words last changed (Spanish)"), null=True, blank=True, editable=False)
    links = models.ManyToManyField("self", through="PageLink", symmetrical=False, through_fields=("source", "target"))

    objects = PageQuerySet.as_manager()

    class Meta:
        verbose_name = _("page")
        verbose_name_plural = _("pages")
        ordering = ["kind", "slug"]
        permissions = [("publish_despite_problems", _("Can publish pages with open problems, giving a reason"))]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="page_kind"),
            models.CheckConstraint(condition=Q(status__in=Status.values) & Q(status_es__in=Status.values), name="page_status"),
            models.CheckConstraint(
                condition=Q(review_state__in=ReviewState.values) & Q(review_state_es__in=ReviewState.values),
                name="page_review_state",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.DRAFT) | (~Q(summary_en="") & Q(summary_en__isnull=False) & ~Q(title_en="")),
                name="page_published_has_summary",
                violation_error_message=_("A published page needs a title and a summary."),
            ),
            models.CheckConstraint(
                condition=Q(review_state__in=[ReviewState.UNREVIEWED, ReviewState.NOT_NEEDED])
                | Q(reviewed_by__isnull=False, reviewed_on__isnull=False),
                name="page_review_names_reviewer",
                violation_error_message=_("A reviewed page names its reviewer and the date."),
            ),
            models.CheckConstraint(
                condition=~Q(review_state=ReviewState.NOT_NEEDED) | Q(kind=Kind.NOTICE),
                name="page_medical_needs_review",
                violation_error_message=_("Only pages about the clinic do without medical review."),
            ),
            models.CheckConstraint(
                condition=Q(unpublish_at__isnull=True)
                | (Q(publish_at__isnull=True) | Q(publish_at__lt=F("unpublish_at")))
                & (Q(publish_es_at__isnull=True) | Q(publish_es_at__lt=F("unpublish_at"))),
                name="page_schedule_in_order",
                violation_error_message=_("A page is taken off the site after it is published, not before."),
            ),
            models.UniqueConstraint(fields=["slug_es"], condition=~Q(slug_es=""), name="page_slug_es_once"),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the page; where a page that was once published moves, its old address goes on leading to it."""
        with transaction.atomic():
            before = Page.objects.filter(pk=self.pk).first() if self.pk else None
            super().save(*args, **kwargs)
            if before:
                FormerAddress.keep(before, self)

    def get_absolute_url(self) -> str:
        """The address in the language in use: `/procedures/spinal-osteotomy/`, `/es/procedimientos/osteotomia-vertebral/`."""
        slug = self.slug_es if get_language() == SPANISH and self.slug_es else self.slug
        return reverse(f"conditions:{self.kind}", args=[slug])

    def clean(self) -> None:
        """Refuses parts of the body that the clinic's record does not list, and addresses at which the site itself stands."""
        taken = _("The site itself has something at this address. Choose another.")
        # The Spanish of a page without an address in it stands under the English one.
        stands = {"slug": [(ENGLISH, self.slug), (SPANISH, self.slug)], "slug_es": [(SPANISH, self.slug_es)]}
        for field, addresses in stands.items():
            if any(is_the_sites_own(language, self.kind, slug) for language, slug in addresses):
                raise ValidationError({field: taken})
        unknown = set(self.regions or ()) - set(BodyRegion.objects.values_list("key", flat=True))
        if unknown:
            raise ValidationError({"regions": _("%(key)r is no part of the body in the clinic’s record.") % {"key": min(unknown)}})

    @property
    def is_surgery(self) -> bool:
        """Whether the page is about an operation, not another treatment."""
        return self.schema_type == "SurgicalProcedure"

    @property
    def pdf_url(self) -> str:
        """The address of the page as a PDF: its own, and `handout.pdf`. Notices have none."""
        return f"{self.get_absolute_url()}handout.pdf"

    @property
    def say_it(self) -> str:
        """How to say the name; empty in Spanish, which is said as it is written."""
        return "" if get_language() == SPANISH else self.pronunciation

    @property
    def names_heard(self) -> list[tuple[str, str]]:
        """What a report or a doctor may call a procedure or condition, its title aside, each with its language."""
        if self.kind not in (Kind.PROCEDURE, Kind.CONDITION):
            return []
        spanish = get_language() == SPANISH
        # Spanish readers hear English names too, in the clinic and on its papers.
        english = {name.lower() for name in [self.title_en, self.name_en, *(self.alternate_names_en or [])]} if spanish else set()
        names = [name for name in self.alternate_names or [] if name not in (self.title, self.name)]
        return [(name, ENGLISH if name.lower() in english or not spanish else SPANISH) for name in names]

    @property
    def was_ever_published(self) -> bool:
        """Whether the public may have seen the page, in either language."""
        return bool(self.first_published_on) or Status.PUBLISHED in (self.status, self.status_es)

    @property
    def addresses(self) -> set[tuple[str, str, str]]:
        """Where the page stands, published or not: language, kind, slug."""
        found = {(ENGLISH, self.kind, self.slug), (SPANISH, self.kind, self.slug_es)}
        return {address for address in found if address[2]}

    def is_review_overdue(self, today: datetime.date) -> bool:
        """Whether its next medical review was due before today."""
        return bool(self.next_review_on and self.next_review_on < today)

    @property
    def last_revised_at(self) -> datetime.datetime:
        """When its words in the language in use last changed; saving it as it was does not count."""
        return (self.revised_at_es if get_language() == SPANISH else self.revised_at) or self.changed_at

    @property
    def is_published(self) -> bool:
        """Whether the public may read the page in the language in use."""
        if get_language() == SPANISH:
            return self.status_es == Status.PUBLISHED and bool(self.slug_es)
        return self.status == Status.PUBLISHED

    @property
    def published_languages(self) -> list[str]:
        """The languages in which the public is meant to read the page."""
        return [language for language, column in self.STATUS.items() if getattr(self, column) == Status.PUBLISHED]

    @property
    def cited_keys(self) -> list[str]:
        """Keys of the references that the sections cite, in order of first use."""
        keys: dict[str, None] = {}
        for section in self.sections.all():
            keys.update(dict.fromkeys(CITATION.findall(section.body or "")))
        return list(keys)


def is_the_sites_own(language: str, kind: str, slug: str) -> bool:
    """Whether a page would stand where the site has something else: `/procedures/compare/`, `/search/`, `/static/`."""
    with override(language):
        try:
            path = reverse(f"conditions:{kind}", args=[slug])
        except NoReverseMatch:
            return False
        if path in (settings.STATIC_URL, settings.MEDIA_URL) or (get_language_from_path(path) or ENGLISH) != language:
            return True
        return resolve(path).view_name != f"conditions:{kind}"


class FormerAddress(models.Model):
    """An address that a page left. It leads to wherever the page stands now, unless another page stands there."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="former_addresses")
    language = models.CharField(_("language"), max_length=2, choices=[(ENGLISH, _("English")), (SPANISH, _("Spanish"))])
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    slug = models.SlugField(_("address"), max_length=80)

    class Meta:
        verbose_name = _("former address")
        verbose_name_plural = _("former addresses")
        ordering = ["language", "kind", "slug"]
        constraints = [
            models.UniqueConstraint(fields=["language", "kind", "slug"], name="former_address_once"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="former_address_kind"),
            models.CheckConstraint(condition=Q(language__in=[ENGLISH, SPANISH]), name="former_address_language"),
        ]

    def __str__(self) -> str:
        return f"{self.language} {self.kind}/{self.slug}"

    def clean(self) -> None:
        """Refuses addresses at which the site itself stands: they would never lead anywhere."""
        if is_the_sites_own(self.language, self.kind, self.slug):
            raise ValidationError({"slug": _("The site itself has something at this address. Choose another.")})

    @property
    def path(self) -> str:
        """The address itself, while its language is in use."""
        return reverse(f"conditions:{self.kind}", args=[self.slug])

    @classmethod
    def keep(cls, before: Page, after: Page) -> None:
        """Remember the addresses that a page left, if the public may know them; the last page to leave one has it."""
        if before.addresses == after.addresses:
            return
        for language, kind, slug in after.addresses:
            cls.objects.filter(page_id=after.pk, language=language, kind=kind, slug=slug).delete()
        if before.was_ever_published:
            for language, kind, slug in before.addresses - after.addresses:
                cls.objects.update_or_create(language=language, kind=kind, slug=slug, defaults={"page_id": after.pk})
