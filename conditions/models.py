"""What patients read: pages and what they are made of.

One table of pages with a proxy for each kind, so that sections, links,
references, search, sitemap and "the page a request came from" each exist once.
English and Spanish live side by side in the same rows (`title_en`, `title_es`).
"""

import datetime
import re
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now, TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_prose_editor.fields import ProseEditorField
from pictures.models import PictureField

from clinic_site.models import BodyRegion, Weekday

from .rich_text import EXTENSIONS, clean

ENGLISH = "en"
SPANISH = "es"
CITATION = re.compile(r"\[([A-Z][A-Z0-9-]+)\]")
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

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Published pages, and drafts too for staff who may look at pages."""
        if user.is_active and user.is_staff and user.has_perm("conditions.view_page"):
            return self
        return self.published()

    def due_for_review(self, today: datetime.date) -> Self:
        """Pages published in any language whose medical review is overdue, or due within REVIEW_AHEAD."""
        published = Q(status=Status.PUBLISHED) | Q(status_es=Status.PUBLISHED)
        return self.filter(published, next_review_on__lte=today + REVIEW_AHEAD)

    def indexable(self, today: datetime.date) -> Self:
        """Pages published in English that search engines may list: with a review that is not long overdue, or with none to need."""
        long_overdue = Q(next_review_on__lt=today - REVIEW_GRACE)
        return self.published("en").exclude(review_state=ReviewState.UNREVIEWED).exclude(long_overdue)

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
        """Pages of one kind, by name."""
        return self.filter(kind=kind).order_by("name")


class Page(models.Model):
    """One page for patients, in two languages, each with its own state."""

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
        help_text=_("In the clinic's time. It goes out then if nothing is left to mend; otherwise it stays a draft."),
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

    def save(self, *args: object, **kwargs: object) -> None:
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
        """Refuses parts of the body that the clinic's record does not list."""
        unknown = set(self.regions or ()) - set(BodyRegion.objects.values_list("key", flat=True))
        if unknown:
            raise ValidationError({"regions": _("%(key)r is no part of the body in the clinic’s record.") % {"key": min(unknown)}})

    @property
    def pdf_url(self) -> str:
        """The address of the page as a PDF: its own, and `handout.pdf`. Notices have none."""
        return f"{self.get_absolute_url()}handout.pdf"

    @property
    def was_ever_published(self) -> bool:
        """Whether the public may have seen the page, in either language."""
        return bool(self.first_published_on) or Status.PUBLISHED in (self.status, self.status_es)

    @property
    def addresses(self) -> set[tuple[str, str, str]]:
        """Where the page stands, published or not: language, kind, slug."""
        found = {(ENGLISH, self.kind, self.slug), (SPANISH, self.kind, self.slug_es)}
        return {address for address in found if address[2]}

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
    def cited_keys(self) -> list[str]:
        """Keys of the references that the sections cite, in order of first use."""
        keys: dict[str, None] = {}
        for section in self.sections.all():
            keys.update(dict.fromkeys(CITATION.findall(section.body or "")))
        return list(keys)


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


class Photo(models.Model):
    """A picture that staff uploaded. Its file holds pixels and nothing else: see photos.py."""

    key = models.SlugField(_("key"), max_length=60, unique=True, help_text=_("Names the picture in lists, for example front-door."))
    picture = PictureField(
        _("picture"), upload_to="photos", width_field="width", height_field="height", container_width=1600, grid_columns=4
    )
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    alt = models.CharField(_("alternative text"), max_length=125, help_text=_("What it shows and why, up to 125 characters."))
    credit = models.CharField(_("credit"), max_length=120, blank=True, help_text=_("Who took it, where that must be said."))
    focal_x = models.PositiveSmallIntegerField(
        _("focal point, from the left"),
        default=50,
        validators=[MaxValueValidator(100)],
        help_text=_("In percent. What is here stays in view where the picture is cropped."),
    )
    focal_y = models.PositiveSmallIntegerField(_("focal point, from the top"), default=50, validators=[MaxValueValidator(100)])
    is_sample = models.BooleanField(_("sample picture"), default=False)

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        ordering = ["key"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(alt_en="") & Q(alt_en__isnull=False),
                name="photo_has_alternative_text",
                violation_error_message=_("Describe this picture for people who cannot see it."),
            ),
            models.CheckConstraint(condition=Q(focal_x__lte=100, focal_y__lte=100), name="photo_focal_point"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def focal_class(self) -> str:
        """The classes of the style sheet that keep the focal point in view, in steps of ten percent."""
        return f"focal-x{(self.focal_x + 5) // 10} focal-y{(self.focal_y + 5) // 10}"

    @property
    def srcset(self) -> dict[str, str]:
        """The picture's addresses and widths, as HTML lists them, by type: `avif`, `webp`, `jpeg`."""
        return {
            file_type.lower(): ", ".join(f"{size.url} {width}w" for width, size in sorted(sizes.items()))
            for file_type, sizes in self.picture.aspect_ratios[None].items()
        }

    @property
    def url(self) -> str:
        """The address of a middling size that every program can show."""
        sizes = self.picture.aspect_ratios[None]["JPEG"]
        return max((size for size in sizes.values() if size.width <= 800), key=lambda size: size.width).url


class Figure(models.Model):
    """A drawing of the house or a photo in a page, placed by the paragraph `[figure:key]` in a section."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="figures")
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    key = models.SlugField(_("key"), max_length=40, help_text=_("Names the drawing of the house, and its place in the text."))
    photo = models.ForeignKey(
        Photo,
        verbose_name=_("photo"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="figures",
        help_text=_("Shown in place of a drawing."),
    )
    title = models.CharField(_("title"), max_length=120)
    alt = models.CharField(_("alternative text"), max_length=125, help_text=_("What it shows and why, up to 125 characters."))
    caption = models.TextField(_("caption"))
    long_description = models.TextField(_("long description"), blank=True)
    callouts = models.JSONField(_("numbered marks"), default=list, blank=True)

    class Meta:
        verbose_name = _("figure")
        verbose_name_plural = _("figures")
        ordering = ["page", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["page", "key"], name="figure_key_once"),
            models.CheckConstraint(
                condition=~Q(alt_en="") & Q(alt_en__isnull=False),
                name="figure_has_alternative_text",
                violation_error_message=_("Describe this figure for people who cannot see it."),
            ),
        ]

    def __str__(self) -> str:
        return self.title


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
    """One typed edge of the content graph. A symmetric one is stored once, either way round."""

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
        return f"{self.source.slug} {self.relation} {self.target.slug}"


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

    def get_absolute_url(self) -> str:
        """`/physicians/<slug>/`"""
        return reverse("conditions:physician", args=[self.slug])

    def visits(self) -> dict["Location", list["PhysicianHours"]]:
        """Where the doctor sees patients, with the hours at each place. Asks for nothing that is prefetched."""
        places: dict[Location, list[PhysicianHours]] = {}
        for row in self.hours.all():
            places.setdefault(row.location, []).append(row)
        return places

    @property
    def initials(self) -> str:
        """Two letters for the placeholder where no portrait exists."""
        words = [word for word in self.name.split(",")[0].split() if word[0].isupper()]
        return "".join(word[0] for word in (words[0], words[-1])) if words else ""


class Location(models.Model):
    """A place where doctors of the clinic see patients."""

    key = models.SlugField(_("key"), max_length=40, unique=True, help_text=_("Links to this place end in #key. Keep it."))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    name = models.CharField(_("name"), max_length=80)
    street = models.CharField(_("street"), max_length=160)
    city = models.CharField(_("city"), max_length=80)
    state = models.CharField(_("state"), max_length=40)
    postal_code = models.CharField(_("postal code"), max_length=20)
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


class PackRecord(models.Model):
    """What the content pack last put into the database, so that a staff edit is noticed and kept."""

    name = models.CharField(max_length=120, unique=True)
    digest = models.CharField(max_length=64)
    loaded_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class RevisionAction(models.TextChoices):
    """What made a revision."""

    SAVED = "saved", pgettext_lazy("revision", "Saved")
    PUBLISHED = "published", pgettext_lazy("revision", "Published")
    UNPUBLISHED = "unpublished", pgettext_lazy("revision", "Taken off the site")
    RESTORED = "restored", pgettext_lazy("revision", "Restored")
    LOADED = "loaded", pgettext_lazy("revision", "Loaded from files")


class PageRevision(models.Model):
    """A page as it stood at one time, both languages, and who made it so. Rows are written once and never changed."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="revisions")
    made_at = models.DateTimeField(_("when"), default=timezone.now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    made_by_name = models.CharField(_("who"), max_length=150, blank=True)
    action = models.CharField(_("what"), max_length=12, choices=RevisionAction)
    comment = models.CharField(_("note"), max_length=300, blank=True)
    data = models.JSONField(encoder=DjangoJSONEncoder, help_text="The page in the form of the content pack.")
    digest = models.CharField(max_length=64, help_text="Fingerprint of the data.")
    english_digest = models.CharField(max_length=64, help_text="Digest of the English words, as Page.english_digest holds it.")

    class Meta:
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["page", "english_digest"], name="revision_english")]
        constraints = [models.CheckConstraint(condition=Q(action__in=RevisionAction.values), name="page_revision_action")]

    def __str__(self) -> str:
        return f"{self.page_id}: {self.action} {self.made_at:%Y-%m-%d %H:%M}"

    @property
    def author(self) -> str:
        """Who made it, in words; the name outlives the account."""
        return self.made_by_name or (_("Content files") if self.action == RevisionAction.LOADED else _("The site itself"))


class PublishOverride(models.Model):
    """Somebody published a page although problems were open: who, when, why, and which. Rows are written once and never changed."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="overrides")
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    at = models.DateTimeField(_("when"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    by_name = models.CharField(_("who"), max_length=150)
    reason = models.TextField(_("reason"), max_length=500)
    problems = models.JSONField(_("open problems"), default=list)

    class Meta:
        verbose_name = _("publication despite problems")
        verbose_name_plural = _("publications despite problems")
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="publish_override_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.page}: {self.by_name}, {self.at:%Y-%m-%d}"


class ReviewReminder(models.Model):
    """The mail to a page's reviewer that its review is due: one for each page and due date, sent by the worker."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="reminders")
    due_on = models.DateField(_("review due"))
    message_id = models.CharField(_("Message-ID"), max_length=200, unique=True)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("reminder of a review")
        verbose_name_plural = _("reminders of reviews")
        ordering = ["-due_on", "page"]
        constraints = [models.UniqueConstraint(fields=["page", "due_on"], name="review_reminder_once")]

    def __str__(self) -> str:
        return f"{self.page}: {self.due_on}"


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
