"""What the farm knows of a project, in dictionaries: nine queries, whatever its size."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from apps.characters.models import Character, CharacterLora, Costume
from apps.presets.models import CinematicPreset, in_library
from apps.presets.rules import Rule
from apps.presets.selectors import rules_in
from apps.productions.models import Location, Sequence, Shot, ShotCharacter, ShotPreset


@dataclass(frozen=True)
class Known:
    """Rows by the words a workbook uses for them. Planning adds its new rows: they can be pointed at."""

    project_id: UUID
    sequences: dict[str, Sequence]
    locations: dict[str, Location]
    characters: dict[str, Character]
    costumes: dict[UUID, dict[str, Costume]]
    loras: dict[tuple[UUID, str, str], CharacterLora]
    shots: dict[str, Shot]
    castings: dict[UUID, dict[UUID, ShotCharacter]]
    shot_presets: dict[UUID, list[UUID]]
    presets: dict[str, list[CinematicPreset]]
    preset_rows: dict[UUID, CinematicPreset]
    rules: tuple[Rule, ...]

    def labels(self) -> dict[UUID, str]:
        """The words for the locations and costumes that a row points at."""
        places = {row.pk: code for code, row in self.locations.items()}
        clothes = {row.pk: name for worn in self.costumes.values() for name, row in worn.items()}
        return places | clothes


def load(project_id: UUID) -> Known:
    """Read a project's planning data. A project that is not saved yet has none."""
    characters = Character.objects.filter(project_id=project_id)
    castings: dict[UUID, dict[UUID, ShotCharacter]] = defaultdict(dict)
    for casting in ShotCharacter.objects.filter(shot__project_id=project_id).order_by("shot", "order", "id"):
        castings[casting.shot_id][casting.character_id] = casting
    shot_presets: dict[UUID, list[UUID]] = defaultdict(list)
    used = ShotPreset.objects.filter(shot__project_id=project_id).order_by("shot", "order", "id")
    for shot_id, preset_id in used.values_list("shot_id", "preset_id").iterator():
        shot_presets[shot_id].append(preset_id)
    presets: dict[str, list[CinematicPreset]] = defaultdict(list)
    there = in_library(project_id) & (Q(archived=False) | Exists(used.filter(preset=OuterRef("pk"))))
    for preset in CinematicPreset.objects.filter(there).select_related("category"):
        presets[preset.slug].append(preset)
    shots = Shot.objects.filter(project_id=project_id).select_related("sequence")
    costumes: dict[UUID, dict[str, Costume]] = defaultdict(dict)
    for costume in Costume.objects.filter(character__project_id=project_id):
        costumes[costume.character_id][costume.name] = costume
    loras = CharacterLora.objects.filter(character__project_id=project_id)
    return Known(
        project_id=project_id,
        sequences={row.code: row for row in Sequence.objects.filter(project_id=project_id)},
        locations={row.code: row for row in Location.objects.filter(project_id=project_id)},
        characters={row.code: row for row in characters},
        costumes=costumes,
        loras={(row.character_id, row.base_model, row.file): row for row in loras},
        shots={row.full_code: row for row in shots},
        castings=castings,
        shot_presets=shot_presets,
        presets=presets,
        preset_rows={preset.pk: preset for sharing in presets.values() for preset in sharing},
        rules=rules_in([project_id])[project_id],
    )
