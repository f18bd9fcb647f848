"""Imports of spreadsheets, step by step: brought, mapped, looked at, written, taken back; and exports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.admin import say_problems
from apps.common.admin_versions import required_version, version_sent
from apps.common.errors import Conflict, Refused, Stale
from apps.common.saying import say_stale
from apps.common.show import moment, state_badge
from apps.ledger.models import Batch
from apps.ledger.selectors import taken_back_by
from apps.projects.admin_filters import MyProjects
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.models import Project
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act
from apps.sheets.admin_forms import ExportForm, MappingForm, UploadForm, rows_of
from apps.sheets.exporting import export
from apps.sheets.files import MOST_BYTES
from apps.sheets.handing import handed_over
from apps.sheets.headings import targets
from apps.sheets.models import ImportBatch, Outcome, Work
from apps.sheets.reporting import report
from apps.sheets.selectors import plan_rows, tallies
from apps.sheets.services.asking import confirm
from apps.sheets.services.choosing import choose, discard, leave_out_errors
from apps.sheets.services.doing import ask
from apps.sheets.services.undoing import CHANGED, IN_USE, undo_import
from apps.sheets.services.uploading import upload
from apps.sheets.speaking import words_for
from apps.sheets.states import OPEN, BatchState

STOP_POLLING = 286
"""htmx stops a poll that is answered with this status."""
ROWS_ON_A_PAGE = 100


@admin.register(ImportBatch)
class ImportBatchAdmin(ScopedAdmin):
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

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Where the import stands, and what comes next."""
        batch = self.get_object(request, object_id)
        if not self.has_view_permission(request, batch):
            raise PermissionDenied
        if request.method == "POST" and not self.has_change_permission(request, batch):
            raise PermissionDenied
        if batch is None:
            return super().change_view(request, object_id)  # Django tells that it is not there
        context = {**self.admin_site.each_context(request), "title": batch.file_name, "opts": self.opts}
        context |= self._shown(request, batch)
        return TemplateResponse(request, "admin/sheets/importbatch/page.html", context)

    def _shown(self, request: HttpRequest, batch: ImportBatch) -> dict[str, Any]:
        only, sheet = request.GET.get("only", ""), request.GET.get("sheet", "")
        open_ = batch.state in OPEN
        rows = plan_rows(batch, only=only, sheet=sheet)
        page = Paginator(rows, ROWS_ON_A_PAGE).get_page(request.GET.get("p"))
        return {
            "original": batch,
            "is_open": open_,
            "planned": batch.state == BatchState.PLANNED,
            "applied": batch.state == BatchState.APPLIED,
            "written": batch.state in (BatchState.APPLIED, BatchState.UNDONE),
            **_remembered(batch),
            "may_change": self.may(request, Act.PLAN, batch),
            "form": MappingForm(batch, targets(batch.project_id)) if open_ else None,
            "page": page,
            "words": words_for(batch.project_id),
            "only": only,
            "sheet": sheet,
            "tallies": tallies(batch),
            "counts": batch.counts,
            "writes": any(batch.counts.get(name) for name in (Outcome.NEW, Outcome.CHANGED, Outcome.REMOVED)),
            "clear": batch.options.get("empty") == "clear",
            "create": bool(batch.options.get("create")),
            "sequence": batch.options.get("sequence", ""),
            "left_out": batch.options.get("left_out", []),
        }

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The progress bar; when the work is done, the page is drawn anew."""
        batch = self._read(request, object_id)
        if isinstance(batch, HttpResponse):
            return batch
        answer = TemplateResponse(request, "admin/sheets/importbatch/progress.html", {"original": batch})
        answer["Cache-Control"] = "no-store"
        if not batch.work:
            answer.status_code = STOP_POLLING
            answer["HX-Refresh"] = "true"
        return answer

    def mapping_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Keep which column is which, and plan anew."""

        def deed(batch: ImportBatch) -> None:
            form = MappingForm(batch, targets(batch.project_id), request.POST)
            form.is_valid()
            version = required_version(request)
            choose(batch, user=person_of(request), mapping=form.chosen(), row_version=version)

        def typed(batch: ImportBatch) -> dict[str, Any]:
            return {"form": MappingForm(batch, targets(batch.project_id), request.POST)}

        return self._choose(request, object_id, deed, typed)

    def options_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Keep what is to be taken, and plan anew."""

        def deed(batch: ImportBatch) -> None:
            user, version = person_of(request), required_version(request)
            if "errors" in request.POST:
                leave_out_errors(batch, user=user, row_version=version)
                return
            told: dict[str, Any] = {}
            if "rows" in request.POST:
                ticked = rows_of(request.POST.getlist("row"))
                told["left_out"] = [*batch.options.get("left_out", []), *ticked]
            elif "all_rows" in request.POST:
                told["left_out"] = []
            else:
                told = {
                    "create": request.POST.get("create") == "1",
                    "empty": request.POST.get("empty", "keep"),
                    "sequence": request.POST.get("sequence", "").strip(),
                }
            choose(batch, user=user, row_version=version, **told)

        def typed(batch: ImportBatch) -> dict[str, Any]:
            if "sequence" not in request.POST:
                return {}
            clear = request.POST.get("empty") == "clear"
            return {"clear": clear, **{name: request.POST.get(name, "") for name in ("create", "sequence")}}

        return self._choose(request, object_id, deed, typed)

    def _choose(
        self,
        request: HttpRequest,
        object_id: str,
        deed: Callable[[ImportBatch], None],
        typed: Callable[[ImportBatch], dict[str, Any]],
    ) -> HttpResponse:
        """Answer a choice. One made from an older version is not kept: the page shows what others chose
        meanwhile, with what was chosen here still in its form."""
        stale: list[Stale] = []

        def watched(batch: ImportBatch) -> None:
            try:
                deed(batch)
            except Stale as refused:
                stale.append(refused)

        answer = self.perform(request, object_id, Act.PLAN, watched)
        batch = self.get_object(request, object_id)
        if not stale or batch is None:
            return answer
        say_stale(request)
        context = {**self.admin_site.each_context(request), "title": batch.file_name, "opts": self.opts}
        context |= self._shown(request, batch) | typed(batch)
        context["meanwhile"] = self.changed_meanwhile(request, batch, required_version(request), None)
        return TemplateResponse(request, "admin/sheets/importbatch/page.html", context)

    def again_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make the dry run again, on the project as it is now."""
        return self.perform(
            request, object_id, Act.PLAN, lambda batch: choose(batch, user=person_of(request))
        )

    def confirm_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Write it."""
        return self.perform(
            request,
            object_id,
            Act.PLAN,
            lambda batch: confirm(batch, user=person_of(request), row_version=version_sent(request)),
        )

    def undo_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take it back."""

        def deed(batch: ImportBatch) -> str | None:
            try:
                undo_import(batch, user=person_of(request))
            except Conflict as refused:
                if any(one.code not in (CHANGED, IN_USE) for one in refused.problems):
                    raise
                _say_left(request, batch, refused)
                return None
            return _("The import is taken back: everything it changed is as it was before.")

        return self.perform(request, object_id, Act.PLAN, deed)

    def discard_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lay it aside."""

        def deed(batch: ImportBatch) -> str:
            discard(batch, user=person_of(request))
            return _("%(file)s is laid aside.") % {"file": batch.file_name}

        return self.perform(request, object_id, Act.PLAN, deed)

    def report_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What became of every row, as CSV."""
        batch = self._read(request, object_id)
        return batch if isinstance(batch, HttpResponse) else handed_over(report(batch))

    def _read(self, request: HttpRequest, object_id: str) -> ImportBatch | HttpResponse:
        """The import that is looked at, or the answer that this address is only read."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        batch: ImportBatch | None = self.get_object(request, object_id)
        if batch is None:
            raise Http404
        return batch

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


def _remembered(batch: ImportBatch) -> dict[str, Any]:
    """What history holds of it: the bulk change that it was, and the one that took it back, if any."""
    written = Batch.objects.filter(pk=batch.pk).first() if batch.applied_at else None
    return {"bulk_change": written, "taken_back": taken_back_by(written) if written else None}


def _say_left(request: HttpRequest, batch: ImportBatch, refused: Conflict) -> None:
    """Say whose change stands in the way of an undo, and where the rest is taken back."""
    said = (
        f"{one.value} ({one.message})" if one.code == IN_USE else one.value or str(one.message)
        for one in refused.problems
    )
    names = ", ".join(dict.fromkeys(said))
    told = _("Nothing was taken back, for somebody has changed since: %(names)s.") % {"names": names}
    address = reverse("admin:ledger_batch_change", args=[batch.pk])
    link = format_html('<a class="sf-link" href="{}">{}</a>', address, _("See what, and take back the rest…"))
    messages.error(request, format_html("{} {}", told, link))


def _plannable(request: HttpRequest) -> QuerySet[Project]:
    """The films whose whole plan is in this person's hands."""
    return Project.objects.filter(reach_of(request).covers(Act.PLAN, path="pk")).order_by("code")
