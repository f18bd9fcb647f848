"""The project page with its folders: the dry run, the button that makes them, the layout that is held."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from apps.common.admin_versions import version_sent
from apps.common.errors import Problem, Refused, Stale
from apps.common.saying import say_stale
from apps.folders.admin.choosing import chosen_again, chosen_on
from apps.folders.models import PathTemplate, ProjectFolders, PublishWhen
from apps.folders.selectors import held_by, layout_version
from apps.folders.services.layouts import choose_layout
from apps.folders.services.making import Made, confirm
from apps.folders.services.planning import Plan, plan_project, plan_sequence
from apps.folders.words import fates, in_words, refusals
from apps.productions.models import Sequence
from apps.projects.models import Project
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.renders.admin.projects import SteeredProjectAdmin

admin.site.unregister(Project)

MOST_SEQUENCES = 500
"""Links on the page; a film has fewer sequences, and every other is found by its address."""


@admin.register(Project)
class FolderedProjectAdmin(SteeredProjectAdmin):
    """A project's folders are seen before they are made."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        at = "<path:object_id>/folders"
        own = [
            path(f"{at}/", view(self.folders_view), name="projects_project_folders"),
            path(f"{at}/confirm/", view(self.confirm_view), name="projects_project_confirm_folders"),
            path(f"{at}/layout/", view(self.layout_view), name="projects_project_layout"),
        ]
        return own + super().get_urls()

    def folders_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the dry run: the project, or a page of one sequence's shots."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        project = self._seen(request, object_id)
        sequence = self._sequence(request, project)
        folders = ProjectFolders.objects.filter(project=project).first()
        plan, failure = self._plan(request, project, sequence)
        held = _held(project)
        entries = [(entry, in_words(entry.why)) for entry in plan.entries] if plan else []
        context = {
            **self.admin_site.each_context(request),
            "title": _("Folders of %s") % project.code,
            "opts": self.opts,
            "original": project,
            "plan": plan,
            "entries": entries,
            "counts": fates(plan.counts) if plan else [],
            "failure": failure,
            "sequence": sequence,
            "sequences": Sequence.objects.filter(project=project).order_by("order", "code")[:MOST_SEQUENCES],
            "folders": folders,
            "refused": refusals(folders.report) if folders else [],
            "held": held,
            "layouts": PathTemplate.objects.order_by("slug", "-number"),
            "publish_choices": PublishWhen.choices,
            **chosen_on(request, folders, held),
            "may_plan": self.may(request, Act.PLAN, project),
            "may_manage": self.may(request, Act.MANAGE, project),
        }
        return TemplateResponse(request, "admin/projects/project/folders.html", context)

    def confirm_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer “Make what is new”."""

        def deed(project: Project) -> str | None:
            sequence = self._sequence(request, project)
            try:
                made = confirm(project, user=person_of(request), sequence=sequence)
            except OSError as exc:
                told = _("The store of published files failed; nothing more was made.")
                raise Refused(Problem("", str(exc), told, code="store_failed")) from exc
            return _said(made)

        return self.perform(request, object_id, Act.PLAN, deed)

    def layout_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer “Hold this layout”."""

        seen = version_sent(request)
        stale: list[Stale] = []

        def deed(project: Project) -> str | None:
            slug, _v, number = request.POST.get("layout", "").partition(" v")
            template = layout_version(slug, int(number) if number.isdecimal() else None)
            publish, user = request.POST.get("publish", ""), person_of(request)
            try:
                choose_layout(project, template, user=user, publish=publish, row_version=seen)
            except Stale as refused:
                stale.append(refused)
                return None
            return _("%(project)s holds %(layout)s; what was published stays where it is.") % {
                "project": project.code,
                "layout": template,
            }

        answer = self.perform(request, object_id, Act.MANAGE, deed)
        if not stale:
            return answer
        say_stale(request)
        return HttpResponseRedirect(chosen_again(request, answer["Location"], seen))

    def _seen(self, request: HttpRequest, object_id: str) -> Project:
        project: Project | None = self.get_object(request, object_id)
        if project is None:
            raise Http404
        if not self.may(request, Act.VIEW, project):
            raise PermissionDenied
        return project

    def _sequence(self, request: HttpRequest, project: Project) -> Sequence | None:
        code = request.POST.get("sequence") or request.GET.get("sequence")
        if not code:
            return None
        found = Sequence.objects.filter(project=project, code=code).first()
        if found is None:
            raise Http404
        return found

    def _plan(
        self, request: HttpRequest, project: Project, sequence: Sequence | None
    ) -> tuple[Plan | None, str]:
        page = request.GET.get("page", "1")
        try:
            if sequence is None:
                return plan_project(project), ""
            return plan_sequence(project, sequence, page=int(page) if page.isdecimal() else 1), ""
        except OSError as exc:
            return None, _("The store of published files cannot be read: %s") % exc
        except Refused as refused:  # the project names a layout that is not there
            return None, str(refused)


def _held(project: Project) -> PathTemplate | None:
    try:
        return held_by(project)
    except Refused:
        return None


def _said(made: Made | None) -> str:
    if made is None:
        return _("The folders are being made; this page shows when they are.")
    told = _("%(folders)d folders, %(records)d records made, %(updated)d updated; %(refused)d refused.")
    return told % {
        "folders": made.folders,
        "records": made.records,
        "updated": made.updated,
        "refused": made.refusals,
    }
