"""Plan a shot's presets: all of them in one cell, or a column for each category."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.utils.translation import gettext as _

from apps.presets.models import CinematicPreset
from apps.productions.importing.changes import Change, Plan, unknown
from apps.productions.importing.known import Known
from apps.productions.importing.records import Record
from apps.productions.models import Shot, ShotPreset


def plan_presets(plan: Plan, change: Change[Shot], known: Known) -> None:
    """Plan the ``presets`` cell: all presets of the shot, in order."""
    record = change.record
    wanted = presets_named(plan, record, [("presets", name, "") for name in record.values["presets"]], known)
    _replace(plan, change, "presets", wanted, known)


def plan_technical(plan: Plan, records: Iterable[Record], known: Known) -> None:
    """Plan a sheet with a column for each category: what those hold, whatever else the shot uses."""
    changes = {change.row.pk: change for change in plan.changes if isinstance(change.row, Shot)}
    for record in records:
        shot = plan.find(record, "shot", known.shots)
        if shot is None:
            continue
        change = changes.get(shot.pk)
        if change is None:
            change = plan.add(record, Shot, shot, identity={}, values={})
        told = {name: names for name, names in record.values.items() if name != "shot"}
        there = [known.preset_rows[key] for key in known.shot_presets.get(shot.pk, [])]
        kept = [preset for preset in there if preset.category.slug not in told]
        asked = [(category, name, category) for category, names in told.items() for name in names]
        wanted = presets_named(plan, record, asked, known, beside=kept)
        by_category: dict[str, list[CinematicPreset]] = {}
        for preset in wanted:
            by_category.setdefault(preset.category.slug, []).append(preset)
        merged: list[CinematicPreset] = []
        for preset in there:  # where a category has presets already, its new ones take their place
            slug = preset.category.slug
            merged += [preset] if slug not in told else by_category.pop(slug, [])
        merged += [preset for presets in by_category.values() for preset in presets]
        for category in told:
            _say(change, category, [one for one in there if one.category.slug == category], merged)
        _write(plan, shot.pk, merged, known)


def _say(
    change: Change[Shot], category: str, there: list[CinematicPreset], wanted: list[CinematicPreset]
) -> None:
    after = [preset for preset in wanted if preset.category.slug == category]
    if [one.pk for one in there] != [one.pk for one in after]:
        change.said[category] = (listed(there), listed(after))


def listed(presets: Iterable[CinematicPreset]) -> str:
    """Their slugs, as a cell holds them."""
    return ", ".join(preset.slug for preset in presets)


def _replace(
    plan: Plan, change: Change[Shot], column: str, wanted: list[CinematicPreset], known: Known
) -> None:
    there = known.shot_presets.get(change.row.pk, [])
    if there == [preset.pk for preset in wanted]:
        return
    change.said[column] = (listed(known.preset_rows[key] for key in there), listed(wanted))
    _write(plan, change.row.pk, wanted, known)


def _write(plan: Plan, shot_id: UUID, wanted: list[CinematicPreset], known: Known) -> None:
    if known.shot_presets.get(shot_id, []) == [preset.pk for preset in wanted]:
        return
    plan.presets_replaced.append(shot_id)
    plan.new_presets += [
        ShotPreset(shot_id=shot_id, preset=preset, order=order) for order, preset in enumerate(wanted)
    ]
    known.shot_presets[shot_id] = [preset.pk for preset in wanted]


def presets_named(
    plan: Plan,
    record: Record,
    asked: Iterable[tuple[str, str, str]],
    known: Known,
    *,
    beside: Iterable[CinematicPreset] = (),
) -> list[CinematicPreset]:
    """Find what cells name, (column, name, category) each: ``wide-shot``, or ``shot_size/wide-shot`` where
    two share a slug, or the preset's name in either language.
    """
    found: dict[UUID, CinematicPreset] = {}
    exclusive = {preset.category_id: preset for preset in beside if preset.category.exclusive}
    for column, name, wanted in asked:
        category, _slash, word = name.rpartition("/")
        offered = [
            preset for preset in known.called(word) if (category or wanted) in ("", preset.category.slug)
        ]
        if len(offered) != 1:
            told = (
                _("Several categories have it. Write one of: %s.")
                % ", ".join(f"{preset.category.slug}/{preset.slug}" for preset in offered)
                if offered
                else unknown(word, known.slugs(category or wanted))
            )
            plan.problems.append(record.problem(column, name, told, code="unknown_preset"))
            continue
        preset = offered[0]
        found[preset.pk] = preset
        rival = exclusive.setdefault(preset.category_id, preset) if preset.category.exclusive else preset
        if rival.pk != preset.pk:
            told = _("“%(first)s” is already there, and of %(category)s a shot takes one. Keep one.") % {
                "first": rival.slug,
                "category": preset.category.slug,
            }
            plan.problems.append(record.problem(column, name, told, code="exclusive_preset"))
    return list(found.values())
