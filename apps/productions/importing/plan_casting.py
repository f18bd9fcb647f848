"""Plan the casting: who is in which shot, doing what, wearing what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from apps.characters.models import Character
from apps.productions.importing.changes import Change, Plan
from apps.productions.importing.known import Known
from apps.productions.importing.records import Record
from apps.productions.models import Shot, ShotCharacter

_TAKEN = ("action", "action_ko", "costume_override", "costume_override_ko", "lora_weight")


def plan_casting(
    plan: Plan, records: Iterable[Record], shots: Iterable[Shot], known: Known, *, whole: bool = True
) -> None:
    """Plan the Casting sheet: the whole casting of the listed shots and of those it names.

    Not ``whole``: what it does not name stays.
    """
    cast: dict[UUID, list[Change[ShotCharacter]]] = defaultdict(list)
    for shot in shots:
        cast[shot.pk] = []
    for record in records:
        cast_in = plan.find(record, "shot", known.shots)
        character = plan.find(record, "character", known.characters)
        if cast_in is None or character is None:
            continue
        values = {name: record.values[name] for name in _TAKEN if name in record.values}
        values |= worn(plan, record, "costume", character, known)
        existing = known.castings[cast_in.pk].get(character.pk)
        identity = {"shot_id": cast_in.pk, "character_id": character.pk}
        cast[cast_in.pk].append(plan.add(record, ShotCharacter, existing, identity=identity, values=values))
    for shot_id, wanted in cast.items():
        there = known.castings[shot_id]
        _order(wanted, there)
        if whole:
            named = {change.row.character_id for change in wanted}
            plan.castings_gone += [casting for key, casting in there.items() if key not in named]


def _order(wanted: list[Change[ShotCharacter]], there: dict[UUID, ShotCharacter]) -> None:
    """Number the cast as the sheet lists it; numbers that say the same already stay as they are."""
    listed = [change.row.character_id for change in wanted if not change.new]
    kept = [key for key in there if key in set(listed)]
    new_ones_last = [change.new for change in wanted] == sorted(change.new for change in wanted)
    if listed == kept and new_ones_last:
        after = max((casting.order for casting in there.values()), default=-1) + 1
        for order, change in enumerate((change for change in wanted if change.new), start=after):
            change.set("order", order)
        return
    for order, change in enumerate(wanted):
        change.set("order", order)


def worn(plan: Plan, record: Record, column: str, character: Character, known: Known) -> dict[str, Any]:
    """Resolve a costume cell to ``{"<column>_id": …}``; nothing if the workbook lacks the column."""
    if column not in record.values:
        return {}
    if record.values[column] is None:
        return {f"{column}_id": None}
    costume = plan.find(record, column, known.costumes[character.pk])
    return {} if costume is None else {f"{column}_id": costume.pk}
