"""Pages of every kind, with their sections, figures and links."""

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.forms import CheckboxSelectMultiple, MultipleChoiceField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from modeltranslation.admin import TranslationAdmin, TranslationStackedInline

from clinic_site.models import BodyRegion
from conditions.content_pack import is_behind_english
from conditions.content_pack.states import anchors_behind
from conditions.models import Figure, FormerAddress, Kind, Page, PageLink, ReviewState, Section

from .fields import PlacedFormSet, SideBySide
from .history import KeepsHistory
from .readiness import HeldToReadiness, ScheduleFilter, missed, planned
from .saving import EditsContent


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
        *((f"{name}_en", f"{name}_es") for name in (*Figure.TEXTS, "callouts")),
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
            return queryset.published_anywhere().filter(next_review_on__lt=today)
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
    fixed_kind: Kind | None = None

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("reviewed_by").prefetch_related("planned_overrides")

    def get_fieldsets(self, request, obj=None):
        kind = [] if self.fixed_kind else ["kind"]
        lists = [(f"{field}_en", f"{field}_es") for field in Page.LISTS]
        spanish = [("spanish_state", "spanish_matches"), ("slug_es", "status_es"), ("review_state_es", "reviewed_on_es")]
        address = (None, {"fields": [*kind, ("slug", "status")]})
        opening = (_("Opening"), {"fields": [(f"{field}_en", f"{field}_es") for field in (*Page.TEXTS, *Page.OPTIONAL_TEXTS)]})
        review = (_("Medical review"), {"fields": [("review_state", "reviewed_by"), ("reviewed_on", "next_review_on")]})
        # The address of a new page follows from its name, so the name comes first.
        first = [address, review, opening] if obj else [(None, {"fields": ["usual_sections"]}), opening, address, review]
        return [
            *first,
            (
                _("Schedule"),
                {
                    "classes": ["collapse"],
                    "description": _("All times are the clinic’s, wherever you are."),
                    "fields": ["publish_at", "publish_es_at", "unpublish_at"],
                },
            ),
            (_("Spanish"), {"fields": spanish}),
            (
                _("For search and machines"),
                {
                    "classes": ["collapse"],
                    "fields": [
                        *lists,
                        "pronunciation",
                        "regions",
                        ("home_position", "position"),
                        "schema_type",
                        "body_location",
                        "codes",
                        "art",
                    ],
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
        if obj is None:
            form.base_fields["title_en"].widget.attrs["autofocus"] = True
        return form

    def view_on_site(self, page: Page) -> str:
        """The public address; of a draft too, which staff who may look at pages see there with a banner."""
        return page.get_absolute_url()

    @admin.display(description=_("state"), ordering="status")
    def state(self, page: Page) -> str:
        lines = planned(page)
        if page.slug_es and page.status_es != page.status:
            lines.insert(0, _("Spanish: %s") % page.get_status_es_display())
        plans = format_html_join("", '<span class="sub">{}</span>', ((line,) for line in lines))
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
