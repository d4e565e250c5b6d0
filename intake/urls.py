"""Addresses of the consultation form and its receipt, below `/consultation/`."""

from django.urls import path

from . import views

app_name = "intake"
urlpatterns = [
    path("", views.consultation, name="consultation"),
    path("received/<str:token>/", views.received, name="received"),
]
