"""The project page with its pause: who holds the film back, and the button that lets it go on."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

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

    change_form_outer_before_template = "admin/projects/project/pause.html"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "<path:object_id>/pause/",
                self.admin_site.admin_view(self.pause_view),
                name="projects_project_pause",
            )
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

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        project = context.get("original")
        context["may_pause"] = project is not None and self.may(request, Act.MANAGE, project)
        return super().render_change_form(request, context, *args, **kwargs)
