"""The staff side of requests: the queue, the page of one request, and the record of who looked.

Nothing that a person typed can be changed here. Every change goes through a
button to a verb in `services`; every page that shows a name or an answer writes
down who saw it, once for each request on it and each time it is shown.
"""

from datetime import timedelta

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import services
from .fields import Undecryptable
from .models import (
    AccessAction,
    AttemptChannel,
    AttemptOutcome,
    ConsultationRequest,
    LeadAccess,
    LeadStatus,
    OnBehalfOf,
    Outbox,
    Priority,
    YesNo,
)
from .presentation import MOVES, dialled, due, grouped_answers, language_name, moment, shown_user, spam_words, ways_to_answer
from .queue import SEARCH_LIMIT, ColleagueFilter, FoundFilter, Queue, ViewFilter, next_to_call, sign_found
from .rotation import is_as_sent
from .services import InvalidTransition, StalePage
from .submission import plain_reference

ACCESSES_SHOWN = 20
SAME_CONTACT_SHOWN = 5
# What one needs to know while dialling, above all other answers.
REACH_ANSWERS = ("phone", "email", "preferred_contact", "best_time", "spoken_language", "patient_name", "relation")
PERMISSION = "intake.change_consultationrequest"


class ContactForm(forms.Form):
    """A try to reach the person."""

    outcome = forms.ChoiceField(
        label=gettext_lazy("What came of it"),
        choices=AttemptOutcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what came of it")},
    )
    channel = forms.ChoiceField(label=gettext_lazy("How"), choices=AttemptChannel.choices, initial=AttemptChannel.PHONE)
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
        help_text=gettext_lazy("Kept encrypted, seen by staff only."),
    )


def _colleagues():
    """Who can take requests, by name."""
    people = get_user_model().objects.with_perm(PERMISSION, backend="django.contrib.auth.backends.ModelBackend")
    return people.order_by("first_name", "username")


def _is_key(text):
    """Whether a text can be a row's key: digits, and no more than a database takes."""
    return text.isdecimal() and len(text) <= 18


@admin.register(ConsultationRequest)
class ConsultationRequestAdmin(admin.ModelAdmin):
    """The queue and the page of one request."""

    list_display = ["lead", "requester", "due_by", "received", "reach", "assigned"]
    list_filter = [ViewFilter, FoundFilter, ColleagueFilter]
    list_per_page = 30
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ["respond_by"]
    actions = ["assign_to_me", "move_to_spam", "restore"]

    # What may be done here at all.

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return request.user.is_active and request.user.is_superuser

    def get_actions(self, request):
        """Requests are deleted one by one, never in bulk."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def get_urls(self):
        def own(route, view, name):
            return path(route, self.admin_site.admin_view(self._by_button(view)), name=f"intake_consultationrequest_{name}")

        return [
            own("search/", self.search_view, "search"),
            own("<int:pk>/move/", self.move_view, "move"),
            own("<int:pk>/assign/", self.assign_view, "assign"),
            own("<int:pk>/contact/", self.contact_view, "contact"),
            own("<int:pk>/notices/<int:notice>/send/", self.send_view, "send"),
            *super().get_urls(),
        ]

    def _by_button(self, view):
        """Changes come by a button. Who had to sign in again in between is led back to it, and told that nothing was saved."""

        def by_button(request, **place):
            if request.method == "POST":
                return view(request, **place)
            self.message_user(request, _("Nothing was saved. Press the button again."), messages.WARNING)
            name, args = ("change", [place["pk"]]) if "pk" in place else ("changelist", [])
            return HttpResponseRedirect(reverse(f"admin:intake_consultationrequest_{name}", args=args) + self._kept_view(request))

        return by_button

    # The queue.

    def get_changelist(self, request, **kwargs):
        return Queue

    def get_ordering(self, request):
        """What is due first; newest first where everything is shown."""
        shows_all = request.GET.get(ViewFilter.parameter_name) == "all" or FoundFilter.parameter_name in request.GET
        return ["-received_at"] if shows_all else list(self.model.objects.by_what_is_due().query.order_by)

    def changelist_view(self, request, extra_context=None):
        is_search = FoundFilter.parameter_name in request.GET
        response = super().changelist_view(request, {**(extra_context or {}), "is_search": is_search})
        queue = (getattr(response, "context_data", None) or {}).get("cl")
        if queue is not None:
            queue.result_list = list(queue.result_list)
            via = "search" if is_search else "queue"
            services.record_access(queue.result_list, by=request.user, action=AccessAction.LIST, via=via)
        return response

    @admin.display(description=gettext_lazy("reference"))
    def lead(self, lead):
        chips = [(lead.status, lead.get_status_display())]
        if lead.priority == Priority.URGENT:
            chips.append(("flag", _("Warning sign")))
        if lead.has_failed_notice:
            chips.append(("late", _("Mail failed")))
        shown = format_html_join(" ", '<span class="chip chip--{}">{}</span>', chips)
        return format_html('<b class="lead-ref">{}</b> <span class="chips">{}</span>', lead.shown_reference, shown)

    @admin.display(description=gettext_lazy("name"))
    def requester(self, lead):
        if isinstance(lead.name, Undecryptable):
            return format_html('<span class="chip chip--late">{}</span>', _("Could not be read"))
        return format_html('<bdi class="requester">{}</bdi>', lead.name)

    @admin.display(description=gettext_lazy("first contact"), ordering="respond_by")
    def due_by(self, lead):
        tone, words, exact = due(lead, timezone.now())
        return format_html('<span class="due due--{}">{}</span><span class="sub">{}</span>', tone, words, exact)

    @admin.display(description=gettext_lazy("received"), ordering="received_at")
    def received(self, lead):
        now = timezone.now()
        is_fresh = now - lead.received_at < timedelta(minutes=1)
        ago = _("Just now") if is_fresh else _("%(time)s ago") % {"time": timesince(lead.received_at, now, depth=1)}
        return format_html(
            '<span class="cell-label">{}</span> {}<span class="sub">{}</span>', _("Received"), ago, moment(lead.received_at, now)
        )

    @admin.display(description=gettext_lazy("how to answer"))
    def reach(self, lead):
        """What they prefer, or else what they left; and what to arrange before the call."""
        needs = []
        if lead.language == "es":
            needs.append(_("Form in Spanish"))
        if lead.needs_interpreter == YesNo.YES:
            needs.append(_("Wants an interpreter"))
        chips = format_html_join(" ", '<span class="chip chip--contacted">{}</span>', ((need,) for need in needs))
        return format_html(
            '<span class="cell-label">{}</span> {} <span class="chips">{}</span>', _("Answer by"), ways_to_answer(lead), chips
        )

    @admin.display(description=gettext_lazy("assigned to"))
    def assigned(self, lead):
        holder = shown_user(lead.assigned_to) if lead.assigned_to else _("Nobody yet")
        return format_html('<span class="cell-label">{}</span> {}', _("Assigned to"), holder)

    @admin.action(description=gettext_lazy("Assign to me"), permissions=["change"])
    def assign_to_me(self, request, queryset):
        """Take what is free; what a colleague holds is taken over on its own page only."""
        free = [None, request.user.pk]
        self._each(request, queryset, lambda pk: services.assign(pk, request.user, by=request.user, seen=free))

    @admin.action(description=gettext_lazy("Move to suspected spam"), permissions=["change"])
    def move_to_spam(self, request, queryset):
        self._each(request, queryset, lambda pk: services.change_status(pk, LeadStatus.SPAM, by=request.user))

    @admin.action(description=gettext_lazy("Restore from suspected spam"), permissions=["change"])
    def restore(self, request, queryset):
        self._each(request, queryset, lambda pk: services.change_status(pk, LeadStatus.NEW, by=request.user))

    def _each(self, request, queryset, change):
        done, refused = 0, []
        for pk in queryset.values_list("pk", flat=True):
            try:
                change(pk)
                done += 1
            except (InvalidTransition, StalePage) as error:
                refused.append(error.lead.shown_reference)
        if done:
            self.message_user(request, ngettext("%d request changed.", "%d requests changed.", done) % done, messages.SUCCESS)
        if refused:
            words = _("Not possible as these stand, nothing was changed: %(references)s")
            self.message_user(request, words % {"references": ", ".join(refused)}, messages.WARNING)

    def search_view(self, request):
        """Look a person up. The term comes by POST and goes no further: the answer's address holds row numbers only."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        term = request.POST.get("term", "").replace("\0", "").strip()[:200]
        queue = reverse("admin:intake_consultationrequest_changelist")
        if not term:
            return HttpResponseRedirect(queue)
        pks = list(ConsultationRequest.objects.matching(term).order_by("-received_at").values_list("pk", flat=True)[:SEARCH_LIMIT])
        if len(pks) == 1 and plain_reference(term):
            return HttpResponseRedirect(reverse("admin:intake_consultationrequest_change", args=pks))
        return HttpResponseRedirect(f"{queue}?{FoundFilter.parameter_name}={sign_found(pks)}")

    # The page of one request.

    def change_view(self, request, object_id, form_url="", extra_context=None):
        lead = self._lead(request, unquote(object_id))
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self._page(request, lead, ContactForm())

    def _lead(self, request, pk):
        """The request, for someone who may see it."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        if not _is_key(str(pk)):
            raise Http404
        leads = ConsultationRequest.objects.select_related("origin_page", "assigned_to", "amends").with_last_attempt()
        return get_object_or_404(leads, pk=pk)

    def _page(self, request, lead, contact_form, status=200):
        services.record_access([lead], by=request.user, action=AccessAction.VIEW, via="lead page")
        now = timezone.now()
        looks = LeadAccess.objects.filter(request=lead)
        accesses = list(looks.exclude(action=AccessAction.LIST)[:ACCESSES_SHOWN])
        following = self._next(request, lead, now)
        tone, words, exact = due(lead, now)
        groups = grouped_answers(lead)
        context = {
            **self.admin_site.each_context(request),
            "title": lead.shown_reference,
            "opts": self.opts,
            "preserved_filters": self.get_preserved_filters(request),
            "kept_view": self._kept_view(request),
            "lead": lead,
            "following": following,
            "following_due": due(following, now) if following else None,
            "due_tone": tone,
            "due_words": words,
            "due_exact": exact if lead.last_outcome else "",
            "is_urgent": lead.priority == Priority.URGENT,
            "is_spam": lead.status == LeadStatus.SPAM,
            "spam_reasons": spam_words(lead.spam_reasons),
            "unreadable": len(lead.unreadable_fields()),
            "is_as_sent": is_as_sent(lead),
            "name_is_readable": not isinstance(lead.name, Undecryptable),
            "groups": [group for group in groups if group.given],
            "left_empty": [answer.label for group in groups for answer in group.missing],
            "language": language_name(lead.language),
            "red_flags": [flag for flag in lead.shown("red_flags").split("; ") if flag],
            "dial": dialled(lead),
            "voicemail": lead.may_leave_voicemail if lead.may_leave_voicemail in YesNo.values else "",
            "answers": {name: lead.shown(name) for name in REACH_ANSWERS},
            "is_for_other": lead.on_behalf_of == OnBehalfOf.OTHER,
            "is_for_minor": lead.patient_is_minor == YesNo.YES,
            "wants_interpreter": lead.needs_interpreter == YesNo.YES,
            "moves": [(status, MOVES[status]) for status in lead.next_statuses()],
            "can_change": self.has_change_permission(request, lead),
            "can_delete": self.has_delete_permission(request, lead),
            "contact_form": contact_form,
            "colleagues": _colleagues(),
            "attempts": lead.attempts.select_related("by").order_by("-at", "-pk"),
            "notices": lead.notices.order_by("kind"),
            "events": lead.events.select_related("actor").order_by("-at", "-pk"),
            "accesses": accesses,
            "open_elsewhere": next((look for look in accesses if look.may_be_open(now) and look.user_id != request.user.pk), None),
            "list_looks": looks.filter(action=AccessAction.LIST).count(),
            "same_contact": ConsultationRequest.objects.from_same_contact(lead)
            .exclude(Q(pk=lead.amends_id) | Q(amends=lead))
            .only("reference", "status", "received_at")
            .order_by("-received_at")[:SAME_CONTACT_SHOWN],
            "amendments": lead.amendments.only("reference", "received_at").order_by("received_at"),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/intake/consultationrequest/lead.html", context, status=status)

    def _next(self, request, lead, now):
        """The request to open after this one, in the view that the person came from."""
        view = QueryDict(request.GET.get("_changelist_filters", "")).get(ViewFilter.parameter_name, "")
        return next_to_call(request.user, now, view, after=lead)

    def _kept_view(self, request):
        """What an address carries along, so that the way back leads to the view that the person came from."""
        kept = self.get_preserved_filters(request)
        return f"?{kept}" if kept else ""

    def _lead_to_change(self, request, pk):
        lead = self._lead(request, pk)
        if not self.has_change_permission(request, lead):
            raise PermissionDenied
        return lead

    def _back(self, request, lead, done=None, warning=None):
        """Back to the page of a request, saying what came of it."""
        if done:
            self.message_user(request, done, messages.SUCCESS)
        if warning:
            self.message_user(request, warning, messages.WARNING)
        return HttpResponseRedirect(reverse("admin:intake_consultationrequest_change", args=[lead.pk]) + self._kept_view(request))

    def _stale(self, request, lead):
        words = _("Somebody changed this request after your page was loaded. Nothing was overwritten: look again.")
        return self._back(request, lead, warning=words)

    def move_view(self, request, pk):
        """Move a request to another status."""
        lead = self._lead_to_change(request, pk)
        target, seen = request.POST.get("status"), request.POST.get("seen")
        if target not in LeadStatus.values or seen not in LeadStatus.values:
            return self._back(request, lead, warning=_("There is no such step. Nothing was changed."))
        try:
            moved = services.change_status(pk, LeadStatus(target), by=request.user, seen=LeadStatus(seen))
        except StalePage:
            return self._stale(request, lead)
        except InvalidTransition:
            return self._back(request, lead, warning=_("The workflow has no such step. Nothing was changed."))
        return self._back(request, moved, done=_("Moved to: %(status)s.") % {"status": moved.get_status_display()})

    def assign_view(self, request, pk):
        """Give a request to a colleague, or back to nobody."""
        lead = self._lead_to_change(request, pk)
        to, seen = request.POST.get("to", ""), request.POST.get("seen", "")
        colleague = None
        if to:
            colleague = _colleagues().filter(pk=int(to)).first() if _is_key(to) else None
            if colleague is None:
                return self._back(request, lead, warning=_("This colleague cannot take requests. Nothing was changed."))
        try:
            services.assign(pk, colleague, by=request.user, seen=[int(seen) if _is_key(seen) else None])
        except StalePage:
            return self._stale(request, lead)
        done = _("Assigned to %(name)s.") % {"name": shown_user(colleague)} if colleague else _("Assigned to nobody.")
        return self._back(request, lead, done=done)

    def contact_view(self, request, pk):
        """Log a try to reach the person; a form that cannot be read comes back with what was typed."""
        lead = self._lead_to_change(request, pk)
        form = ContactForm(request.POST)
        if not form.is_valid():
            return self._page(request, lead, form, status=422)
        try:
            services.log_contact(pk, by=request.user, **form.cleaned_data)
        except InvalidTransition:
            return self._back(request, lead, warning=_("Restore this request from suspected spam first. Nothing was logged."))
        following = self._next(request, lead, timezone.now()) if request.POST.get("then") == "next" else None
        done = _("Contact logged for %(reference)s.") % {"reference": lead.shown_reference}
        return self._back(request, following or lead, done=done)

    def send_view(self, request, pk, notice):
        """Put a mail of this request back in line."""
        lead = self._lead_to_change(request, pk)
        row = get_object_or_404(Outbox, pk=notice, request=lead)
        services.resend_notice(row.pk, by=request.user)
        return self._back(request, lead, done=_("The mail is in line again and leaves within a minute."))

    # Deleting: superusers only, one at a time; Django's own log keeps who, when and which reference.

    def get_deleted_objects(self, objs, request):
        return [str(lead) for lead in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    def delete_model(self, request, obj):
        services.erase(obj.pk)


@admin.register(LeadAccess)
class LeadAccessAdmin(admin.ModelAdmin):
    """Who looked at which request, for those who check: it can be read, never changed. Holds no names of patients."""

    list_display = ["at", "request", "username", "action", "via"]
    search_fields = ["username", "request__reference"]
    search_help_text = gettext_lazy("An account, or the reference of a request")
    list_filter = ["action", ("user", admin.RelatedOnlyFieldListFilter)]
    date_hierarchy = "at"
    list_select_related = ["request"]
    list_display_links = None
    show_full_result_count = False

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, plain_reference(search_term) or search_term)

    def get_queryset(self, request):
        return super().get_queryset(request).only("at", "username", "action", "via", "request__reference")

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
