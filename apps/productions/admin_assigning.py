"""Who works on which shot, on the shots' pages: a filter, a form, and an action for many."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin import say_problems
from apps.common.admin_filters import FindsChoices
from apps.common.admin_versions import required_version
from apps.common.errors import NotAllowed, Refused
from apps.productions.admin_done import say_done
from apps.productions.assigning import ME, NOBODY, assign, assign_many, assignable, assigned
from apps.productions.models import Shot
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.models import Project
from apps.projects.picker import project_of
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act


class AssignedFilter(FindsChoices, admin.SimpleListFilter):
    """By whom they are assigned to: the reader, nobody, or, in a list of one project, any of its people."""

    title = gettext_lazy("assigned to")
    parameter_name = find_as = "assigned"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        fixed = [(ME, _("me")), (NOBODY, _("nobody"))]
        project = project_of(request)
        told = self.value()
        chosen = {"username": told} if told else {}
        people = self.few_of(assignable(project), request, chosen) if project is not None else ()
        return fixed + [(person.username, person.get_full_name() or person.username) for person in people]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Shot]) -> QuerySet[Shot]:
        told = self.value()
        return assigned(queryset, told, reader=person_of(request)) if told else queryset


class AssignsShots(ScopedAdmin):
    """Whoever plans the whole project says who works on its shots."""

    def may_assign(self, request: HttpRequest, shot: Shot) -> bool:
        """Tell whether the person may say who works on this shot: it takes more than its assignment."""
        return reach_of(request).may(Act.PLAN, shot.project_id)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.assignees_view)
        return [
            path("<path:object_id>/assignees/", view, name="productions_shot_assignees"),
            *super().get_urls(),
        ]

    def assignees_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer the form of the shot page: whoever is ticked works on the shot."""

        def deed(shot: Shot) -> str:
            names, seen = request.POST.getlist("users"), required_version(request)
            changed = assign(shot, names, user=person_of(request), row_version=seen)
            return _("Assigned.") if changed else _("Nothing was changed.")

        row = self.get_object(request, object_id)
        act = Act.PLAN if row is None or self.may_assign(request, row) else Act.MANAGE
        return self.perform(request, object_id, act, deed)

    @admin.action(description=gettext_lazy("Assign…"), permissions=["plan_all"])
    def assign_shots(self, request: HttpRequest, shots: QuerySet[Shot]) -> HttpResponse | None:
        """Ask who is added and who is taken off, then do it for every selected shot."""
        if request.POST.get("confirmed"):
            self._assign(request, shots)
            return None
        projects = list(Project.objects.filter(pk__in=shots.order_by().values("project"))[:2])
        if len(projects) != 1:
            messages.error(request, _("Select shots of one project, then assign them."))
            return None
        count = shots.count()
        title = ngettext("Assign %(count)d shot", "Assign %(count)d shots", count) % {"count": count}
        have = Shot.assignees.through._default_manager.filter(shot__in=shots.order_by().values("pk"))
        counted: Any = have.order_by().values_list("user__username").annotate(count=Count("pk"))
        has = dict(counted)
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "people": [(person, has.get(person.username, 0)) for person in assignable(projects[0])],
            "count": count,
            "ticked": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
            "across": request.POST.get("select_across", "0"),
            "back": request.get_full_path(),
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/productions/shot/assign.html", context)

    def _assign(self, request: HttpRequest, shots: QuerySet[Shot]) -> None:
        wishes = {name: request.POST.getlist(name) for name in ("add", "remove")}
        try:
            done = assign_many(shots, user=person_of(request), **wishes)
        except Refused as refused:
            say_problems(request, refused)
        except NotAllowed as refused:
            messages.error(request, str(refused))
        else:
            say_done(request, done.count, done.batches)

    def assigning_of(self, request: HttpRequest, shot: Shot) -> dict[str, Any]:
        """What the shot page shows of it: who works on it and, to whoever assigns, who might."""
        on_it = {person.pk: person for person in shot.assignees.order_by("username")}
        may = not shot.locked and self.may_assign(request, shot)
        offered = list(assignable(shot.project)) if may else []
        return {
            "assigned_people": list(on_it.values()),
            "assignable_people": [(person, person.pk in on_it) for person in offered],
        }
