"""Addresses of the consultation form and its receipt, below `/consultation/`."""

from django.urls import path
from django.utils.translation import gettext_lazy as _

from . import views

app_name = "intake"
urlpatterns = [
    path("", views.consultation, name="consultation"),
    path(_("received/<str:token>/"), views.received, name="received"),
]
