"""The history of a page in admin, and saves that never overwrite a colleague's work unseen."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conditions import services
from conditions.differences import count_changes, differences
from conditions.models import Kind, Page, PageRevision, RevisionAction, Status

REVISIONS_SHOWN = 20


class PageForm(forms.ModelForm):
    """A page as an editor opened it: knows which revision that was, and refuses where a colleague saved since."""

    opened_on = forms.IntegerField(required=False, widget=forms.HiddenInput)
    save_over = forms.BooleanField(label=gettext_lazy("I have read what changed. Replace it with what I typed."), required=False)
    spanish_matches = forms.BooleanField(
        label=gettext_lazy("The Spanish now matches this English"),
        required=False,
        help_text=gettext_lazy("Tick it when you have brought the Spanish up to the English. Readers see a note until then."),
    )
    history_note = forms.CharField(
        label=gettext_lazy("Note for the history"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "vTextField", "aria-describedby": "id_history_note_helptext"}),
        help_text=gettext_lazy("What you changed and why, in a few words. Seen by staff only."),
    )
    usual_sections = forms.BooleanField(
        label=gettext_lazy("Start with the usual sections"),
        required=False,
        initial=True,
        help_text=gettext_lazy("Saving adds the headings of this kind of page in both languages; you then fill in the text."),
    )
    conflict: services.Conflict | None = None
    fixed_kind: Kind | None = None

    def clean(self):
        cleaned = super().clean()
        if self.fixed_kind:
            self.instance.kind = self.fixed_kind
        if self.conflict and not self.cleaned_data.get("save_over"):
            raise ValidationError(
                _("Nothing was saved: this page was changed while you had it open. Everything you typed is still here."),
                code="changed_meanwhile",
            )
        return cleaned


class KeepsHistory(admin.ModelAdmin):
    """Pages with a history: every save is a revision, and a save over a change that its author has not seen is refused."""

    form = PageForm
    change_form_template = "admin/conditions/page_form.html"
    object_history_template = "admin/conditions/page_history.html"

    def get_urls(self):
        def own(route, view, name):
            name = f"conditions_{self.opts.model_name}_{name}"
            return path(f"<path:object_id>/history/<int:revision_id>/{route}", self.admin_site.admin_view(view), name=name)

        return [own("", self.revision_view, "revision"), own("restore/", self.restore_view, "restore"), *super().get_urls()]

    # Saving.

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """The form; while it is saved the page is locked, from the check for conflicts on."""
        page = page_of(object_id)
        if page is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        if request.method != "POST":
            if self.has_view_or_change_permission(request, page):
                request.opened_on = services.keep_present(page).pk
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            page = Page.objects.select_for_update().get(pk=page.pk)
            request.conflict = services.conflict(page, request.POST.get("opened_on", ""))
            if request.conflict and request.POST.get("save_over") and self.has_change_permission(request, page):
                self._make_way(request, page)
            request.POST = self._with_present_rows(request, page)
            response = super().changeform_view(request, object_id, form_url, extra_context)
            if response.status_code == 200:
                # The form comes back: what was made ready for saving is undone.
                transaction.set_rollback(True)
        return response

    def _make_way(self, request, page) -> None:
        """Put the page back to what the form was opened on, so that what was typed can be saved over what came since."""
        services.keep_present(page)
        try:
            if request.conflict.opened:
                services.put_back(page, request.conflict.opened)
        except services.CannotRestore as error:
            self.message_user(request, _("It cannot be saved over what changed: %s") % error, messages.ERROR)
            request.POST = request.POST.copy()
            del request.POST["save_over"]

    def _with_present_rows(self, request, page):
        """What was posted, with the sections and other parts of the page as they are numbered now.

        A restore or a load may have made a row anew, which the form still knows under its old number.
        """
        data = request.POST.copy()
        for inline in self.get_inline_instances(request, page):
            formset = inline.get_formset(request, page)
            prefix = formset.get_default_prefix()
            rows = [row.pk for row in formset(instance=page, queryset=inline.get_queryset(request)).get_queryset()]
            if data.get(f"{prefix}-INITIAL_FORMS") == str(len(rows)):
                for index, pk in enumerate(rows):
                    data[f"{prefix}-{index}-{formset.model._meta.pk.name}"] = str(pk)
        return data

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        form.conflict = getattr(request, "conflict", None)
        form.base_fields["opened_on"].initial = getattr(request, "opened_on", None)
        return form

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        page = form.instance
        if not change and form.cleaned_data.get("usual_sections"):
            services.add_usual_sections(page)
        # Spanish that was just begun is made from the English of today.
        if page.slug_es and (form.cleaned_data.get("spanish_matches") or not page.english_digest):
            services.mark_spanish_current(page)
        elif page.slug_es:
            services.keep_spanish_current(page)
        comment = [form.cleaned_data.get("history_note")]
        if form.conflict:
            comment += [_("Saved over: %s") % described(revision) for revision in form.conflict.revisions[:1]]
        action = RevisionAction.SAVED
        if "status" in form.changed_data:
            action = RevisionAction.PUBLISHED if form.instance.status == Status.PUBLISHED else RevisionAction.UNPUBLISHED
        services.record_revision(form.instance, by=request.user, action=action, comment="; ".join(filter(None, comment)))

    def response_add(self, request, obj, post_url_continue=None) -> HttpResponse:
        """On to the form of the new page, where its sections wait for their text."""
        if "usual_sections" in request.POST and "_save" in request.POST:
            request.POST = request.POST.copy()
            request.POST["_continue"] = request.POST.pop("_save")[0]
        return super().response_add(request, obj, post_url_continue)

    def render_change_form(self, request, context, *args, **kwargs) -> HttpResponse:
        if clash := getattr(request, "conflict", None):
            context["conflict"] = clash
            context["meanwhile"] = [described(revision) for revision in clash.revisions[:5]]
            context["changes"] = differences(clash.opened.data, clash.state) if clash.opened else []
        # A panel above the form says in full why it came back; Django would say it twice more.
        alone = list(context["adminform"].form.errors) == [NON_FIELD_ERRORS] and len(context["errors"]) == 1
        if alone and (clash or context["is_refused"]):
            context |= {"errors": [], "is_said_above": True}
        return super().render_change_form(request, context, *args, **kwargs)

    # Looking back.

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        """Who changed the page when, newest first, and how much."""
        page = self._viewed(request, object_id)
        # One more than is shown: the last is compared with the one before.
        shown = Paginator(page.revisions.all(), REVISIONS_SHOWN).get_page(request.GET.get("p"))
        start = shown.start_index()
        revisions = list(page.revisions.all()[max(start - 1, 0) : start + REVISIONS_SHOWN])
        rows = [
            (revision, count_changes(older.data, revision.data) if older else None)
            for revision, older in zip(revisions, [*revisions[1:], None], strict=True)
        ][:REVISIONS_SHOWN]
        context = self._about(request, page) | {"title": _("History"), "rows": rows, "shown": shown} | (extra_context or {})
        return TemplateResponse(request, self.object_history_template, context)

    def revision_view(self, request: HttpRequest, object_id: str, revision_id: int) -> HttpResponse:
        """What one version changed, or with `?since` what changed after it."""
        page = self._viewed(request, object_id)
        revision = self._revision(page, revision_id)
        older = page.revisions.filter(pk__lt=revision.pk).first()
        newest = page.revisions.first()
        since = "since" in request.GET
        before, after = (revision, newest) if since else (older, revision)
        context = self._about(request, page) | {
            "title": _("Changes since this version") if since else _("What this version changed"),
            "revision": revision,
            "older": older,
            "is_newest": revision == newest,
            "since": since,
            "changes": differences(before.data, after.data) if before and after else None,
        }
        return TemplateResponse(request, "admin/conditions/page_revision.html", context)

    def restore_view(self, request: HttpRequest, object_id: str, revision_id: int) -> HttpResponse:
        """Asks before it restores a version; a restore is one more version."""
        page = self._viewed(request, object_id)
        if not self.has_change_permission(request, page):
            raise PermissionDenied
        revision = self._revision(page, revision_id)
        if request.method == "POST":
            try:
                services.restore(revision, by=request.user)
            except services.CannotRestore as error:
                self.message_user(request, _("Nothing was restored: %s") % error, messages.ERROR)
            else:
                self.message_user(request, _("The version of %s is back.") % moment(revision), messages.SUCCESS)
            return HttpResponseRedirect(self._url("history", page))
        state, lost = services.restorable(page, revision)
        changes = differences(services.keep_present(page).data, state)
        context = self._about(request, page) | {
            "title": _("Restore this version?"),
            "revision": revision,
            "changes": changes,
            "lost": lost,
        }
        return TemplateResponse(request, "admin/conditions/page_restore.html", context)

    def _viewed(self, request, object_id) -> Page:
        page = self.get_object(request, unquote(object_id))
        if page is None:
            raise Http404
        if not self.has_view_or_change_permission(request, page):
            raise PermissionDenied
        return page

    def _revision(self, page, pk) -> PageRevision:
        revision = page.revisions.filter(pk=pk).first()
        if revision is None:
            raise Http404
        return revision

    def _url(self, name, page, *args) -> str:
        return reverse(f"admin:conditions_{self.opts.model_name}_{name}", args=[page.pk, *args])

    def _about(self, request, page) -> dict:
        return self.admin_site.each_context(request) | {
            "opts": self.opts,
            "page": page,
            "subtitle": str(page),
            "form_url": self._url("change", page),
            "history_url": self._url("history", page),
            "may_change": self.has_change_permission(request, page),
        }


def page_of(object_id: str | None) -> Page | None:
    """The page that an address of admin names; none where it names no row."""
    pk = unquote(object_id or "")
    return Page.objects.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 19 else None


def moment(revision: PageRevision) -> str:
    """When a revision was made, in the clinic's words."""
    return date_format(timezone.localtime(revision.made_at), "DATETIME_FORMAT")


def described(revision: PageRevision) -> str:
    """What happened when and by whom, in one line."""
    words = {"action": revision.get_action_display(), "who": revision.author, "when": moment(revision)}
    return _("%(action)s by %(who)s, %(when)s") % words
