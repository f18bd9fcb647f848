"""The project page with its archives: ask for one, see how far it is, fetch it, let it go."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from apps.folders.admin.projects import FolderedProjectAdmin
from apps.keeping.models import ProjectArchive, Takes
from apps.keeping.selectors import archive_url, archives_of
from apps.keeping.services.asking import ask, discard
from apps.projects.models import Project
from apps.projects.reach import person_of
from apps.projects.roles import Act

admin.site.unregister(Project)

MOST_SHOWN = 50
STOP_POLLING = 286
"""htmx stops a poll that is answered with this status."""


@admin.register(Project)
class ArchivedProjectAdmin(FolderedProjectAdmin):
    """Whoever plans a film has its archives."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        at = "<path:object_id>/archives"
        own = [
            path(f"{at}/", view(self.archives_view), name="projects_project_archives"),
            path(f"{at}/live/", view(self.archives_live_view), name="projects_project_archives_live"),
            path(f"{at}/ask/", view(self.ask_archive_view), name="projects_project_ask_archive"),
            path(f"{at}/discard/", view(self.discard_archive_view), name="projects_project_discard_archive"),
        ]
        return own + super().get_urls()

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        original = context.get("original")
        context["may_archive"] = original is not None and self.may(request, Act.PLAN, original)
        return super().render_change_form(request, context, *args, **kwargs)

    def archives_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What there is, and the form that asks for another."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        project = self._planned(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Archives of %s") % project.code,
            "opts": self.opts,
            "original": project,
            "takes": Takes.choices,
            "chosen": Takes.APPROVED.value,
            "days": settings.ARCHIVE_DAYS,
            **self._listed(request, project),
        }
        return TemplateResponse(request, "admin/projects/project/archives.html", context)

    def archives_live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The list while one is being written; when it is, the page is drawn anew."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        project = self._planned(request, object_id)
        context = {"original": project, **self._listed(request, project)}
        answer = TemplateResponse(request, "admin/projects/project/archive_list.html", context)
        answer["Cache-Control"] = "no-store"
        if not context["under_way"]:
            answer.status_code = STOP_POLLING
            answer["HX-Refresh"] = "true"
        return answer

    def ask_archive_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer “Write an archive”."""

        def deed(project: Project) -> str:
            takes = request.POST.get("takes", Takes.APPROVED.value)
            materials = request.POST.get("materials") == "1"
            ask(project, user=person_of(request), takes=takes, materials=materials)
            return _("The archive is being written; this page shows how far it is.")

        return self.perform(request, object_id, Act.PLAN, deed)

    def discard_archive_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Cancel and Take away."""

        def deed(project: Project) -> str:
            rows = archives_of(project)[:MOST_SHOWN]
            archive = next((one for one in rows if str(one.pk) == request.POST.get("archive")), None)
            if archive is None:
                raise Http404
            discard(archive, user=person_of(request))
            return _("%(archive)s is taken away.") % {"archive": archive.file_name}

        return self.perform(request, object_id, Act.PLAN, deed)

    def _planned(self, request: HttpRequest, object_id: str) -> Project:
        project: Project | None = self.get_object(request, object_id)
        if project is None:
            raise Http404
        if not self.may(request, Act.PLAN, project):
            raise PermissionDenied
        return project

    def _listed(self, request: HttpRequest, project: Project) -> dict[str, Any]:
        rows: list[ProjectArchive] = list(archives_of(project)[:MOST_SHOWN])
        reader = person_of(request)
        shown = [(one, archive_url(one, reader)) for one in rows]
        return {"archives": shown, "under_way": any(one.open for one in rows)}
