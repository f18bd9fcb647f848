"""Every address of the web side."""

from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from apps.desk import client_media, media
from apps.desk.api import EventsView
from farm import transfer
from farm.health import healthz, readyz

admin.autodiscover()

# Browsers ask for it on pages that name none: error pages, JSON, files.
favicon = RedirectView.as_view(url=lazy(static, str)("shotfarm/favicon.svg"))

urlpatterns = [
    path("favicon.ico", favicon),
    path("healthz", healthz),
    path("readyz", readyz),
    path("events", EventsView.as_view(), name="events"),
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("api/", include("farm.api")),
    path("i18n/", include("django.conf.urls.i18n")),
    path(f"{transfer.PREFIX.lstrip('/')}/", include("apps.renders.urls")),
    path("media/<uuid:artifact_id>/", media.artifact, name="artifact"),
    path("media/reference/<uuid:reference_id>/", media.reference_picture, name="reference-picture"),
    path("media/project/<uuid:project_id>/", media.project_cover, name="project-cover"),
    path("media/archive/<uuid:archive_id>/", media.project_archive, name="project-archive-file"),
    path("media/material/<uuid:material_id>/<str:part>/", media.material, name="material"),
    path("client/file/<uuid:artifact_id>/", client_media.client_file, name="client-file"),
    path("client/", include("apps.review.urls")),
    path("admin/desk/", include("apps.desk.urls")),
    path("admin/", admin.site.urls),
]

handler404 = "apps.common.problems.not_found"
handler500 = "apps.common.problems.server_error"
