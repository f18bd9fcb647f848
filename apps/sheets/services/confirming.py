"""Write a plan: all of it or nothing, and only if the project still is what the dry run saw."""

from __future__ import annotations

from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused
from apps.common.machines import move
from apps.productions.importing.apply import apply
from apps.projects.models import Project
from apps.sheets.differing import RowPlan
from apps.sheets.models import ImportBatch, ImportRow, Outcome
from apps.sheets.services.working import Progress, Worked, work_out
from apps.sheets.states import BATCH, BatchState

WRITING: Final = (Outcome.NEW, Outcome.CHANGED, Outcome.REMOVED)
MOST_NAMED: Final = 20
"""Rows named in one refusal; of more, their number is told."""


def apply_now(batch: ImportBatch, user: User | None, progress: Progress) -> None:
    """Plan once more on the locked project, compare with the dry run, write, and close the batch.

    Raises Conflict naming the rows that somebody changed since the dry run; Refused with what is wrong.
    """
    try:
        with transaction.atomic():
            # The project's row is the lock: two imports into one project take turns.
            project = Project.objects.select_for_update(no_key=True).get(pk=batch.project_id)
            worked = work_out(batch, project, user, progress)
            _compare(batch, worked)
            apply(worked.plan, user, title=batch.file_name, key=batch.pk)
            _close(batch, worked, user)
    except IntegrityError as exc:
        told = _("Somebody changed this project at the same moment. Look at the plan again.")
        raise Conflict(Problem("file", batch.file_name, told, code="conflict")) from exc


def _compare(batch: ImportBatch, worked: Worked) -> None:
    found = worked.differences
    seen = {
        (row.sheet, row.row, row.what): row
        for row in ImportRow.objects.filter(batch=batch).iterator(chunk_size=2000)
    }
    changed = [row for row in found.rows if _stale(row, seen.pop((row.sheet, row.row, row.what), None))]
    gone = [row.what for row in seen.values() if row.outcome in WRITING]
    names = [row.what for row in changed] + gone
    if names:
        raise Conflict(*_named(names))
    if worked.plan.problems or found.counts.get("problems"):
        told = _("There are %d errors. Mend them in the file and bring it again, or leave their rows out.")
        raise Refused(Problem("file", batch.file_name, told % found.counts["problems"], code="errors"))


def _stale(now: RowPlan, then: ImportRow | None) -> bool:
    """Whether a row that would be written is about something that is not what the dry run saw."""
    if then is None:
        return now.outcome in WRITING
    writing = now.outcome in WRITING or then.outcome in WRITING
    return writing and (now.versions != then.versions or now.outcome != then.outcome)


def _named(names: list[str]) -> list[Problem]:
    told = _("Somebody changed this since the dry run. Make the dry run again and look at it.")
    problems = [Problem("row", name, told, code="stale") for name in names[:MOST_NAMED]]
    if len(names) > MOST_NAMED:
        more = _("and %d more rows") % (len(names) - MOST_NAMED)
        problems.append(Problem("row", "", more, code="stale"))
    return problems


def _close(batch: ImportBatch, worked: Worked, user: User | None) -> None:
    now = timezone.now()
    actor = user.get_username() if user else "farm"
    report: dict[str, Any] = {
        "counts": worked.differences.counts,
        "confirmed_by": actor,
        "at": now.isoformat(),
    }
    changes = {
        "applied_at": now,
        "applied_by": actor,
        "report": report,
        "counts": worked.differences.counts,
        "problems": [],
    }
    moved = move(
        BATCH, batch, from_=(BatchState.PLANNED,), to=BatchState.APPLIED, actor=actor, changes=changes
    )
    if not moved:
        told = _("This import was closed at the same moment.")
        raise Conflict(Problem("state", batch.state, told, code="closed"))
