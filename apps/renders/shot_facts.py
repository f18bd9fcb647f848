"""What the recommendation rules are held against, read for many shots at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from apps.productions.models import Shot, ShotCharacter, ShotPreset
from apps.renders.services.shot_values import shot_length
from apps.review.models import Take
from apps.review.states import Media, Review
from apps.workflows.models import Kind
from apps.workflows.recommending import Said, ShotFacts

CAMERA_MOVES: Final = "camera_movement"
"""The preset category that says how the camera moves."""


def facts_of(shots: Sequence[Shot]) -> dict[UUID, ShotFacts]:
    """Read descriptions, casting actions, takes, presets and neighbours: a constant number of queries.

    Shots come with their project at hand.
    """
    keys = [shot.pk for shot in shots]
    cast, moves = _cast(keys), _camera_moves(keys)
    before = _shots_before(shots)
    keyframes = with_takes(keys, Kind.KEYFRAME)
    clips = with_takes(before.values(), Kind.CLIP)
    return {
        shot.pk: ShotFacts(
            said=[*_described(shot), *(said for row in cast[shot.pk] for said in _acted(row))],
            characters=len(cast[shot.pk]),
            keyframe=shot.pk in keyframes,
            previous_clip=before.get(shot.pk) in clips,
            dialogue=bool(shot.dialogue.strip()),
            seconds=float(shot_length(shot).seconds),
            camera_moves=frozenset(moves[shot.pk]),
        )
        for shot in shots
    }


def _described(shot: Shot) -> list[Said]:
    texts = (shot.description, shot.description_ko)
    return [Said("description", text) for text in texts if text.strip()]


def _acted(row: ShotCharacter) -> list[Said]:
    texts = (row.action, row.action_ko)
    return [Said("action", text, row.character.name) for text in texts if text.strip()]


def _cast(keys: Sequence[UUID]) -> dict[UUID, list[ShotCharacter]]:
    cast: dict[UUID, list[ShotCharacter]] = defaultdict(list)
    for row in ShotCharacter.objects.filter(shot__in=keys).select_related("character").order_by("order"):
        cast[row.shot_id].append(row)
    return cast


def _camera_moves(keys: Sequence[UUID]) -> dict[UUID, set[str]]:
    moves: dict[UUID, set[str]] = defaultdict(set)
    rows = ShotPreset.objects.filter(shot__in=keys, preset__category__slug=CAMERA_MOVES)
    for shot, slug in rows.values_list("shot", "preset__slug"):
        moves[shot].add(slug)
    return moves


def _shots_before(shots: Sequence[Shot]) -> dict[UUID, UUID]:
    """Each shot's neighbour before it in its sequence, by id."""
    before: dict[UUID, UUID] = {}
    last: tuple[UUID, UUID] | None = None
    rows = Shot.objects.filter(sequence__in={shot.sequence_id for shot in shots})
    for key, sequence in rows.order_by("sequence", "order", "code").values_list("pk", "sequence"):
        if last is not None and last[1] == sequence:
            before[key] = last[0]
        last = (key, sequence)
    return {shot.pk: before[shot.pk] for shot in shots if shot.pk in before}


def with_takes(keys: Iterable[UUID], kind: Kind) -> set[UUID]:
    """Shots that have a take of a kind that nobody turned down and that can be shown."""
    takes = Take.objects.filter(
        shot__in=list(keys),
        kind=kind,
        media_state__in=(Media.READY, Media.PROCESSING),
        review_state__in=(Review.PENDING, Review.APPROVED),
    )
    return set(takes.values_list("shot", flat=True))
