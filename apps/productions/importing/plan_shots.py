"""Plan the shots: what they show, where, with which presets, in which status, and who works on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from apps.common.errors import Problem
from apps.common.numbering import Numbering
from apps.productions import states
from apps.productions.importing.changes import Change, Plan, StatusMove, unknown
from apps.productions.importing.known import Known
from apps.productions.importing.plan_presets import plan_presets
from apps.productions.importing.records import Record
from apps.productions.models import Shot, ShotCharacter
from apps.productions.services import SHOTS, order_of

_OTHERWISE = frozenset(
    {"sequence", "code", "location", "presets", "status", "assignees", "continuity_from", "locked", "retakes"}
)


def plan_shots(plan: Plan, records: Iterable[Record], known: Known) -> list[Shot]:
    """Plan the Shots sheet; return the shots it lists. A new shot is born ready: its row describes it."""
    planned = [change for record in records if (change := _plan_shot(plan, record, known)) is not None]
    for change in planned:  # a shot may continue one that stands further down
        for attribute, value in pointed(plan, change.record, "continuity_from", known.shots).items():
            change.set(attribute, value)
    _refuse_circles(plan, planned, known)
    return [change.row for change in planned]


def pointed(
    plan: Plan,
    record: Record,
    column: str,
    rows: Mapping[str, Model],
    called: Mapping[str, Model] = MappingProxyType({}),
) -> dict[str, Any]:
    """Resolve a cell that names another row to ``{"<column>_id": …}``; nothing without the column.

    ``called``: rows by what else people call them, in lower case.
    """
    if column not in record.values:
        return {}
    if record.values[column] is None:
        return {f"{column}_id": None}
    row = called.get(record.values[column].casefold()) if record.values[column] not in rows else None
    row = row or plan.find(record, column, rows)
    return {} if row is None else {f"{column}_id": row.pk}


def with_order(values: dict[str, Any], numbering: Numbering, code: str, *, new: bool) -> dict[str, Any]:
    """Fill an empty ``order`` with the code's number; an absent one only for a new row."""
    if values.get("order") is None and ("order" in values or new):
        values["order"] = order_of(numbering, code)
    return values


def _plan_shot(plan: Plan, record: Record, known: Known) -> Change[Shot] | None:
    sequence = plan.find(record, "sequence", known.sequences)
    if sequence is None:
        return None
    code = record.values["code"]
    full_code = f"{sequence.code}_{code}"
    existing = known.shots.get(full_code)
    values = {name: value for name, value in record.values.items() if name not in _OTHERWISE}
    values = with_order(values, SHOTS, code, new=existing is None)
    values |= pointed(plan, record, "location", known.locations, known.places)
    identity = {
        "project_id": known.project_id,
        "sequence_id": sequence.pk,
        "code": code,
        "status_id": states.READY,
    }
    change = plan.add(record, Shot, existing, identity=identity, values=values)
    known.shots[full_code] = change.row
    if record.values.get("status"):
        _plan_status(plan, change, known)
    if "presets" in record.values:
        plan_presets(plan, change, known)
    if "assignees" in record.values:
        _plan_assignees(plan, change, known)
    return change


def _plan_status(plan: Plan, change: Change[Shot], known: Known) -> None:
    word, row = change.record.values["status"], change.row
    now = "" if change.new else str(row.status_id)
    shown = "" if change.new else row.studio_status_id or now
    to = known.statuses.get(word.casefold())
    if to is None:
        told = unknown(word, {status.slug for status in known.statuses.values() if not status.archived})
        plan.problems.append(change.record.problem("status", word, told, code="unknown_status"))
    elif to.slug == shown:
        return
    elif to.state != now and to.state not in states.SHOT.moves[now]:
        offered = ", ".join(sorted(states.SHOT.moves[now]))
        told = (
            _("From “%(now)s” a shot may go to: %(offered)s.") % {"now": shown, "offered": offered}
            if now
            else _("A new shot begins as: %s.") % offered
        )
        plan.problems.append(change.record.problem("status", to.slug, told, code="illegal_move"))
    elif change.new:
        row.status_id, row.studio_status_id = to.state, None if to.is_own else to.slug
    else:
        change.said["status"] = (shown, to.slug)
        plan.moves.append(StatusMove(row, to))


def _plan_assignees(plan: Plan, change: Change[Shot], known: Known) -> None:
    wanted = change.record.values["assignees"]
    there = known.assignees.get(change.row.pk, [])
    if sorted(wanted) == there:
        return
    for name in wanted:
        if name not in known.members:
            told = unknown(name, known.members)
            plan.problems.append(change.record.problem("assignees", name, told, code="unknown_member"))
            return
    change.said["assignees"] = (", ".join(there), ", ".join(wanted))
    plan.assignees[change.row.pk] = [known.members[name] for name in wanted]


def _refuse_circles(plan: Plan, planned: Iterable[Change[Shot]], known: Known) -> None:
    """A shot that would continue itself, over however many others, is told."""
    follows = {shot.pk: shot.continuity_from_id for shot in known.shots.values()}
    for change in planned:
        if "continuity_from_id" not in change.before and not (change.new and change.row.continuity_from_id):
            continue
        seen, at = {change.row.pk}, change.row.continuity_from_id
        while at is not None and at not in seen:
            seen.add(at)
            at = follows.get(at)
        if at is not None:
            told = _("The shots would continue one another in a circle. Begin with one that continues none.")
            value = change.record.values["continuity_from"]
            plan.problems.append(change.record.problem("continuity_from", value, told, code="circle"))


def refuse_locked(plan: Plan, known: Known) -> None:
    """Name the locked shots that would change, themselves or in their casting."""
    locked = {shot.pk: shot for shot in known.shots.values() if shot.locked_by}
    if not locked:
        return
    for change in plan.changes:
        if not (change.new or change.changed):
            continue
        key = change.row.shot_id if isinstance(change.row, ShotCharacter) else change.row.pk
        if (shot := locked.get(key)) is not None:
            _tell_locked(plan, change.record, shot)
    for casting in plan.castings_gone:
        if (shot := locked.get(casting.shot_id)) is not None:
            told = _("%(who)s locked this shot. Unlock it, or leave its rows out.") % {"who": shot.locked_by}
            plan.problems.append(Problem("Casting", shot.full_code, told, "locked"))


def _tell_locked(plan: Plan, record: Record, shot: Shot) -> None:
    told = _("%(who)s locked this shot. Unlock it, or leave its rows out.") % {"who": shot.locked_by}
    column = "shot" if "shot" in record.values else "code"
    plan.problems.append(record.problem(column, shot.full_code, told, code="locked"))
