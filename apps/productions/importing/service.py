"""Import a workbook into a project: everything is checked, then everything is written, or nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.productions.importing import cells, known
from apps.productions.importing.apply import apply
from apps.productions.importing.changes import Change, Plan
from apps.productions.importing.layout import PLANNING, PROJECT, RENDERS
from apps.productions.importing.plan import plan_production, plan_project
from apps.productions.importing.reader import read_workbook
from apps.productions.importing.records import Record, check_sheets, read_records
from apps.productions.importing.result import Difference, ImportResult
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import may_not_open, require

logger = logging.getLogger(__name__)


def import_workbook(
    source: Path | BinaryIO | File[bytes],
    *,
    user: User | None = None,
    dry_run: bool = False,
    project: str = "",
) -> ImportResult:
    """Bring a project to what the workbook says; opens the project if there is none.

    ``source``: an XLSX file (sheets and columns: layout.py). ``project``: another code than the
    workbook's own. ``user`` None is the farm itself. Raises Refused with every problem, each with its
    address (``Shots!F12 (frames)``); NotAllowed unless the user plans this project (or may open one;
    changing the project's own row takes the right to manage it). Nothing is written in these cases.
    """
    problems: list[Problem] = []
    records = _read(source, problems)
    head = _the_project(records.get(PROJECT.sheet, []), problems)
    code = _project_code(project) or (head.key[0] if head else "")
    if head is None:
        raise Refused(*problems)
    try:
        with transaction.atomic():
            # The project's row is the lock: two imports into one project take turns.
            existing = Project.objects.select_for_update().filter(code=code).first()
            planned = plan_project(head, code, existing)
            _check_rights(planned, user)
            there = known.load(planned.row.pk)
            plan = plan_production(planned, records, there)
            problems += plan.problems
            if problems:
                raise Refused(*problems)
            if not dry_run:
                apply(plan, user, title=_title(source, code))
    except IntegrityError as exc:
        told = _("Somebody changed this project at the same moment. Import the workbook again.")
        raise Refused(Problem("file", code, told, code="conflict")) from exc
    result = _result(plan, there.labels(), dry_run=dry_run)
    logger.info(
        "workbook imported" if not dry_run else "workbook checked",
        extra={
            "project": code,
            "rows_new": result.created,
            "rows_changed": result.changed,
            "rows_unchanged": result.unchanged,
        },
    )
    return result


def _read(source: Path | BinaryIO | File[bytes], problems: list[Problem]) -> dict[str, list[Record]]:
    contents = read_workbook(source, wanted={layout.sheet for layout in PLANNING})
    problems += check_sheets(contents.names, PLANNING, ignored=(RENDERS.sheet,))
    return {
        layout.sheet: read_records(contents.sheets[layout.sheet], layout, problems)
        for layout in PLANNING
        if layout.sheet in contents.sheets
    }


def _the_project(records: list[Record], problems: list[Problem]) -> Record | None:
    for extra in records[1:]:
        told = _("A workbook is about one project. Remove the other row.")
        problems.append(extra.problem("code", extra.key[0], told, code="second_project"))
    if not records and not problems:
        problems.append(
            Problem(PROJECT.sheet, "", _("The sheet is empty. Describe the project in row 2."), "empty")
        )
    return records[0] if records else None


def _title(source: Path | BinaryIO | File[bytes], code: str) -> str:
    return Path(str(getattr(source, "name", "") or code)).name


def _project_code(typed: str) -> str:
    try:
        return cells.project_code(typed) if typed else ""
    except cells.Unreadable as exc:
        raise Refused(Problem("project", typed, str(exc), code="invalid_code")) from exc


def _check_rights(planned: Change[Project], user: User | None) -> None:
    if user is None:
        return
    if planned.new:
        if not user.has_perm("projects.add_project"):
            raise may_not_open(user)
        return
    require(user, Act.PLAN, planned.row)
    if planned.changed:
        require(user, Act.MANAGE, planned.row)


def _result(plan: Plan, labels: Mapping[UUID, str], *, dry_run: bool) -> ImportResult:
    changes = plan.all_changes
    return ImportResult(
        project=plan.project.row.code,
        created=sum(change.new for change in changes),
        changed=sum(change.changed for change in changes),
        unchanged=sum(not change.new and not change.changed for change in changes),
        removed=len(plan.castings_gone),
        differences=tuple(_difference(change, labels) for change in changes if change.new or change.changed),
        dry_run=dry_run,
    )


def _difference(change: Change[Any], labels: Mapping[UUID, str]) -> Difference:
    def shown(value: Any) -> str:
        return (
            "" if value is None else labels.get(value, str(value)) if isinstance(value, UUID) else str(value)
        )

    columns = {
        attribute.removesuffix("_id"): (shown(before), shown(getattr(change.row, attribute)))
        for attribute, before in change.before.items()
    }
    columns |= {} if change.new else change.said
    return Difference(change.record.where, " ".join(change.record.key), change.new, columns)
