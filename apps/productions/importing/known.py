"""What the farm knows of a project, in dictionaries: a dozen queries, whatever its size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from apps.characters.models import Character, CharacterLora, Costume
from apps.presets.models import CinematicPreset, Look, LookPreset, in_library
from apps.presets.rules import Rule
from apps.presets.selectors import rules_in
from apps.productions import states
from apps.productions.importing.cells import as_cell
from apps.productions.models import Episode, Location, Sequence, Shot, ShotCharacter, ShotPreset, ShotStatus
from apps.projects.models import Membership

_PROTOTYPE: Final = {
    "pending": states.READY,
    "queued": states.READY,
    "generating": states.IN_PROGRESS,
    "failed": states.IN_PROGRESS,
    "completed": states.REVIEW,
    "needs_revision": states.IN_PROGRESS,
}
"""What the farm's predecessor called them."""


@dataclass(frozen=True)
class Known:
    """Rows by the words a workbook uses for them. Planning adds its new rows: they can be pointed at."""

    project_id: UUID
    episodes: dict[str, Episode]
    sequences: dict[str, Sequence]
    locations: dict[str, Location]
    characters: dict[str, Character]
    costumes: dict[UUID, dict[str, Costume]]
    loras: dict[tuple[UUID, str, str], CharacterLora]
    shots: dict[str, Shot]
    castings: dict[UUID, dict[UUID, ShotCharacter]]
    shot_presets: dict[UUID, list[UUID]]
    presets: dict[str, list[CinematicPreset]]
    looks: dict[str, Look]
    looks_of_studio: frozenset[str]
    look_presets: dict[UUID, list[UUID]]
    assignees: dict[UUID, list[str]]
    members: dict[str, UUID]
    statuses: dict[str, ShotStatus]
    rules: tuple[Rule, ...]

    def versions(self) -> dict[UUID, int]:
        """At which version each row was read."""
        rows = (self.episodes, self.sequences, self.locations, self.looks, self.characters, self.shots)
        return {row.pk: row.row_version for some in rows for row in some.values()}

    def labels(self) -> dict[UUID, str]:
        """The words for what a row points at: locations, costumes, episodes, shots."""
        places = {row.pk: code for code, row in self.locations.items()}
        places |= {row.pk: code for code, row in self.episodes.items()}
        places |= {row.pk: code for code, row in self.shots.items()}
        clothes = {row.pk: name for worn in self.costumes.values() for name, row in worn.items()}
        return places | clothes

    @cached_property
    def places(self) -> Mapping[str, Location]:
        """Locations by their names in lower case, in either language; a name that two have says nothing.

        Asked when the workbook's own locations are planned.
        """
        called: dict[str, list[Location]] = defaultdict(list)
        for place in self.locations.values():
            for word in {place.name.casefold(), place.name_ko.casefold()} - {""}:
                called[word].append(place)
        return {word: places[0] for word, places in called.items() if len(places) == 1}

    @cached_property
    def preset_rows(self) -> dict[UUID, CinematicPreset]:
        """Every preset by its key."""
        return {preset.pk: preset for sharing in self.presets.values() for preset in sharing}

    @cached_property
    def preset_names(self) -> dict[UUID, str]:
        """What a cell calls each preset: its slug, or category/slug where two categories share one."""
        return {
            preset.pk: slug if len(sharing) == 1 else f"{preset.category.slug}/{slug}"
            for slug, sharing in self.presets.items()
            for preset in sharing
        }

    @cached_property
    def _called(self) -> dict[str, list[CinematicPreset]]:
        words: dict[str, list[CinematicPreset]] = defaultdict(list)
        for preset in self.preset_rows.values():
            for word in {preset.name.casefold(), preset.name_ko.casefold()} - {"", preset.slug}:
                words[word].append(preset)
        return words

    def called(self, word: str) -> list[CinematicPreset]:
        """The presets of this slug; where there are none, those of this name, in either language."""
        return self.presets.get(word) or self._called.get(word.casefold(), [])

    def slugs(self, category: str = "") -> list[str]:
        """The slugs there are, all or those of a category."""
        return [
            slug
            for slug, sharing in self.presets.items()
            if not category or any(preset.category.slug == category for preset in sharing)
        ]


def load(project_id: UUID) -> Known:
    """Read a project's planning data. A project that is not saved yet has none."""
    # First the rows whose versions are compared before anything is written, then their lists: what somebody
    # changes in between is at another version then.
    characters = list(Character.objects.filter(project_id=project_id))
    shots = list(Shot.objects.filter(project_id=project_id).select_related("sequence"))
    castings: dict[UUID, dict[UUID, ShotCharacter]] = defaultdict(dict)
    for casting in ShotCharacter.objects.filter(shot__project_id=project_id).order_by("shot", "order", "id"):
        castings[casting.shot_id][casting.character_id] = casting
    shot_presets: dict[UUID, list[UUID]] = defaultdict(list)
    used = ShotPreset.objects.filter(shot__project_id=project_id).order_by("shot", "order", "id")
    for shot_id, preset_id in used.values_list("shot_id", "preset_id").iterator():
        shot_presets[shot_id].append(preset_id)
    presets: dict[str, list[CinematicPreset]] = defaultdict(list)
    own_looks = LookPreset.objects.filter(look__project_id=project_id).order_by("look", "order", "id")
    look_presets: dict[UUID, list[UUID]] = defaultdict(list)
    for look_id, preset_id in own_looks.values_list("look_id", "preset_id"):
        look_presets[look_id].append(preset_id)
    looks = list(Look.objects.filter(Q(project_id=project_id) | Q(project=None)))
    needed = [Exists(rows.filter(preset=OuterRef("pk"))) for rows in (used, own_looks)]
    there = in_library(project_id) & (Q(archived=False) | needed[0] | needed[1])
    for preset in CinematicPreset.objects.filter(there).select_related("category"):
        presets[preset.slug].append(preset)
    costumes: dict[UUID, dict[str, Costume]] = defaultdict(dict)
    for costume in Costume.objects.filter(character__project_id=project_id):
        costumes[costume.character_id][as_cell(costume.name)] = costume
    loras = CharacterLora.objects.filter(character__project_id=project_id)
    assignees: dict[UUID, list[str]] = defaultdict(list)
    given = Shot.assignees.through.objects.filter(shot__project_id=project_id).order_by("user__username")
    for shot_id, username in given.values_list("shot_id", "user__username").iterator():
        assignees[shot_id].append(username)
    members = Membership.objects.filter(project_id=project_id)
    return Known(
        project_id=project_id,
        episodes={row.code: row for row in Episode.objects.filter(project_id=project_id)},
        sequences={row.code: row for row in Sequence.objects.filter(project_id=project_id)},
        locations={row.code: row for row in Location.objects.filter(project_id=project_id)},
        characters={row.code: row for row in characters},
        costumes=costumes,
        loras={(row.character_id, as_cell(row.base_model), row.file): row for row in loras},
        shots={row.full_code: row for row in shots},
        castings=castings,
        shot_presets=shot_presets,
        presets=presets,
        looks={row.slug: row for row in looks if row.project_id is not None},
        looks_of_studio=frozenset(row.slug for row in looks if row.project_id is None),
        look_presets=look_presets,
        assignees=assignees,
        members=dict(members.values_list("user__username", "user_id")),
        statuses=_status_words(),
        rules=rules_in([project_id])[project_id],
    )


def _status_words() -> dict[str, ShotStatus]:
    """What people call the statuses, in either language, in lower case: word → status."""
    rows = {row.slug: row for row in ShotStatus.objects.all()}
    words = {word: rows[slug] for word, slug in _PROTOTYPE.items() if slug in rows}
    for row in rows.values():
        for word in (row.name_ko, row.name):
            words[word.casefold()] = row
    return words | rows
