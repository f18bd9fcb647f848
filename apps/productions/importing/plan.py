"""Plan an import: every record beside its row in the database. Nothing is written here.

New rows get their UUID at once, so later records can point at them before any of them is saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.characters.models import Character, CharacterLora, Costume
from apps.productions.importing.changes import Change, Plan, compare
from apps.productions.importing.known import Known
from apps.productions.importing.plan_casting import plan_casting, worn
from apps.productions.importing.plan_looks import plan_look
from apps.productions.importing.plan_presets import plan_technical
from apps.productions.importing.plan_rules import refuse_broken_rules
from apps.productions.importing.plan_shots import plan_shots, pointed, refuse_locked, with_order
from apps.productions.importing.records import Record
from apps.productions.models import Episode, Location, Sequence
from apps.productions.services import EPISODES, SEQUENCES, order_of
from apps.projects.models import Project

Records = Mapping[str, list[Record]]
"""Sheet → its records. A sheet the workbook lacks is not in it."""


def plan_project(record: Record, code: str, existing: Project | None) -> Change[Project]:
    """Compare the Project sheet's one row; ``code`` may stand in for the sheet's own."""
    values = _without(record, "code", "fps")
    if "fps" in record.values:
        values["fps_num"], values["fps_den"] = record.values["fps"].as_integer_ratio()
    return compare(record, Project, existing, identity={"code": code}, values=values)


def plan_production(
    project: Change[Project], records: Records, known: Known, *, whole_casting: bool = True
) -> Plan:
    """Compare every record with the database. A plan with problems must not be applied.

    ``whole_casting``: what a Casting sheet does not name goes from the shots that the file lists.
    """
    plan = Plan(project, known.versions())
    for record in records.get("Episodes", []):
        _plan_episode(plan, record, known)
    for record in records.get("Sequences", []):
        _plan_sequence(plan, record, known)
    for record in records.get("Locations", []):
        _plan_location(plan, record, known)
    for record in records.get("Looks", []):
        plan_look(plan, record, known)
    characters = [_plan_character(plan, record, known) for record in records.get("Characters", [])]
    for record in records.get("Costumes", []):
        _plan_costume(plan, record, known)
    for character in characters:
        for attribute, value in worn(plan, character.record, "default_costume", character.row, known).items():
            character.set(attribute, value)
    for record in records.get("Loras", []):
        _plan_lora(plan, record, known)
    shots = plan_shots(plan, records.get("Shots", []), known)
    plan_technical(plan, records.get("Technical", []), known)
    if "Casting" in records:
        plan_casting(plan, records["Casting"], shots, known, whole=whole_casting)
    refuse_locked(plan, known)
    refuse_broken_rules(plan, known)
    return plan


def _plan_episode(plan: Plan, record: Record, known: Known) -> None:
    code = record.values["code"]
    existing = known.episodes.get(code)
    values = _without(record, "code")
    if values.get("order") is None and ("order" in values or existing is None):
        values["order"] = order_of(EPISODES, code)
    identity = {"project_id": known.project_id, "code": code}
    known.episodes[code] = plan.add(record, Episode, existing, identity=identity, values=values).row


def _plan_sequence(plan: Plan, record: Record, known: Known) -> None:
    code = record.values["code"]
    existing = known.sequences.get(code)
    values = with_order(_without(record, "code", "episode"), SEQUENCES, code, new=existing is None)
    values |= pointed(plan, record, "episode", known.episodes)
    identity = {"project_id": known.project_id, "code": code}
    known.sequences[code] = plan.add(record, Sequence, existing, identity=identity, values=values).row


def _plan_location(plan: Plan, record: Record, known: Known) -> None:
    code = record.values["code"]
    identity = {"project_id": known.project_id, "code": code}
    change = plan.add(
        record, Location, known.locations.get(code), identity=identity, values=_without(record, "code")
    )
    known.locations[code] = change.row


def _plan_character(plan: Plan, record: Record, known: Known) -> Change[Character]:
    code = record.values["code"]
    identity = {"project_id": known.project_id, "code": code}
    values = _without(record, "code", "default_costume")
    change = plan.add(record, Character, known.characters.get(code), identity=identity, values=values)
    known.characters[code] = change.row
    return change


def _plan_costume(plan: Plan, record: Record, known: Known) -> None:
    character = plan.find(record, "character", known.characters)
    if character is None:
        return
    name = record.values["name"]
    clothes = known.costumes[character.pk]
    change = plan.add(
        record,
        Costume,
        clothes.get(name),
        identity={"character_id": character.pk, "name": name},
        values=_without(record, "character", "name"),
    )
    clothes[name] = change.row


def _plan_lora(plan: Plan, record: Record, known: Known) -> None:
    character = plan.find(record, "character", known.characters)
    if character is None:
        return
    base_model, file = record.values["base_model"], record.values["file"]
    values = _without(record, "character", "base_model", "file")
    if "trigger_words" in values:
        values["trigger_words"] = list(values["trigger_words"])
    plan.add(
        record,
        CharacterLora,
        known.loras.get((character.pk, base_model, file)),
        identity={"character_id": character.pk, "base_model": base_model, "file": file},
        values=values,
    )


def _without(record: Record, *columns: str) -> dict[str, Any]:
    return {name: value for name, value in record.values.items() if name not in columns}
