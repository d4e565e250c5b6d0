"""Readiness in admin: what a page still needs, shown while one types, and asked of every page that goes out."""

from collections.abc import Iterable
from dataclasses import dataclass

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.loader import render_to_string
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from conditions import readiness, services
from conditions.models import ENGLISH, SPANISH, Page, PlannedOverride, ProcedureFacts, Status
from conditions.outlook import Outlook, outlooks
from conditions.readiness import Problem, Site
from conditions.readiness.problems import FACTS

from .history import PageForm, page_of

LANGUAGE_NAMES = {ENGLISH: gettext_lazy("English"), SPANISH: gettext_lazy("Spanish"), "": ""}
PARTS = {"sections": "anchor", "figures": "key"}


class Checked(Exception):
    """Takes back what a check has stored, and brings out what it saw."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page


@dataclass(frozen=True)
class Need:
    """One thing that a page needs: what, in which language, in which part of it, and where in the form."""

    message: str
    language: str
    place: str
    href: str


@dataclass(frozen=True)
class Needs:
    """What a page still needs, by who can see to it; `faults` keep the form from being read at all."""

    to_mend: list[Need]
    for_people: list[Need]
    faults: list[str]

    @property
    def count(self) -> str:
        """How much that is, in words."""
        if self.faults:
            return _("Fill in the marked fields first; then the page can be checked.")
        parts = []
        if mend := len(self.to_mend):
            parts.append(ngettext("%d thing to mend", "%d things to mend", mend) % mend)
        if people := len(self.for_people):
            parts.append(ngettext("%d thing that needs a person", "%d things that need a person", people) % people)
        return ", ".join(parts) if parts else _("Nothing: this page is ready.")


class ReadinessForm(PageForm):
    """A page that may have been refused, and the reason to publish it all the same."""

    override_reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy(
            "Kept with your name, the time and the list of open problems. "
            "With a planned time it is leave to go out then, with the problems that are open now."
        ),
    )
    refused = False

    def clean(self):
        cleaned = super().clean()
        if self.refused:
            message = _(
                "Nothing was saved: the page is not ready to stand on the site. Everything you typed is still here. "
                "Mend what is listed, or set the state to draft and save."
            )
            raise ValidationError(message, code="not_ready")
        return cleaned


class HeldToReadiness(admin.ModelAdmin):
    """Pages that show what they still need, and are published only when that is nothing.

    Stands before all other parts of a page's admin: what they store counts too.
    """

    form = ReadinessForm

    def get_urls(self):
        def own(route, name):
            name = f"conditions_{self.opts.model_name}_{name}"
            return path(route, self.admin_site.admin_view(self.check_view), name=name)

        return [own("add/check/", "check_new"), own("<path:object_id>/check/", "check"), *super().get_urls()]

    def check_view(self, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
        """What the page would still need if the posted form were saved, as JSON; saves nothing."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        request.is_check = True
        try:
            response = self.changeform_view(request, object_id)
        except Checked as seen:
            needs = self._needs(request, readiness.problems_of(seen.page, Site.now()), _rows_posted(request))
        else:
            if not hasattr(response, "context_data"):
                return response
            needs = Needs([], [], [str(error) for errors in response.context_data["errors"] for error in errors])
        shown = render_to_string("admin/conditions/readiness_list.html", {"needs": needs}, request)
        return JsonResponse({"count": needs.count, "list": shown})

    # Saving.

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """The form; what is not ready comes back with everything that was typed."""
        page = page_of(object_id) if request.method == "POST" else None
        request.stood_in = page.published_languages if page else []
        request.known = services.problems_of(page) if request.stood_in and not _is_check(request) else []
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except services.NotReady as refusal:
            request.refusal = refusal
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        form.refused = hasattr(request, "refusal")
        return form

    def save_model(self, request, obj, form, change):
        for language, field in Page.PUBLISH_AT.items():
            if field in form.changed_data:
                setattr(obj, Page.PUBLISH_FAILED_AT[language], None)
        services.note_published(obj)
        super().save_model(request, obj, form, change)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        page = form.instance
        if _is_check(request):
            # The rules run once the database is let go of: others may want to write.
            raise Checked(readiness.pages_to_check().get(pk=page.pk))
        there, reason = page.published_languages, form.cleaned_data["override_reason"].strip()
        gives_leave = reason and request.user.has_perm(services.OVERRIDE) and (page.publish_at or page.publish_es_at)
        problems = services.problems_of(page) if there or gives_leave else []
        if there:
            services.hold_to_readiness(
                page, problems, by=request.user, override_reason=reason, stood_in=request.stood_in, known=request.known
            )
        for language in Page.PUBLISH_AT if gives_leave else ():
            services.plan_override(page, language, problems, by=request.user, reason=reason)

    # Showing.

    def render_change_form(self, request, context, *args, **kwargs) -> HttpResponse:
        page = kwargs.get("obj")
        if refusal := getattr(request, "refusal", None):
            context["needs"] = self._needs(request, refusal.problems, _rows_posted(request))
        elif page:
            problems = services.problems_of(page)
            context["needs"] = self._needs(request, problems, _rows_of(context["inline_admin_formsets"]))
            context["plans"] = list(map(_foretold, outlooks(page, problems)))
        # The page at hand has what was typed; whether it stands on the site is what is stored.
        stands_in = page.published_languages if page and request.method != "POST" else request.stood_in
        context |= {
            "is_refused": refusal is not None,
            "is_draft": ENGLISH not in stands_in,
            "may_override": request.user.has_perm(services.OVERRIDE),
            "overrides": page.overrides.all()[:5] if page else [],
        }
        context["media"] += forms.Media(js=[forms.Script("js/admin-readiness.js", type="module")])
        return super().render_change_form(request, context, *args, **kwargs)

    def _needs(self, request, problems: Iterable[Problem], rows: dict[tuple[str, str], tuple[str, str]]) -> Needs:
        mend: list[Need] = []
        people: list[Need] = []
        # In the order of the form: the page as a whole first, then part by part.
        place = {name: number for number, (_prefix, name) in enumerate(rows, 1)}
        for problem in sorted(problems, key=lambda problem: (place.get(problem.place, 0), problem.language)):
            (people if readiness.needs_a_person(problem) else mend).append(_need(problem, rows))
        return Needs(mend, people, [])

    # Publishing from the list.

    @admin.action(description=gettext_lazy("Publish the selected pages"), permissions=["change"])
    def publish(self, request, queryset):
        self._publish(request, queryset, ENGLISH)

    @admin.action(description=gettext_lazy("Publish the Spanish of the selected pages"), permissions=["change"])
    def publish_spanish(self, request, queryset):
        self._publish(request, queryset, SPANISH)

    @admin.action(description=gettext_lazy("Take the selected pages off the site"), permissions=["change"])
    def unpublish(self, request, queryset):
        self._unpublish(request, queryset, [ENGLISH, SPANISH])

    @admin.action(description=gettext_lazy("Take the Spanish of the selected pages off the site"), permissions=["change"])
    def unpublish_spanish(self, request, queryset):
        self._unpublish(request, queryset, [SPANISH])

    def _publish(self, request, queryset, language):
        count = 0
        for page in queryset:
            try:
                services.publish(page, language, by=request.user)
                count += 1
            except services.NotReady as refusal:
                self.message_user(request, _refused(page, [str(problem.message) for problem in refusal.problems]), messages.WARNING)
            except ValidationError as error:
                self.message_user(request, _refused(page, error.messages), messages.WARNING)
        if count:
            self.message_user(request, ngettext("%d page published.", "%d pages published.", count) % count)

    def _unpublish(self, request, queryset, languages):
        pages = list(queryset)
        for page in pages:
            for language in set(languages) & set(page.published_languages):
                services.unpublish(page, language, by=request.user)
        count = len(pages)
        if ENGLISH in languages:
            words = ngettext("%d page is a draft now.", "%d pages are drafts now.", count)
        else:
            words = ngettext("The Spanish of %d page is a draft now.", "The Spanish of %d pages is a draft now.", count)
        self.message_user(request, words % count)


class ScheduleFilter(admin.SimpleListFilter):
    """Pages by what is planned for them."""

    title = gettext_lazy("schedule")
    parameter_name = "schedule"

    def lookups(self, request, model_admin):
        return [("planned", _("Something is planned")), ("failed", _("Was not ready at its time"))]

    def queryset(self, request, queryset):
        if self.value() == "planned":
            return queryset.with_schedule()
        if self.value() == "failed":
            return queryset.with_failed_schedule()
        return queryset


def _is_check(request: HttpRequest) -> bool:
    return getattr(request, "is_check", False)


def _rows_of(formsets) -> dict[tuple[str, str], tuple[str, str]]:
    """Where in the form each section and figure stands, and what it is called: by prefix and anchor or key."""
    rows = {}
    for formset in (inline.formset for inline in formsets):
        if name := PARTS.get(formset.prefix):
            for form in formset.initial_forms:
                rows[formset.prefix, getattr(form.instance, name)] = (form.prefix, str(form.instance))
    return rows


def _rows_posted(request: HttpRequest) -> dict[tuple[str, str], tuple[str, str]]:
    rows = {}
    for prefix, name in PARTS.items():
        count = request.POST.get(f"{prefix}-TOTAL_FORMS", "0")
        for index in range(min(int(count), 1000) if count.isdecimal() else 0):
            row = f"{prefix}-{index}"
            title = request.POST.get(f"{row}-heading_en") or request.POST.get(f"{row}-title_en") or ""
            rows[prefix, request.POST.get(f"{row}-{name}", "")] = (row, title)
    return rows


def _need(problem: Problem, rows: dict[tuple[str, str], tuple[str, str]]) -> Need:
    prefix = "sections" if problem.section else "figures"
    row, place = rows.get((prefix, problem.place), ("", problem.place))
    if problem.field.startswith(FACTS):
        fact = ProcedureFacts._meta.get_field(problem.field.removeprefix(FACTS).rpartition("_")[0])
        place = f"{capfirst(ProcedureFacts._meta.verbose_name)}, {fact.verbose_name}"
    if row:
        # A field's own place, where the browser can go to it; the editor stands in for a hidden one.
        href = f"#{row}" if not problem.field or problem.field.startswith("body_") else f"#id_{row}-{problem.field}"
    else:
        href = f"#id_{problem.field}" if problem.field and not problem.place else ""
    return Need(str(problem.message), str(LANGUAGE_NAMES[problem.language]), place, href)


def _refused(page: Page, reasons: list[str]) -> str:
    shown = " ".join(reasons[:3])
    if len(reasons) > 3:
        shown += " " + ngettext("And %d more.", "And %d more.", len(reasons) - 3) % (len(reasons) - 3)
    return _("%(page)s is not ready: %(reasons)s") % {"page": page.name, "reasons": shown}


def missed(page: Page) -> list[str]:
    """When a page was to go out, but was not ready, in the clinic's time."""
    failed = (getattr(page, field) for field in Page.PUBLISH_FAILED_AT.values())
    return [_("Not ready on %s") % _moment(when) for when in failed if when]


def planned(page: Page) -> list[str]:
    """What is planned for a page, in a few words each; times are the clinic's. Asks for nothing that is prefetched."""
    lines = []
    for language, at in Page.PUBLISH_AT.items():
        if when := getattr(page, at):
            words = _("Goes out on %s") if language == ENGLISH else _("Spanish goes out on %s")
            leave = PlannedOverride.of(page, language)
            told = _("with problems, by leave of %s") % leave.by_name if leave else _("if it is ready")
            lines.append(f"{words % _moment(when)} {told}")
    if page.unpublish_at and Status.PUBLISHED in (page.status, page.status_es):
        lines.append(_("Comes off on %s") % _moment(page.unpublish_at))
    return lines


def _foretold(plan: Outlook) -> str:
    """What will happen at a planned time if the page stays as it is saved, and why."""
    count = len(plan.open)
    told = {"language": LANGUAGE_NAMES[plan.language], "when": _moment(plan.at), "count": count, "new": len(plan.uncovered)}
    if plan.leave:
        told |= {"who": plan.leave.by_name, "day": _moment(plan.leave.at), "reason": plan.leave.reason}
    if plan.lacks:
        return _("%(language)s will stay a draft on %(when)s: %(lacks)s") % (told | {"lacks": plan.lacks})
    if not plan.open:
        return _("%(language)s will go out on %(when)s: nothing is open.") % told
    if plan.goes_out:
        words = ngettext(
            "%(language)s will go out on %(when)s with %(count)d open problem, by leave of %(who)s (%(day)s): %(reason)s",
            "%(language)s will go out on %(when)s with %(count)d open problems, by leave of %(who)s (%(day)s): %(reason)s",
            count,
        )
        return words % told
    if plan.leave and not plan.leave_holds:
        words = _("%(language)s will stay a draft on %(when)s: %(who)s gave leave, but may not publish despite problems any more.")
        return words % told
    if plan.leave:
        words = ngettext(
            "%(language)s will stay a draft on %(when)s: %(new)d problem was not open when %(who)s gave leave (%(day)s).",
            "%(language)s will stay a draft on %(when)s: %(new)d problems were not open when %(who)s gave leave (%(day)s).",
            len(plan.uncovered),
        )
        return words % told
    words = ngettext(
        "%(language)s will stay a draft on %(when)s unless %(count)d open problem is mended by then.",
        "%(language)s will stay a draft on %(when)s unless %(count)d open problems are mended by then.",
        count,
    )
    return words % told


def _moment(when) -> str:
    return date_format(timezone.localtime(when), "SHORT_DATETIME_FORMAT")
