"""The dry run: what would become of every row is written down for people to read."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.common.machines import move
from apps.common.problems import as_json
from apps.sheets.differing import Differences, RowPlan
from apps.sheets.models import ImportBatch, ImportRow
from apps.sheets.services.working import Progress, work_out
from apps.sheets.states import BATCH, BatchState

AT_ONCE = 1_000


def plan_now(batch: ImportBatch, user: User | None, progress: Progress) -> None:
    """Read the file as it is mapped and write the plan, instead of the one before. Nothing else is written.

    Raises Refused if nothing in the file is a sheet of ours, or the file is gone.
    """
    if not any(table["sheet"] for table in batch.mapping.values()):
        told = _("No table of the file is one of the farm's sheets. Choose which one it is.")
        raise Refused(Problem("file", batch.file_name, told, code="no_sheet"))
    worked = work_out(batch, batch.project, user, progress)
    with transaction.atomic():
        ImportRow.objects.filter(batch=batch).delete()
        for start, some in _pieces(worked.differences.rows):
            _keep(batch, start, some)
            progress(batch.total * 8 // 10 + start * 2 // 10, batch.total)
        _close(batch, worked.differences)


def _keep(batch: ImportBatch, start: int, rows: Iterable[RowPlan]) -> None:
    ImportRow.objects.bulk_create(
        [
            ImportRow(
                batch=batch,
                position=start + offset,
                sheet=row.sheet,
                row=row.row,
                what=row.what,
                outcome=row.outcome,
                cells=row.cells,
                versions=row.versions,
            )
            for offset, row in enumerate(rows)
        ]
    )


def _close(batch: ImportBatch, found: Differences) -> None:
    ImportBatch.objects.filter(pk=batch.pk).update(
        counts=found.counts, problems=[as_json(one) for one in found.problems]
    )
    if batch.state == BatchState.UPLOADED:
        actor = batch.by.get_username() if batch.by else "farm"
        move(BATCH, batch, from_=(BatchState.UPLOADED,), to=BatchState.PLANNED, actor=actor)


def _pieces(rows: list[RowPlan]) -> Iterable[tuple[int, list[RowPlan]]]:
    return ((start, rows[start : start + AT_ONCE]) for start in range(0, len(rows), AT_ONCE))
