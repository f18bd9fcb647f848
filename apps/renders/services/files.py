"""Files that a job brings to its graph beside the one it starts from: references, last frames, masks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from apps.characters.models import CharacterReference
from apps.common.errors import Problem
from apps.productions.models import Shot, ShotCharacter
from apps.projects.models import Project
from apps.renders.services.sources import Looks, looks_of, medium_taken
from apps.renders.services.steps import Step
from apps.review.models import Artifact, ArtifactRole
from workflows.load import Template
from workflows.manifest import Manifest

REFERENCE: Final = "reference"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A file in the artifact store that a job may be given: a take's, or a character's reference picture.

    ``medium``: image or video.
    """

    pk: UUID
    project_id: UUID
    key: str
    sha256: str
    bytes: int
    medium: str
    looks: Looks


@dataclass
class Brought:
    """What each shot's job brings, by role, and every problem with what was asked."""

    by_shot: dict[UUID, dict[str, Stored]] = field(default_factory=lambda: defaultdict(dict))
    problems: list[Problem] = field(default_factory=list)


def stored_files(ids: Sequence[UUID | str]) -> dict[UUID, Stored]:
    """Find files by id, whatever they are of: two queries."""
    originals = Artifact.objects.filter(pk__in=ids, role=ArtifactRole.PRIMARY)
    artifacts = originals.select_related("take__shot__sequence")
    pictures = CharacterReference.objects.filter(pk__in=ids).select_related("character")
    found = [*map(_of_take, artifacts), *map(_of_character, pictures)]
    return {one.pk: one for one in found}


def from_cast(manifest: Manifest, role: str) -> bool:
    """Whether this is filled from the pictures of the cast if nobody names a file.

    A template that takes no words about a reference wants a style, not a face.
    """
    return role.startswith(REFERENCE) and "positive" in manifest.bindings


def brought(
    project: Project,
    shots: Sequence[Shot],
    step: Step,
    template: Template,
    *,
    own: str,
    besides: Collection[str] = (),
) -> Brought:
    """Find the files of every role but ``own``, which the job starts from, and ``besides``, filled like it.

    What the step names comes first. References that it does not name are the pictures of the shot's cast, in
    casting order, where the template takes words about them, too: a style's picture is nobody's portrait.
    What nobody gives is left out where the template allows it, else it is a problem.
    """
    result = Brought()
    asked = [role for role in template.manifest.file_roles if from_cast(template.manifest, role)]
    named = stored_files(list(step.files.values()))
    for role, pk in step.files.items():
        result.problems += _wrong_with(role, pk, named.get(pk), project, template)
    if result.problems:
        return result
    pictures = _pictures_of_cast(shots) if asked else {}
    for shot in shots:
        mine = result.by_shot[shot.pk]
        mine.update({role: named[pk] for role, pk in step.files.items()})
        left = [
            one for one in pictures.get(shot.pk, []) if one.pk not in {given.pk for given in mine.values()}
        ]
        free = [role for role in asked if role not in mine and role != own and role not in besides]
        mine.update(zip(free, left, strict=False))
        result.problems += _missing(shot, mine, template, {own, *besides})
    return result


def _missing(
    shot: Shot, mine: Mapping[str, Stored], template: Template, filled: Collection[str]
) -> Iterator[Problem]:
    for role in template.manifest.file_roles:
        if role in mine or role in filled or template.manifest.bindings[role].optional is not None:
            continue
        if from_cast(template.manifest, role):
            told = _("nobody in this shot has a reference picture; give somebody one, or name a file here")
        else:
            told = _(
                "this template needs a file here; choose one of a take or of a character under Files, "
                "or name it by its id"
            )
        yield Problem(f"{shot.full_code}.{role}", template.slug, told, code=f"no_{role}")


def _wrong_with(
    role: str, pk: UUID, file: Stored | None, project: Project, template: Template
) -> Iterator[Problem]:
    where, wanted = f"files.{role}", medium_taken(template, role)
    if not wanted:
        roles = ", ".join(template.manifest.file_roles) or _("none")
        yield Problem(where, str(pk), _("this template takes no such file; it takes: %s") % roles)
    elif file is None or file.project_id != project.pk:
        yield Problem(where, str(pk), _("no take and no character of this project has a file of this id"))
    elif file.medium != wanted:
        told = _("this is a file of the kind “%(made)s”, and “%(wanted)s” is needed here")
        yield Problem(where, str(pk), told % {"made": file.medium, "wanted": wanted})


def _pictures_of_cast(shots: Sequence[Shot]) -> dict[UUID, list[Stored]]:
    """The cast's pictures by shot: everybody's first, in casting order, then everybody's others."""
    cast: dict[UUID, list[UUID]] = defaultdict(list)
    ids = [shot.pk for shot in shots]
    for row in ShotCharacter.objects.filter(shot__in=ids).order_by("shot", "order", "pk"):
        cast[row.shot_id].append(row.character_id)
    pictures: dict[UUID, list[Stored]] = defaultdict(list)
    everybody = {character for members in cast.values() for character in members}
    rows = CharacterReference.objects.filter(character__in=everybody).select_related("character")
    for picture in rows.order_by("character", "order", "pk"):
        pictures[picture.character_id].append(_of_character(picture))
    return {
        shot: [
            *(pictures[one][0] for one in members if pictures[one]),
            *(more for one in members for more in pictures[one][1:]),
        ]
        for shot, members in cast.items()
    }


def _of_take(artifact: Artifact) -> Stored:
    return Stored(
        pk=artifact.pk,
        project_id=artifact.take.shot.project_id,
        key=artifact.key,
        sha256=artifact.sha256,
        bytes=artifact.bytes,
        medium=artifact.kind,
        looks=looks_of(artifact),
    )


def _of_character(picture: CharacterReference) -> Stored:
    return Stored(
        pk=picture.pk,
        project_id=picture.character.project_id,
        key=picture.key,
        sha256=picture.sha256,
        bytes=picture.bytes,
        medium="image",
        looks=Looks(picture.width, picture.height),
    )
