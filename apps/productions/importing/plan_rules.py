"""Hold the rules for presets against the shots as they are planned."""

from __future__ import annotations

from typing import Final

from apps.presets.rules import LookFacts, broken
from apps.presets.selectors import chosen
from apps.productions.importing.changes import Change, Plan
from apps.productions.importing.known import Known
from apps.productions.models import Shot
from apps.productions.preset_facts import refusals

_RULED: Final = frozenset({"weather", "time_of_day", "location_id", "preset_override"})


def refuse_broken_rules(plan: Plan, known: Known) -> None:
    """Name the shots whose change would break a hard rule, and which rule, unless they hold a reason."""
    replaced = set(plan.presets_replaced)
    years = {row.pk: row.period_year for row in known.sequences.values()}
    settings = {row.pk: row.setting for row in known.locations.values()}
    for change in plan.changes:
        shot = change.row
        if not isinstance(shot, Shot):
            continue
        if not (change.new or shot.pk in replaced or _RULED & change.before.keys()):
            continue
        year = years.get(shot.sequence_id)
        facts = LookFacts(
            presets=chosen(known.preset_rows[key] for key in known.shot_presets.get(shot.pk, [])),
            weather=shot.weather,
            time_of_day=shot.time_of_day,
            setting=settings.get(shot.location_id, "") if shot.location_id else "",
            year=year if year is not None else plan.project.row.period_year,
        )
        _refuse(plan, change, facts, known)


def _refuse(plan: Plan, change: Change[Shot], facts: LookFacts, known: Known) -> None:
    told_of = change.record.values
    column = "presets" if "presets" in told_of else next(iter(told_of))
    for told in refusals(broken(known.rules, facts), change.row.preset_override):
        plan.problems.append(change.record.problem(column, told.value, str(told.message), code=told.code))
