"""Plan the shots: what they show, where, with which presets, and who is cast.

The workbook states the whole casting and all presets of the shots it lists: what it no longer has, goes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.characters.models import Character
from apps.common.errors import Problem
from apps.common.numbering import Numbering
from apps.presets.models import CinematicPreset
from apps.presets.rules import LookFacts, broken
from apps.presets.selectors import chosen
from apps.productions import states
from apps.productions.importing.changes import Change, Plan, unknown
from apps.productions.importing.known import Known
from apps.productions.importing.records import Record
from apps.productions.models import Sequence, Shot, ShotCharacter, ShotPreset
from apps.productions.preset_facts import refusals
from apps.productions.services import SHOTS, order_of

_POINTING = frozenset({"sequence", "code", "location", "presets"})


def plan_shots(plan: Plan, records: Iterable[Record], known: Known) -> list[Shot]:
    """Plan the Shots sheet; return the shots it lists. A new shot is born ready: its row describes it."""
    return [shot for record in records if (shot := _plan_shot(plan, record, known)) is not None]


def plan_casting(plan: Plan, records: Iterable[Record], shots: Iterable[Shot], known: Known) -> None:
    """Plan the Casting sheet: the whole casting of the listed shots and of those it names."""
    cast: dict[UUID, list[UUID]] = defaultdict(list)
    for shot in shots:
        cast[shot.pk] = []
    for record in records:
        cast_in = plan.find(record, "shot", known.shots)
        character = plan.find(record, "character", known.characters)
        if cast_in is None or character is None:
            continue
        values = {name: record.values[name] for name in ("action", "action_ko") if name in record.values}
        values |= worn(plan, record, "costume", character, known)
        values["order"] = len(cast[cast_in.pk])
        if "lora_weight" in record.values:
            values["lora_weight"] = record.values["lora_weight"]
        existing = known.castings[cast_in.pk].get(character.pk)
        identity = {"shot_id": cast_in.pk, "character_id": character.pk}
        plan.add(record, ShotCharacter, existing, identity=identity, values=values)
        cast[cast_in.pk].append(character.pk)
    for shot_id, wanted in cast.items():
        there = known.castings[shot_id]
        plan.castings_gone += [casting for key, casting in there.items() if key not in wanted]


def worn(plan: Plan, record: Record, column: str, character: Character, known: Known) -> dict[str, Any]:
    """Resolve a costume cell to ``{"<column>_id": …}``; nothing if the workbook lacks the column."""
    if column not in record.values:
        return {}
    if record.values[column] is None:
        return {f"{column}_id": None}
    costume = plan.find(record, column, known.costumes[character.pk])
    return {} if costume is None else {f"{column}_id": costume.pk}


def with_order(values: dict[str, Any], numbering: Numbering, code: str, *, new: bool) -> dict[str, Any]:
    """Fill an empty ``order`` with the code's number; an absent one only for a new row."""
    if values.get("order") is None and ("order" in values or new):
        values["order"] = order_of(numbering, code)
    return values


def _plan_shot(plan: Plan, record: Record, known: Known) -> Shot | None:
    sequence = plan.find(record, "sequence", known.sequences)
    if sequence is None:
        return None
    code = record.values["code"]
    full_code = f"{sequence.code}_{code}"
    existing = known.shots.get(full_code)
    values = {name: value for name, value in record.values.items() if name not in _POINTING}
    values = with_order(values, SHOTS, code, new=existing is None)
    if record.values.get("location") is not None:
        location = plan.find(record, "location", known.locations)
        values["location_id"] = location.pk if location else None
    elif "location" in record.values:
        values["location_id"] = None
    identity = {
        "project_id": known.project_id,
        "sequence_id": sequence.pk,
        "code": code,
        "status_id": states.READY,
    }
    change = plan.add(record, Shot, existing, identity=identity, values=values)
    known.shots[full_code] = change.row
    if "presets" in record.values:
        presets = _plan_presets(plan, change, known)
    else:
        presets = [known.preset_rows[key] for key in known.shot_presets.get(change.row.pk, [])]
    if change.new or change.changed:
        plan.problems += _refused_by_rules(plan, change, sequence, presets, known)
    return change.row


def _refused_by_rules(
    plan: Plan, change: Change[Shot], sequence: Sequence, presets: list[CinematicPreset], known: Known
) -> list[Problem]:
    """What hard preset rules say against a shot as it is planned, unless it holds a reason already."""
    shot = change.row
    places = [place.setting for place in known.locations.values() if place.pk == shot.location_id]
    year = sequence.period_year if sequence.period_year is not None else plan.project.row.period_year
    facts = LookFacts(
        presets=chosen(presets),
        weather=shot.weather,
        time_of_day=shot.time_of_day,
        setting=places[0] if places else "",
        year=year,
    )
    column = "presets" if "presets" in change.record.letters else next(iter(change.record.letters))
    return [
        change.record.problem(column, told.value, str(told.message), code=told.code)
        for told in refusals(broken(known.rules, facts), shot.preset_override)
    ]


def _plan_presets(plan: Plan, change: Change[Shot], known: Known) -> list[CinematicPreset]:
    wanted = _presets(plan, change.record, known)
    there = known.shot_presets.get(change.row.pk, [])
    if there == [preset.pk for preset in wanted]:
        return wanted
    change.presets = ([known.preset_rows[key].slug for key in there], [preset.slug for preset in wanted])
    plan.presets_replaced.append(change.row.pk)
    plan.new_presets += [
        ShotPreset(shot_id=change.row.pk, preset=preset, order=order) for order, preset in enumerate(wanted)
    ]
    return wanted


def _presets(plan: Plan, record: Record, known: Known) -> list[CinematicPreset]:
    """Find the presets a cell names: ``wide-shot``, or ``shot_size/wide-shot`` where two share a slug."""
    found: dict[UUID, CinematicPreset] = {}
    exclusive: dict[UUID, CinematicPreset] = {}
    for name in record.values["presets"]:
        category, _slash, slug = name.rpartition("/")
        offered = [
            preset
            for preset in known.presets.get(slug, [])
            if not category or preset.category.slug == category
        ]
        if len(offered) != 1:
            told = (
                _("Several categories have it. Write one of: %s.")
                % ", ".join(f"{preset.category.slug}/{slug}" for preset in offered)
                if offered
                else unknown(slug, known.presets)
            )
            plan.problems.append(record.problem("presets", name, told, code="unknown_preset"))
            continue
        preset = offered[0]
        found[preset.pk] = preset
        rival = exclusive.setdefault(preset.category_id, preset) if preset.category.exclusive else preset
        if rival.pk != preset.pk:
            told = _("“%(first)s” is already there, and of %(category)s a shot takes one. Keep one.") % {
                "first": rival.slug,
                "category": preset.category.slug,
            }
            plan.problems.append(record.problem("presets", name, told, code="exclusive_preset"))
    return list(found.values())
