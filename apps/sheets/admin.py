"""Imports of spreadsheets: their list, and the page where lists come in and films go out.

What one import shows is in admin_page.py, its buttons in admin_deeds.py.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.admin import say_problems
from apps.common.errors import Refused
from apps.common.show import moment, state_badge
from apps.projects.admin_filters import MyProjects
from apps.projects.models import Project
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act
from apps.sheets.admin_deeds import ImportDeeds
from apps.sheets.admin_forms import ExportForm, UploadForm
from apps.sheets.exporting import export
from apps.sheets.files import MOST_BYTES
from apps.sheets.handing import handed_over
from apps.sheets.models import ImportBatch, Outcome, Work
from apps.sheets.services.doing import ask
from apps.sheets.services.uploading import upload


@admin.register(ImportBatch)
class ImportBatchAdmin(ImportDeeds):
    """Whoever plans a film brings its lists here."""

    list_display = ("file_name", "condition", "kind", "project", "what_came", "by", "came")
    list_select_related = ("project", "by")
    list_filter = (("project", MyProjects), "state")
    search_fields = ("file_name", "kind")
    ordering = ("-created_at",)

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        wanted = request.resolver_match
        if wanted and str(wanted.url_name).endswith("list"):
            return rows.defer("tables", "mapping", "options", "problems")
        return rows

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # what was written stays told; what was not is laid aside

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        deeds = {
            "mapping": self.mapping_view,
            "options": self.options_view,
            "again": self.again_view,
            "confirm": self.confirm_view,
            "undo": self.undo_view,
            "discard": self.discard_view,
            "live": self.live_view,
            "report": self.report_view,
        }
        own = [path("export/", view(self.export_view), name="sheets_importbatch_export")]
        own += [
            path(f"<path:object_id>/{deed}/", view(answer), name=f"sheets_importbatch_{deed}")
            for deed, answer in deeds.items()
        ]
        return own + super().get_urls()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The page files are dropped on."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        projects = _plannable(request)
        asked = {"project": request.GET.get("project", "")}
        form = UploadForm(request.POST or None, request.FILES or None, projects=projects, initial=asked)
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                batch = upload(form.cleaned_data["project"], file, name=file.name, user=person_of(request))
            except Refused as refused:
                say_problems(request, refused)
            else:
                ask(batch, Work.PLAN)
                return HttpResponseRedirect(self.address_of(batch))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import a spreadsheet"),
            "form": form,
            "exports": ExportForm(projects=projects, initial=asked),
            "most": MOST_BYTES // 1024**2,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/sheets/importbatch/add.html", context)

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """Hand over a film's sheets."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        if not self.has_add_permission(request):
            raise PermissionDenied
        user = person_of(request)
        form = ExportForm(request.GET, projects=_plannable(request))
        if not form.is_valid():
            messages.error(request, _("Choose a project, the sheets and a format."))
            return HttpResponseRedirect(reverse("admin:sheets_importbatch_add"))
        chosen = form.cleaned_data
        try:
            written = export(
                chosen["project"], user=user, format=chosen["format"], discipline=chosen["discipline"]
            )
        except Refused as refused:
            say_problems(request, refused)
            return HttpResponseRedirect(reverse("admin:sheets_importbatch_add"))
        return handed_over(written)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def condition(self, batch: ImportBatch) -> SafeString:
        return state_badge(batch.state, batch.get_state_display())

    @admin.display(description=gettext_lazy("rows"))
    def what_came(self, batch: ImportBatch) -> str:
        told = [
            f"{batch.counts[outcome]} {outcome.label}" for outcome in Outcome if batch.counts.get(outcome)
        ]
        return " · ".join(told) or str(batch.total)

    @admin.display(description=gettext_lazy("came"), ordering="created_at")
    def came(self, batch: ImportBatch) -> str:
        return moment(batch.created_at)


def _plannable(request: HttpRequest) -> QuerySet[Project]:
    """The films whose whole plan is in this person's hands."""
    return Project.objects.filter(reach_of(request).covers(Act.PLAN, path="pk")).order_by("code")
