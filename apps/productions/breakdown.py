"""Who is in which shot, as a grid: the shots of a sequence down, the characters of its film across."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.accounts.models import User
from apps.characters.models import Character, CharacterReference, Costume
from apps.characters.services import reference_url
from apps.common.show import spoken
from apps.productions.models import Shot, ShotCharacter
from apps.projects.models import Project

CAST_OF = ("casting__character", "casting__costume")
"""What is read along with shots for :func:`parts_of`."""


def parts_of(shot: Shot) -> list[dict[str, Any]]:
    """A shot's cast in its order, as the API writes it."""
    return [
        {
            "character": part.character.code,
            "action": part.action,
            "action_ko": part.action_ko,
            "costume": part.costume.name if part.costume else "",
            "costume_override": part.costume_override,
            "costume_override_ko": part.costume_override_ko,
            "lora_weight": part.lora_weight,
        }
        for part in shot.casting.all()
    ]


def columns(project: Project, shots: Iterable[UUID], *, reader: User) -> list[dict[str, Any]]:
    """The characters of a project to cast from, and those in the archive who are in one of these shots.

    Each with face and costumes; three queries, however many there are.
    """
    cast = ShotCharacter.objects.filter(shot__in=list(shots)).values("character")
    rows = list(
        Character.objects.filter(project=project)
        .filter(Q(archived=False) | Q(pk__in=cast))
        .select_related("default_costume")
        .order_by("code")
    )
    keys = [row.pk for row in rows]
    faces = faces_of(keys)
    costumes: dict[UUID, list[str]] = defaultdict(list)
    for owner, name in Costume.objects.filter(character__in=keys).values_list("character", "name"):
        costumes[owner].append(name)
    return [
        {
            "code": row.code,
            "name": spoken(row, "name"),
            "face": reference_url(faces[row.pk], reader) if row.pk in faces else "",
            "costumes": sorted(costumes[row.pk]),
            "default": row.default_costume.name if row.default_costume else "",
            "archived": row.archived,
        }
        for row in rows
    ]


def faces_of(characters: Collection[UUID]) -> dict[UUID, UUID]:
    """The first reference picture of each character, by whom people know it; one query."""
    rows = CharacterReference.objects.filter(character__in=characters).order_by("order", "created_at", "pk")
    faces: dict[UUID, UUID] = {}
    for owner, key in rows.values_list("character", "pk"):
        faces.setdefault(owner, key)
    return faces


def rows_of(shots: Sequence[Shot]) -> list[dict[str, Any]]:
    """What the grid says of these shots; read CAST_OF with them, their sequence and project."""
    return [
        {
            "id": str(shot.pk),
            "code": shot.full_code,
            "what": spoken(shot, "description"),
            "version": shot.row_version,
            "locked": shot.locked_by,
            "casting": parts_of(shot),
        }
        for shot in shots
    ]
