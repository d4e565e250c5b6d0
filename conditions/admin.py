"""Editing what patients read."""

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db import models
from django.db.models import QuerySet
from django.forms import CheckboxSelectMultiple, MultipleChoiceField, Script
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from js_asset.media import Media
from modeltranslation.admin import TranslationAdmin, TranslationStackedInline

from clinic_site.models import BodyRegion, Clinic

from . import photos, services
from .admin_fields import PlacedFormSet, SideBySide
from .admin_history import KeepsHistory
from .admin_readiness import HeldToReadiness, RecordAdmin, ScheduleFilter, missed, planned
from .anatomy import USUAL_TYPES
from .content_pack import is_behind_english
from .content_pack.states import anchors_behind
from .models import (
    Condition,
    Figure,
    FormerAddress,
    GlossaryTerm,
    Guide,
    Kind,
    Location,
    Notice,
    Packet,
    Page,
    PageLink,
    Photo,
    Physician,
    PhysicianHours,
    Procedure,
    ProcedureFacts,
    PublishOverride,
    Reference,
    ReviewReminder,
    ReviewState,
    SearchMiss,
    Section,
    Symptom,
    Testimonial,
)

# A list of boxes needs no script and has a label for each.
CHECKBOXES = {models.ManyToManyField: {"widget": CheckboxSelectMultiple}}


class EditsContent:
    """Saves that the public sees: every process is told; the text editor runs under the content security policy."""

    formfield_overrides = CHECKBOXES | {models.URLField: {"assume_scheme": "https"}}

    class Media:
        js = ["js/admin-editor.js", "js/admin-paste.js"]

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        Clinic.bump_content_revision()

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        Clinic.bump_content_revision()

    def delete_queryset(self, request, queryset):
        super().delete_queryset(request, queryset)
        Clinic.bump_content_revision()

    def render_change_form(self, request, context, *args, **kwargs) -> HttpResponse:
        context["media"] = Media.from_media(context["media"], nonce=request.csp_nonce)
        return super().render_change_form(request, context, *args, **kwargs)


class SectionInline(SideBySide, TranslationStackedInline):
    """The sections of a page, in order, English and Spanish side by side."""

    model = Section
    formset = PlacedFormSet
    extra = 0
    readonly_fields = ["spanish_state"]
    prepopulated_fields = {"anchor": ["heading_en"]}
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("position", "level", "kind", "anchor", "spanish_state"),
                    ("heading_en", "heading_es"),
                    ("body_en", "body_es"),
                ]
            },
        ),
    ]

    def get_formset(self, request, obj=None, **kwargs):
        self.behind = anchors_behind(obj) if obj and request.method == "GET" else set()
        return super().get_formset(request, obj, **kwargs)

    @admin.display(description=_("Spanish"))
    def spanish_state(self, section: Section) -> str:
        """What the Spanish of a section still needs."""
        if not section.pk:
            return "-"
        if not section.heading_es or (section.body_en and not section.body_es):
            return format_html('<span class="chip chip--late">{}</span>', _("Missing"))
        if section.anchor in self.behind:
            return format_html('<span class="chip chip--contacted">{}</span>', _("English changed since"))
        return format_html('<span class="chip chip--published">{}</span>', _("There"))


class FigureInline(SideBySide, TranslationStackedInline):
    """Drawings and photos placed in the page."""

    model = Figure
    formset = PlacedFormSet
    extra = 0
    fields = [
        ("position", "key", "photo"),
        *((f"{name}_en", f"{name}_es") for name in ("title", "alt", "caption", "long_description", "callouts")),
    ]
    classes = ["collapse"]


class PageLinkInline(admin.StackedInline):
    """Edges of the content graph that this page holds; the other direction is derived."""

    model = PageLink
    formset = PlacedFormSet
    fk_name = "source"
    extra = 0
    autocomplete_fields = ["target"]
    fields = [("position", "relation", "target", "role", "how_often")]
    classes = ["collapse"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("source", "target")


class FormerAddressInline(admin.StackedInline):
    """Addresses that lead to this page: those it left, and any that editors add."""

    model = FormerAddress
    extra = 0
    classes = ["collapse"]


class DueFilter(admin.SimpleListFilter):
    """Pages by when their medical review is due."""

    title = _("medical review")
    parameter_name = "review"

    def lookups(self, request, model_admin):
        return [("due", _("Overdue, or due within 30 days")), ("overdue", _("Overdue")), ("none", _("Not yet reviewed"))]

    def queryset(self, request, queryset):
        today = timezone.localdate()
        if self.value() == "due":
            return queryset.due_for_review(today)
        if self.value() == "overdue":
            return queryset.published().filter(next_review_on__lt=today)
        if self.value() == "none":
            return queryset.filter(review_state__in=[ReviewState.UNREVIEWED, ReviewState.SAMPLE])
        return queryset


@admin.register(Page)
class PageAdmin(HeldToReadiness, KeepsHistory, SideBySide, EditsContent, TranslationAdmin):
    """All pages; also where links between pages look their targets up."""

    inlines = [SectionInline, FigureInline, PageLinkInline, FormerAddressInline]
    list_display = ["name", "kind_shown", "state", "review_shown", "changed", "on_site"]
    list_filter = ["status", "status_es", "kind", DueFilter, ScheduleFilter]
    search_help_text = _("Words of a name or title, or of the address")
    search_fields = ["name_en", "title_en", "name_es", "title_es", "slug"]
    readonly_fields = ["first_published_on", "changed_at", "spanish_state"]
    prepopulated_fields = {"slug": ["name"], "slug_es": ["name_es"]}
    actions = ["publish", "unpublish", "publish_spanish", "unpublish_spanish"]
    save_on_top = True
    list_per_page = 50
    fixed_kind = None

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("reviewed_by").prefetch_related("planned_overrides")

    def get_fieldsets(self, request, obj=None):
        kind = [] if self.fixed_kind else ["kind"]
        words = ("title", "name", "summary", "description", "card")
        lists = [(f"{field}_en", f"{field}_es") for field in ("alternate_names", "search_terms")]
        spanish = [("spanish_state", "spanish_matches"), ("slug_es", "status_es"), ("review_state_es", "reviewed_on_es")]
        address = (None, {"fields": [*kind, ("slug", "status")]})
        opening = (_("Opening"), {"fields": [(f"{field}_en", f"{field}_es") for field in words]})
        review = (_("Medical review"), {"fields": [("review_state", "reviewed_by"), ("reviewed_on", "next_review_on")]})
        # The address of a new page follows from its name, so the name comes first.
        first = [address, review, opening] if obj else [(None, {"fields": ["usual_sections"]}), opening, address, review]
        return [
            *first,
            (_("Schedule"), {"classes": ["collapse"], "fields": ["publish_at", "publish_es_at", "unpublish_at"]}),
            (_("Spanish"), {"fields": spanish}),
            (
                _("For search and machines"),
                {
                    "classes": ["collapse"],
                    "fields": [*lists, "pronunciation", "regions", "home_position", "schema_type", "body_location", "codes", "art"],
                },
            ),
            (_("Record"), {"classes": ["collapse"], "fields": ["first_published_on", "changed_at"]}),
        ]

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "regions":
            choices = [(region.key, region.name) for region in BodyRegion.objects.all()]
            label = db_field.verbose_name.capitalize()
            return MultipleChoiceField(choices=choices, label=label, required=False, widget=CheckboxSelectMultiple)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(db_field, models.DateTimeField) and field is not None:
            # Its two boxes have no label of their own.
            for widget, part in zip(field.widget.widgets, (_("date"), _("time")), strict=True):
                widget.attrs["aria-label"] = format_lazy("{}: {}", db_field.verbose_name, part)
        return field

    @admin.display(description=_("Spanish"))
    def spanish_state(self, page: Page) -> str:
        """How the Spanish stands to the English."""
        if not page.pk or not page.slug_es:
            return format_html('<span class="chip">{}</span>', _("Not begun"))
        if is_behind_english(page):
            return format_html('<span class="chip chip--late">{}</span>', _("The English changed since it was made"))
        return format_html('<span class="chip chip--published">{}</span>', _("Made from this English"))

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        form.fixed_kind = self.fixed_kind
        return form

    def view_on_site(self, page: Page) -> str:
        """The public address; of a draft too, which staff who may look at pages see there with a banner."""
        return page.get_absolute_url()

    @admin.display(description=_("state"), ordering="status")
    def state(self, page: Page) -> str:
        plans = format_html_join("", '<span class="sub">{}</span>', ((line,) for line in planned(page)))
        late = format_html_join("", ' <span class="chip chip--late">{}</span>', ((line,) for line in missed(page)))
        return format_html('<span class="chip chip--{}">{}</span>{}{}', page.status, page.get_status_display(), late, plans)

    @admin.display(description=_("changed"), ordering="changed_at")
    def changed(self, page: Page) -> str:
        return date_format(timezone.localtime(page.changed_at))

    @admin.display(description=_("on the site"))
    def on_site(self, page: Page) -> str:
        link = '<a href="{}">{}<span class="visually-hidden">: {}</span></a>'
        return format_html(link, page.get_absolute_url(), _("View") if page.is_published else _("Preview"), page.name)

    @admin.display(description=_("kind"), ordering="kind")
    def kind_shown(self, page: Page) -> str:
        return page.get_kind_display()

    @admin.display(description=_("medical review"), ordering="next_review_on")
    def review_shown(self, page: Page) -> str:
        if page.review_state == ReviewState.NOT_NEEDED:
            return "-"
        if page.review_state == ReviewState.UNREVIEWED or not page.next_review_on:
            return format_html('<span class="chip chip--late">{}</span>', page.get_review_state_display())
        day = date_format(page.next_review_on)
        if page.next_review_on < timezone.localdate():
            return format_html('<span class="chip chip--late">{}</span>', _("Overdue since %s") % day)
        return format_html('{}<span class="sub">{}</span>', page.get_review_state_display(), _("next by %s") % day)


class KindAdmin(PageAdmin):
    """Pages of one kind."""

    list_display = ["name", "state", "review_shown", "changed", "on_site"]
    list_filter = ["status", "status_es", DueFilter, ScheduleFilter]

    def get_changeform_initial_data(self, request):
        usual = {"schema_type": USUAL_TYPES[self.fixed_kind]}
        if self.fixed_kind == Kind.NOTICE:
            usual["review_state"] = ReviewState.NOT_NEEDED
        return usual | super().get_changeform_initial_data(request)


class ProcedureFactsInline(TranslationStackedInline):
    """What the comparison of procedures shows."""

    model = ProcedureFacts
    extra = 0
    max_num = 1
    classes = ["collapse"]
    formfield_overrides = {models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 2})}}
    fieldsets = [
        (None, {"fields": [f"{field}_en" for field in ProcedureFacts.SHOWN]}),
        (_("Spanish"), {"classes": ["collapse"], "fields": [f"{field}_es" for field in ProcedureFacts.SHOWN]}),
    ]


@admin.register(Procedure)
class ProcedureAdmin(KindAdmin):
    """Operations, injections, therapy."""

    fixed_kind = Kind.PROCEDURE
    inlines = [*PageAdmin.inlines, ProcedureFactsInline]


@admin.register(Condition)
class ConditionAdmin(KindAdmin):
    """Diagnoses."""

    fixed_kind = Kind.CONDITION


@admin.register(Symptom)
class SymptomAdmin(KindAdmin):
    """What people feel."""

    fixed_kind = Kind.SYMPTOM


class PacketInline(SideBySide, TranslationStackedInline):
    """Makes a guide the packet of one or more surgeons."""

    model = Packet
    extra = 0
    max_num = 1
    formfield_overrides = CHECKBOXES


class GuideSectionInline(SectionInline):
    """The sections of a guide; in a packet some may be for the patients of one surgeon."""

    fieldsets = [
        (None, {"fields": [*SectionInline.fieldsets[0][1]["fields"], "physician"]}),
    ]


@admin.register(Guide)
class GuideAdmin(KindAdmin):
    """Guides and packets."""

    fixed_kind = Kind.GUIDE
    inlines = [PacketInline, GuideSectionInline, *PageAdmin.inlines[1:]]


@admin.register(Notice)
class NoticeAdmin(KindAdmin):
    """Pages about the clinic."""

    fixed_kind = Kind.NOTICE


@admin.register(Reference)
class ReferenceAdmin(EditsContent, admin.ModelAdmin):
    """Sources that pages cite by key."""

    list_display = ["key", "title", "checked_on"]
    search_fields = ["key", "title"]


class PhotoForm(forms.ModelForm):
    """A photo with its picture, which was examined before the form is read."""

    class Meta:
        field_classes = {"picture": photos.ArrivedPictureField}
        help_texts = {
            "picture": _("JPEG, PNG, WebP or AVIF, up to 12 MB. Place and camera data in it are removed."),
        }

    def clean_picture(self):
        picture = self.cleaned_data["picture"]
        if isinstance(picture, str):
            photos.forget_size(self.instance)
        return picture


@admin.register(Photo)
class PhotoAdmin(SideBySide, EditsContent, TranslationAdmin):
    """Pictures for pages and portraits."""

    form = PhotoForm
    list_display = ["thumbnail", "key", "alt", "size", "is_sample"]
    list_display_links = ["key"]
    list_filter = ["is_sample"]
    search_fields = ["key", "alt_en", "alt_es", "credit"]
    readonly_fields = ["preview"]
    fieldsets = [
        (None, {"fields": ["picture", "alt", "key", "credit", "is_sample"]}),
        (_("Focal point"), {"fields": [("focal_x", "focal_y"), "preview"]}),
    ]

    class Media:
        js = [Script("js/admin-focal-point.js", defer=True)]

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "picture":
            field.widget.attrs["accept"] = photos.ACCEPT
        return field

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        # A picture takes seconds, in which a transaction would hold up everyone who writes.
        upload = request.FILES.get("picture")
        may = self.has_change_permission(request) if object_id else self.has_add_permission(request)
        if not upload or not may:
            return super().changeform_view(request, object_id, form_url, extra_context)
        arrived = request.FILES["picture"] = photos.receive(upload)
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        finally:
            if arrived.name and not Photo.objects.filter(picture=arrived.name).exists():
                photos.remove(arrived.name)

    def save_model(self, request, obj, form, change):
        services.store_photo(obj)

    def delete_model(self, request, obj):
        services.delete_photo(obj)
        Clinic.bump_content_revision()

    def delete_queryset(self, request, queryset):
        for photo in queryset:
            services.delete_photo(photo)
        Clinic.bump_content_revision()

    @admin.display(description=_("picture"))
    def thumbnail(self, photo: Photo) -> str:
        return render_to_string("admin/photo_thumbnail.html", {"photo": photo})

    @admin.display(description=_("size"))
    def size(self, photo: Photo) -> str:
        return f"{photo.width} × {photo.height}"

    @admin.display(description=_("preview"))
    def preview(self, photo: Photo) -> str:
        # As stored: a form with a mistake in it may hold a picture that is not kept.
        stored = Photo.objects.filter(pk=photo.pk).first()
        return render_to_string("admin/photo_preview.html", {"photo": stored}) if stored else "-"


@admin.register(Location)
class LocationAdmin(SideBySide, EditsContent, TranslationAdmin):
    """Places where doctors see patients."""

    list_display = ["name", "street", "city", "phone", "is_sample"]
    search_fields = ["name_en", "street", "city"]
    prepopulated_fields = {"key": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", ("key", "position"), "is_sample"]}),
        (_("Contact"), {"fields": ["street", ("city", "state", "postal_code"), "phone"]}),
        (_("Getting there"), {"fields": ["access_note", "directions"]}),
    ]


class PhysicianHoursInline(admin.StackedInline):
    """Where and when a doctor sees patients."""

    model = PhysicianHours
    extra = 0
    fields = [("location", "weekday", "opens_at", "closes_at")]


@admin.register(Physician)
class PhysicianAdmin(SideBySide, EditsContent, TranslationAdmin):
    """Doctors of the clinic."""

    inlines = [PhysicianHoursInline]
    list_display = ["name", "role", "is_published", "is_sample", "accepting_new_patients"]
    list_filter = ["is_published", "is_sample"]
    search_fields = ["name", "role_en"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", ("slug", "position"), "credentials", "email", "is_published", "is_sample"]}),
        (_("Profile"), {"fields": [(f"{name}_en", f"{name}_es") for name in ("role", "board", "lead", "bio")]}),
        (_("Training"), {"fields": ["training_en", "training_es"]}),
        (_("Practice"), {"fields": ["languages", ("days_en", "days_es"), "accepting_new_patients", "interests", "portrait"]}),
    ]

    def view_on_site(self, physician: Physician) -> str | None:
        """The public profile, once there is one."""
        return physician.get_absolute_url() if physician.is_published else None


@admin.register(Testimonial)
class TestimonialAdmin(SideBySide, EditsContent, TranslationAdmin):
    """Patients' own words with their authorisation, or samples."""

    list_display = ["display_name", "descriptor", "is_published", "is_sample", "consent_recorded_on", "consent_expires_on"]
    list_filter = ["is_published", "is_sample"]
    search_fields = ["display_name", "quote_en"]
    fieldsets = [
        (None, {"fields": ["key", "position", "quote", "display_name", "descriptor", "pages", "is_published", "is_sample"]}),
        (_("Authorisation"), {"fields": ["consent_recorded_on", "consent_scope", "consent_expires_on", "consent_withdrawn_on"]}),
    ]


@admin.register(GlossaryTerm)
class GlossaryTermAdmin(SideBySide, EditsContent, TranslationAdmin):
    """Words and what they mean."""

    list_display = ["term", "definition"]
    search_fields = ["term_en", "term_es", "definition_en"]
    prepopulated_fields = {"slug": ["term"]}


@admin.register(PublishOverride)
class PublishOverrideAdmin(RecordAdmin):
    """Who published what despite open problems, and why."""

    list_display = ["page", "language", "at", "by_name", "reason"]
    list_filter = ["language"]
    fields = ["page", "language", "at", "by_name", "reason", "problems_shown"]

    @admin.display(description=_("open problems"))
    def problems_shown(self, override: PublishOverride) -> str:
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((line,) for line in override.problems)))


@admin.register(ReviewReminder)
class ReviewReminderAdmin(RecordAdmin):
    """Mails to reviewers: which went out, and which could not."""

    list_display = ["page", "due_on", "sent_at", "attempts", "last_error"]
    fields = ["page", "due_on", "sent_at", "attempts", "next_try_at", "last_error"]


@admin.register(SearchMiss)
class SearchMissAdmin(admin.ModelAdmin):
    """What people looked for and did not find: a page, another name or a search word may be missing."""

    list_display = ["query", "language", "count", "first_on", "last_on"]
    list_display_links = None
    list_filter = ["language"]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False
