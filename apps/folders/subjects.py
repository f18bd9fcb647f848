"""What folders and records are about: rows of a project with the values of their paths and the facts of their
records, a few queries for many rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from apps.characters.models import Character
from apps.folders.language.fields import Value
from apps.folders.models import Publication
from apps.folders.states import Published
from apps.productions.models import Location, Sequence, Shot
from apps.projects.models import Project

AT_ONCE: Final = 500
"""Rows whose facts are read together."""


@dataclass(frozen=True)
class Subject:
    """One thing that has folders. ``facts`` go into its record."""

    kind: str
    row: UUID
    label: str
    values: Mapping[str, Value | None]
    facts: dict[str, Any]


def of_project(project: Project) -> Iterator[Subject]:
    """The project itself, its characters, its locations, its sequences; shots are of_shots."""
    yield Subject("project", project.pk, project.code, {"project": project.code}, _project_facts(project))
    characters = Character.objects.filter(project=project, archived=False).order_by("code")
    for character in characters.prefetch_related("costumes", "loras").iterator(AT_ONCE):
        values = {"project": project.code, "character": character.code}
        yield Subject("character", character.pk, character.code, values, _character_facts(project, character))
    for place in Location.objects.filter(project=project).order_by("code").iterator(AT_ONCE):
        values = {"project": project.code, "location": place.code}
        facts = {"project": project.code, "code": place.code, "name": place.name, "name_ko": place.name_ko}
        yield Subject("location", place.pk, place.code, values, facts)
    sequences = Sequence.objects.filter(project=project).select_related("episode").order_by("order", "code")
    episodes: set[UUID] = set()
    for sequence in sequences.iterator(AT_ONCE):
        episode = sequence.episode
        if episode is not None and episode.pk not in episodes:
            episodes.add(episode.pk)
            values = {"project": project.code, "episode": episode.code}
            facts = {"project": project.code, "code": episode.code, "name": episode.name}
            yield Subject("episode", episode.pk, episode.code, values, facts)
        yield Subject(
            "sequence",
            sequence.pk,
            sequence.code,
            _values(project, sequence),
            _sequence_facts(project, sequence),
        )


def of_shots(project: Project, shots: QuerySet[Shot]) -> Iterator[list[Subject]]:
    """Shots in the film's order, so many at once."""
    keys = list(
        shots.order_by("sequence__order", "sequence__code", "order", "code").values_list("pk", flat=True)
    )
    for start in range(0, len(keys), AT_ONCE):
        yield _shots(project, keys[start : start + AT_ONCE])


def values_of(shot: Shot) -> dict[str, Value | None]:
    """The values of a shot's paths. Its sequence, with its episode, and its project should be at hand."""
    return {**_values(shot.project, shot.sequence), "shot": shot.code}


def _shots(project: Project, keys: list[UUID]) -> list[Subject]:
    rows = Shot.objects.filter(pk__in=keys).select_related("sequence__episode", "location")
    rows = rows.prefetch_related("casting__character", "casting__costume", "shot_presets__preset__category")
    known = {row.pk: row for row in rows}
    files = _published(keys)
    return [
        Subject(
            "shot",
            key,
            known[key].full_code,
            {**_values(project, known[key].sequence), "shot": known[key].code},
            _shot_facts(project, known[key], files[key]),
        )
        for key in keys
        if key in known
    ]


def _published(shots: Iterable[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    files: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    rows = Publication.objects.filter(shot__in=list(shots), state=Published.PUBLISHED).order_by("path")
    for shot, stage, version, path, sha256 in rows.values_list("shot", "stage", "version", "path", "sha256"):
        files[shot].append({"stage": stage, "version": version, "path": path, "sha256": sha256})
    return files


def _values(project: Project, sequence: Sequence) -> dict[str, Value | None]:
    episode = sequence.episode.code if sequence.episode else None
    return {"project": project.code, "episode": episode, "sequence": sequence.code}


def _project_facts(project: Project) -> dict[str, Any]:
    return {
        "code": project.code,
        "name": project.name,
        "name_ko": project.name_ko,
        "description": project.description,
        "fps": f"{project.frame_rate.numerator}/{project.frame_rate.denominator}",
        "width": project.width,
        "height": project.height,
        "frame_start": project.frame_start,
        "start_timecode": project.start_timecode,
    }


def _sequence_facts(project: Project, sequence: Sequence) -> dict[str, Any]:
    return {
        "project": project.code,
        "episode": sequence.episode.code if sequence.episode else None,
        "code": sequence.code,
        "name": sequence.name,
        "name_ko": sequence.name_ko,
    }


def _character_facts(project: Project, character: Character) -> dict[str, Any]:
    return {
        "project": project.code,
        "code": character.code,
        "name": character.name,
        "name_ko": character.name_ko,
        "description": character.description,
        "use_lora": character.use_lora,
        "costumes": [costume.name for costume in character.costumes.all()],
        "loras": [
            {
                "base_model": lora.base_model,
                "file": lora.file,
                "weight": lora.weight,
                "trigger_words": lora.trigger_words,
            }
            for lora in character.loras.all()
        ],
    }


def _shot_facts(project: Project, shot: Shot, files: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "project": project.code,
        "episode": shot.sequence.episode.code if shot.sequence.episode else None,
        "sequence": shot.sequence.code,
        "code": shot.code,
        "full_code": shot.full_code,
        "description": shot.description,
        "description_ko": shot.description_ko,
        "dialogue": shot.dialogue,
        "frames": shot.frames,
        "handles": shot.handles,
        "location": shot.location.code if shot.location else None,
        "weather": shot.weather,
        "time_of_day": shot.time_of_day,
        "seed": shot.seed,
        "casting": [
            {
                "character": cast.character.code,
                "action": cast.action,
                "costume": cast.costume.name if cast.costume else cast.costume_override,
            }
            for cast in shot.casting.all()
        ],
        "presets": [f"{used.preset.category.slug}/{used.preset.slug}" for used in shot.shot_presets.all()],
        "published": files,
    }
