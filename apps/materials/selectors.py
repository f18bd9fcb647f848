"""Which material a shot can use: its own, its sequence's, its film's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.materials.models import Material
from apps.productions import models as productions
from apps.productions.models import Shot
from apps.projects.models import Project

Owner = Project | productions.Sequence | Shot
"""What material belongs to."""


def standing() -> QuerySet[Material]:
    """All that has not been taken away."""
    return Material.objects.filter(removed_at=None)


def of_owner(owner: Owner) -> QuerySet[Material]:
    """What belongs to exactly this, but for what was taken away; by kind and name."""
    return standing().filter(**place_of(owner)).select_related("added_by")


def place_of(owner: Owner) -> dict[str, Any]:
    """The columns that say to what a material belongs."""
    if isinstance(owner, Shot):
        return {"project_id": owner.project_id, "sequence_id": None, "shot_id": owner.pk}
    if isinstance(owner, productions.Sequence):
        return {"project_id": owner.project_id, "sequence_id": owner.pk, "shot_id": None}
    return {"project_id": owner.pk, "sequence_id": None, "shot_id": None}


def usable_by(shots: Sequence[Shot]) -> dict[UUID, list[Material]]:
    """Each shot's material, its own first, then its sequence's, then its film's: one query."""
    rows = (
        standing().filter(_of_any(shots)).select_related("sequence", "shot__sequence", "project", "added_by")
    )
    by_place: dict[UUID, list[Material]] = defaultdict(list)
    for row in rows.order_by("kind", "name", "created_at"):
        by_place[row.shot_id or row.sequence_id or row.project_id].append(row)
    return {
        shot.pk: [*by_place[shot.pk], *by_place[shot.sequence_id], *by_place[shot.project_id]]
        for shot in shots
    }


def nearest(materials: Iterable[Material], *, kind: str, medium: str) -> list[Material]:
    """Of a shot's material of this kind, what is nearest: its own, else its sequence's, else its film's.

    More than one: nobody but a person can tell which.
    """
    fitting = [one for one in materials if one.kind == kind and one.medium == medium]
    closest = min(map(_distance, fitting), default=0)
    return [one for one in fitting if _distance(one) == closest]


def _distance(material: Material) -> int:
    return 0 if material.shot_id else 1 if material.sequence_id else 2


def _of_any(shots: Sequence[Shot]) -> Q:
    projects = {shot.project_id for shot in shots}
    return (
        Q(shot__in=[shot.pk for shot in shots])
        | Q(sequence__in={shot.sequence_id for shot in shots})
        | Q(project__in=projects, sequence=None, shot=None)
    )
