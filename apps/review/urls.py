"""Addresses for people without an account: what a client link leads to."""

from __future__ import annotations

from django.urls import path

from apps.review import views

urlpatterns = [
    path("<str:token>/", views.client_page, name="client"),
    path("<str:token>/notes/", views.client_notes, name="client-notes"),
]
