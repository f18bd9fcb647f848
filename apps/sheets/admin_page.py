"""The page of one import: where it stands, how far the work is, and what became of its rows."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse

from apps.ledger.models import Batch
from apps.ledger.selectors import taken_back_by
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.roles import Act
from apps.sheets.admin_forms import MappingForm
from apps.sheets.handing import handed_over
from apps.sheets.headings import targets
from apps.sheets.models import ImportBatch, Outcome
from apps.sheets.reporting import report
from apps.sheets.selectors import plan_rows, tallies
from apps.sheets.speaking import words_for
from apps.sheets.states import OPEN, BatchState

STOP_POLLING = 286
"""htmx stops a poll that is answered with this status."""
ROWS_ON_A_PAGE = 100


class ImportPage(ScopedAdmin):
    """What is looked at of an import."""

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
        return self.draw(request, batch)

    def draw(self, request: HttpRequest, batch: ImportBatch, **instead: Any) -> HttpResponse:
        """Draw the page; ``instead`` is shown where it differs from what is kept."""
        context = {
            **self.admin_site.each_context(request),
            "title": batch.file_name,
            "opts": self.opts,
            **self._shown(request, batch),
            **instead,
        }
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


def _remembered(batch: ImportBatch) -> dict[str, Any]:
    """What history holds of it: the bulk change that it was, and the one that took it back, if any."""
    written = Batch.objects.filter(pk=batch.pk).first() if batch.applied_at else None
    return {"bulk_change": written, "taken_back": taken_back_by(written) if written else None}
