"""Addresses of public pages: they read like sentences."""

from django.urls import path

from . import views
from .models import Kind

app_name = "conditions"


def _kind_paths(kind: Kind, folder: str) -> list:
    return [
        path(f"{folder}/", views.page_index, {"kind": kind}, name=f"{kind.value}_index"),
        path(f"{folder}/<slug:slug>/", views.page_detail, {"kind": kind}, name=kind.value),
    ]


urlpatterns = [
    path("", views.home, name="home"),
    *_kind_paths(Kind.PROCEDURE, "procedures"),
    *_kind_paths(Kind.CONDITION, "conditions"),
    *_kind_paths(Kind.SYMPTOM, "symptoms"),
    *_kind_paths(Kind.GUIDE, "guides"),
    path("guides/<slug:slug>/packet.pdf", views.packet_pdf, name="packet_pdf"),
    path("physicians/", views.physician_index, name="physician_index"),
    path("physicians/<slug:slug>/", views.physician_detail, name="physician"),
    path("glossary/", views.glossary, name="glossary"),
    path("search/", views.search, name="search"),
    path("<slug:slug>/", views.page_detail, {"kind": Kind.NOTICE}, name="notice"),
]
