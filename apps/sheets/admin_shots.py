"""Selected shots as a workbook, from their list."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.admin import say_problems
from apps.common.errors import NotAllowed, Refused
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.reach import person_of
from apps.sheets.exporting import export
from apps.sheets.handing import handed_over


class ExportsShots:
    """A list of shots that hands them out as a workbook."""

    @admin.action(description=gettext_lazy("Export as XLSX"), permissions=["view"])
    def export_shots(self, request: HttpRequest, shots: QuerySet[Shot]) -> HttpResponse | None:
        """Hand out the selected shots with their casting; they are of one project."""
        chosen = dict(shots.order_by().values_list("pk", "project_id"))
        projects = set(chosen.values())
        if len(projects) != 1:
            messages.error(request, _("Select shots of one project: a workbook is about one."))
            return None
        try:
            project = Project.objects.get(pk=projects.pop())
            return handed_over(export(project, user=person_of(request), shots=chosen.keys()))
        except Refused as refused:
            say_problems(request, refused)
        except NotAllowed as refused:
            messages.error(request, str(refused))
        return None
