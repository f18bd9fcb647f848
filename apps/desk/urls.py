"""Addresses of the desk, inside the admin: its login and staff check guard them."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from apps.desk import live, stockpage, views

app_name = "desk"

urlpatterns = [
    path("farm/", admin.site.admin_view(views.farm_page), name="farm"),
    path("farm/live/", admin.site.admin_view(views.farm_fragment), name="farm-live"),
    path("models/", admin.site.admin_view(stockpage.models_page), name="models"),
    path("models/list/", admin.site.admin_view(stockpage.models_list), name="models-list"),
    path("home/live/", admin.site.admin_view(views.home_fragment), name="home-live"),
    path("unread/", admin.site.admin_view(live.unread_badge), name="unread"),
    path("live/", admin.site.admin_view(live.live_rows), name="live-jobs"),
]
