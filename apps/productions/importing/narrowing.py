"""Update only: what is new in a plan is left out, and what needs it is told."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from apps.productions.importing.changes import Change, Plan
from apps.productions.importing.records import CellProblem
from apps.productions.models import ShotCharacter

_POINTS: Final = {
    "location_id": "location",
    "episode_id": "episode",
    "costume_id": "costume",
    "default_costume_id": "default_costume",
    "continuity_from_id": "continuity_from",
    "character_id": "character",
}


def leave_out_new(plan: Plan) -> list[Change[Any]]:
    """Take new rows out of a plan; return them.

    Who is cast in a shot that is there is a change of that shot, and stays. A row that stays and points at
    one that goes is a problem.
    """
    gone = {
        change.row.pk for change in plan.changes if change.new and not isinstance(change.row, ShotCharacter)
    }
    leaving = [change for change in plan.changes if _leaves(change, gone)]
    places = {(change.record.sheet, change.record.row) for change in leaving}
    out = {id(change) for change in leaving}
    plan.changes = [change for change in plan.changes if id(change) not in out]
    plan.problems = [
        problem
        for problem in plan.problems
        if not (isinstance(problem, CellProblem) and (problem.sheet, problem.row) in places)
    ]
    plan.new_presets = [used for used in plan.new_presets if used.shot_id not in gone]
    plan.presets_replaced = [key for key in plan.presets_replaced if key not in gone]
    plan.assignees = {key: users for key, users in plan.assignees.items() if key not in gone}
    for change in plan.changes:
        _tell_pointing(plan, change, gone)
    return leaving


def _leaves(change: Change[Any], gone: set[UUID]) -> bool:
    if isinstance(change.row, ShotCharacter):
        return change.row.shot_id in gone
    return change.new


def _tell_pointing(plan: Plan, change: Change[Any], gone: set[UUID]) -> None:
    for attribute, column in _POINTS.items():
        if getattr(change.row, attribute, None) in gone:
            told = _(
                "It is new, and only what is there is updated. Let new rows be created, or leave this out."
            )
            value = change.record.values.get(column, "")
            plan.problems.append(change.record.problem(column, value, told, code="new_left_out"))
