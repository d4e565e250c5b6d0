"""The five kinds of page, and what only a procedure or a guide has."""

from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db import models
from django.utils.translation import gettext_lazy as _
from modeltranslation.admin import TranslationStackedInline

from conditions.anatomy import USUAL_TYPES
from conditions.models import Condition, Guide, Kind, Notice, Packet, Procedure, ProcedureFacts, ReviewState, Symptom

from .fields import SideBySide
from .pages import DueFilter, PageAdmin, SectionInline
from .readiness import ScheduleFilter
from .saving import CHECKBOXES


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
