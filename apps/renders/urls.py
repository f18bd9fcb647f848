"""Addresses for nodes that share no disk with the farm."""

from __future__ import annotations

from django.urls import path

from apps.renders import views
from farm import transfer

urlpatterns = [
    path(transfer.MARKER, views.marker, name="store-marker"),
    path(f"<uuid:attempt_id>/{transfer.INPUT}", views.InputView.as_view(), name="store-input"),
    path(f"<uuid:attempt_id>/{transfer.FILES}/<str:name>", views.FileView.as_view(), name="store-file"),
]
