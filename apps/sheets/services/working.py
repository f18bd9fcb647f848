"""Work a batch out: read its file as it is mapped, and put it beside the project as it is now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.productions import states
from apps.productions.importing import known as knowledge
from apps.productions.importing.changes import Plan
from apps.productions.importing.narrowing import leave_out_new
from apps.productions.importing.plan import plan_production, plan_project
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import may
from apps.sheets.differing import Differences, differences, nothing_said
from apps.sheets.files import read_file
from apps.sheets.headings import heading_row, targets
from apps.sheets.implied import imply_sequences
from apps.sheets.models import ImportBatch
from apps.sheets.reading import Options, TableMapping, read_tables, the_project

Progress = Callable[[int, int], None]
"""Told how many of how many steps are done."""
_SIGNED_OFF = frozenset({states.APPROVED, states.FINAL})


@dataclass(frozen=True)
class Worked:
    """A plan that may be applied if nothing is wrong with it, and how people read it."""

    plan: Plan
    differences: Differences


def options_of(batch: ImportBatch) -> Options:
    """What people chose for this batch."""
    said = batch.options
    return Options(
        create=bool(said.get("create")),
        clear=said.get("empty") == "clear",
        sequence=str(said.get("sequence", "")),
        left_out=frozenset((str(table), int(row)) for table, row in said.get("left_out", ())),
    )


def mapping_of(batch: ImportBatch) -> dict[str, TableMapping]:
    """Which sheet each table is, and which column each of its columns."""
    return {
        name: TableMapping(table["sheet"], tuple(table["columns"])) for name, table in batch.mapping.items()
    }


def work_out(batch: ImportBatch, project: Project, user: User | None, progress: Progress) -> Worked:
    """Read the file and plan it. Raises Refused if the file is gone or cannot be read any more."""
    total = batch.total
    known_columns = targets(project.pk)
    progress(0, total)
    brought = read_file(_content(batch), batch.file_name, heading_row(known_columns))
    progress(total * 4 // 10, total)
    options = options_of(batch)
    told = read_tables(
        brought.sheets,
        mapping_of(batch),
        known_columns,
        options,
        rate=Fraction(project.fps_num, project.fps_den),
        format_=batch.format,
    )
    progress(total * 5 // 10, total)
    there = knowledge.load(project.pk)
    imply_sequences(told, there)
    head = the_project(told, project.code)
    change = plan_project(head, project.code, project) if head else nothing_said(project)
    plan = plan_production(change, told.records, there, whole_casting=options.clear)
    progress(total * 7 // 10, total)
    left_out = [] if options.create else leave_out_new(plan)
    _judge_rights(plan, user)
    return Worked(plan, differences(plan, told, there, left_out))


def _content(batch: ImportBatch) -> bytes:
    try:
        with default_storage.open(batch.key, "rb") as stored:
            content: bytes = stored.read()
            return content
    except FileNotFoundError as exc:
        told = _("The kept file is not in the artifact store any more. Bring it again.")
        raise Refused(Problem("file", batch.file_name, told, code="file_gone")) from exc


def _judge_rights(plan: Plan, user: User | None) -> None:
    """The project's own row takes the right to manage it, signing shots off the right to review."""
    if user is None:
        return
    project = plan.project.row
    if plan.project.changed and not may(user, Act.MANAGE, project):
        told = _("Changing the project itself takes the role of its admin. Leave this row out.")
        plan.problems.append(plan.project.record.problem("code", project.code, told, code="not_allowed"))
    signing = [one for one in plan.moves if {one.to, one.shot.status_id} & _SIGNED_OFF]
    if signing and not may(user, Act.REVIEW, project):
        told = _("Approving and finalising takes the right to review. Leave the row or the column out.")
        records: dict[Any, Any] = {change.row.pk: change.record for change in plan.changes}
        for one in signing:
            plan.problems.append(records[one.shot.pk].problem("status", one.to, told, code="not_allowed"))
