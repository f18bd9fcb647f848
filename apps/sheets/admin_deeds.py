"""What is done to an import on its page: choose columns and rows, plan anew, write, take back, lay aside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from apps.common.admin_versions import required_version, version_sent
from apps.common.errors import Conflict, Stale
from apps.common.saying import say_stale
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.sheets.admin_forms import MappingForm, rows_of
from apps.sheets.admin_page import ImportPage
from apps.sheets.headings import targets
from apps.sheets.models import ImportBatch
from apps.sheets.services.asking import confirm
from apps.sheets.services.choosing import choose, discard, leave_out_errors
from apps.sheets.services.undoing import CHANGED, IN_USE, undo_import


class ImportDeeds(ImportPage):
    """The buttons of an import's page."""

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
        meanwhile = self.changed_meanwhile(request, batch, required_version(request), None)
        return self.draw(request, batch, **typed(batch), meanwhile=meanwhile)

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
