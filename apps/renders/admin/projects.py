"""The project page with its pause: who holds the film back, and the button that lets it go on."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.common.admin_versions import required_version
from apps.common.errors import Stale
from apps.common.saying import say_stale
from apps.common.show import no_picture, thumbnail
from apps.productions.covers import cover_url, set_cover, take_cover_away
from apps.projects.admin import ProjectAdmin
from apps.projects.models import Project
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.renders.admin.composer import OrdersPrompts
from apps.renders.admin.material import HoldsMaterial
from apps.renders.services.holds import pause_project

admin.site.unregister(Project)


@admin.register(Project)
class SteeredProjectAdmin(HoldsMaterial, OrdersPrompts, ProjectAdmin):
    """A pause is pressed, not ticked: it acts at once, and tells who pressed."""

    list_display = ("picture", *ProjectAdmin.list_display)
    list_display_links = ("picture", "code")
    change_form_outer_before_template = "admin/projects/project/pause.html"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "<path:object_id>/pause/",
                self.admin_site.admin_view(self.pause_view),
                name="projects_project_pause",
            ),
            path(
                "<path:object_id>/cover/",
                self.admin_site.admin_view(self.cover_view),
                name="projects_project_cover",
            ),
        ]
        return own + super().get_urls()

    def pause_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Pause and Resume."""

        def deed(project: Project) -> str:
            paused = request.POST.get("paused") == "1"
            reason = request.POST.get("reason", "").strip()[:200]
            pause_project(project, paused=paused, user=person_of(request), reason=reason)
            if paused:
                return _("%(project)s is held back; what a node already has goes on.") % {
                    "project": project.code
                }
            return _("%(project)s goes on.") % {"project": project.code}

        return self.perform(request, object_id, Act.MANAGE, deed)

    def cover_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer a picture for the project, or Take away."""

        def deed(project: Project) -> str | None:
            try:
                return self._cover(request, project)
            except Stale:
                say_stale(request)  # the page shows the picture that it has now
                return None

        return self.perform(request, object_id, Act.MANAGE, deed)

    def _cover(self, request: HttpRequest, project: Project) -> str | None:
        user, file = person_of(request), request.FILES.get("file")
        if request.POST.get("remove") == "1":
            take_cover_away(project, user=user, row_version=required_version(request))
            return _("The picture was taken away.")
        if file is None:
            messages.error(request, _("Choose a picture first."))
            return None
        set_cover(project, file, user=user, row_version=required_version(request))
        return _("This is the project's picture now.")

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        super().dress(rows, request)
        for row in rows:
            row.cover_url = cover_url(row, person_of(request))

    @admin.display(description="")
    def picture(self, project: Any) -> SafeString:
        return thumbnail(project.cover_url, project.code) if project.cover_url else no_picture()

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        project = context.get("original")
        context["cover"] = cover_url(project, person_of(request)) if project is not None else ""
        context["may_pause"] = project is not None and self.may(request, Act.MANAGE, project)
        return super().render_change_form(request, context, *args, **kwargs)
