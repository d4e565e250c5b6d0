"""Addresses of public pages: they read like sentences, in English and in Spanish."""

from django.urls import path
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.generic import RedirectView

from . import views
from .feeds import RevisedPages
from .models import Kind

app_name = "conditions"

urlpatterns = [
    path("", views.home, name="home"),
    path("share.png", views.home_share, name="home_share"),
    path(_("procedures/"), views.page_index, {"kind": Kind.PROCEDURE}, name="procedure_index"),
    path(_("procedures/compare/"), views.compare, name="compare"),
    path(_("procedures/<slug:slug>/"), views.page_detail, {"kind": Kind.PROCEDURE}, name="procedure"),
    path(_("procedures/<slug:slug>/handout.pdf"), views.handout, {"kind": Kind.PROCEDURE}, name="procedure_pdf"),
    path(_("conditions/"), views.page_index, {"kind": Kind.CONDITION}, name="condition_index"),
    path(_("conditions/<slug:slug>/"), views.page_detail, {"kind": Kind.CONDITION}, name="condition"),
    path(_("conditions/<slug:slug>/handout.pdf"), views.handout, {"kind": Kind.CONDITION}, name="condition_pdf"),
    path(_("symptoms/"), views.page_index, {"kind": Kind.SYMPTOM}, name="symptom_index"),
    path(_("symptoms/<slug:slug>/"), views.page_detail, {"kind": Kind.SYMPTOM}, name="symptom"),
    path(_("symptoms/<slug:slug>/handout.pdf"), views.handout, {"kind": Kind.SYMPTOM}, name="symptom_pdf"),
    path(_("guides/"), views.page_index, {"kind": Kind.GUIDE}, name="guide_index"),
    path(_("guides/<slug:slug>/"), views.page_detail, {"kind": Kind.GUIDE}, name="guide"),
    path(_("guides/<slug:slug>/handout.pdf"), views.handout, {"kind": Kind.GUIDE}, name="guide_pdf"),
    path(_("guides/<slug:slug>/packet.pdf"), RedirectView.as_view(pattern_name="conditions:guide_pdf", permanent=True)),
    path(format_lazy("{}<slug:physician>.pdf", _("guides/<slug:slug>/")), views.handout, {"kind": Kind.GUIDE}, name="surgeons_pdf"),
    path(_("physicians/"), views.physician_index, name="physician_index"),
    path(_("physicians/<slug:slug>/"), views.physician_detail, name="physician"),
    path(format_lazy("{}share.png", _("physicians/<slug:slug>/")), views.physician_share, name="physician_share"),
    path(_("glossary/"), views.glossary, name="glossary"),
    path(_("glossary/terms.json"), views.glossary_terms, name="glossary_terms"),
    path(_("search/"), views.search, name="search"),
    path(_("feed/"), cache_control(**views.CACHED_PUBLIC)(RevisedPages()), name="feed"),
    path("<slug:slug>/", views.page_detail, {"kind": Kind.NOTICE}, name="notice"),
]
# The picture that other sites show beside a link stands under the page.
urlpatterns += [
    path(format_lazy("{}share.png", address), views.page_share, {"kind": kind}, name=f"{kind}_share")
    for kind, address in (
        (Kind.PROCEDURE, _("procedures/<slug:slug>/")),
        (Kind.CONDITION, _("conditions/<slug:slug>/")),
        (Kind.SYMPTOM, _("symptoms/<slug:slug>/")),
        (Kind.GUIDE, _("guides/<slug:slug>/")),
        (Kind.NOTICE, "<slug:slug>/"),
    )
]
