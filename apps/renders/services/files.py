"""Files that a job brings to its graph: pictures of the cast, the shot's material, whatever is named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from apps.characters.models import CharacterReference
from apps.common.errors import Problem
from apps.materials.models import Material, MaterialKind
from apps.materials.selectors import nearest, usable_by
from apps.productions.models import Shot, ShotCharacter
from apps.projects.models import Project
from apps.renders.services.sources import Looks, looks_of, medium_taken, tail_looks, tail_title
from apps.renders.services.steps import Step
from apps.review.models import Artifact, ArtifactRole
from apps.review.states import Media
from apps.workflows.models import Kind
from workflows.load import Template
from workflows.manifest import Manifest
from workflows.roles import LATENT

REFERENCE: Final = "reference"
PICTURES_OF_TAKE: Final = "frames"
"""The medium of a take of pictures: whoever names one of them names all, where all are wanted."""

SUITING: Final[Mapping[str, MaterialKind]] = {
    "first_frame": MaterialKind.PLATE,
    "video": MaterialKind.VIDEO,
    "control": MaterialKind.CONTROL,
    "mask": MaterialKind.MASK,
    "audio": MaterialKind.AUDIO,
}
"""The material of a shot that fills an input by itself, where the template must have a file and nobody names
one: if there is one of the kind. Which of several it is, a person says."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A file in the artifact store that a job may be given: a take's, a character's picture, or material.

    ``medium``: image, frames (the pictures of one take), video or audio. ``title``: what people call it.
    ``material``: it is one. ``unfit``: why no new job may be given it.
    """

    pk: UUID
    project_id: UUID
    key: str
    sha256: str
    bytes: int
    medium: str
    looks: Looks
    title: str = ""
    material: bool = False
    unfit: str = ""


@dataclass
class Brought:
    """What each shot's job brings, by role, and every problem with what was asked.

    ``starts``: each shot's material of the kind it could start from; more than one is for a person to choose
    from. ``misnamed``: a file that the step names is not there or does not fit; nothing else was looked for.
    """

    by_shot: dict[UUID, dict[str, Stored]] = field(default_factory=lambda: defaultdict(dict))
    starts: dict[UUID, list[Stored]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    misnamed: bool = False


def stored_files(ids: Sequence[UUID | str]) -> dict[UUID, Stored]:
    """Find files by id, whatever they are of, also material that was taken away: three queries."""
    originals = Artifact.objects.filter(pk__in=ids, role__in=(ArtifactRole.PRIMARY, ArtifactRole.TAIL))
    artifacts = originals.select_related("take__shot__sequence")
    pictures = CharacterReference.objects.filter(pk__in=ids).select_related("character")
    materials = Material.objects.filter(pk__in=ids)
    found = [*map(_of_take, artifacts), *map(_of_character, pictures), *map(of_material, materials)]
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
    Then comes the shot's own material (SUITING). What nobody gives is left out where the template allows it,
    else it is a problem.
    """
    result = Brought()
    asked = [role for role in template.manifest.file_roles if from_cast(template.manifest, role)]
    named = stored_files(list(step.files.values()))
    for role, pk in step.files.items():
        result.problems += _wrong_with(role, pk, named.get(pk), project, template)
    if result.problems:
        result.misnamed = True
        return result
    pictures = _pictures_of_cast(shots) if asked else {}
    needed = [role for role in template.manifest.required_roles if role in SUITING]
    materials = usable_by(shots) if needed else {}
    for shot in shots:
        mine = result.by_shot[shot.pk]
        mine.update({role: named[pk] for role, pk in step.files.items()})
        given = {one.pk for one in mine.values()}
        left = [one for one in pictures.get(shot.pk, []) if one.pk not in given]
        free = [role for role in asked if role not in mine and role != own and role not in besides]
        mine.update(zip(free, left, strict=False))
        suiting = {
            role: _suiting(materials[shot.pk], role, template) for role in needed if role not in besides
        }
        if own in suiting:
            result.starts[shot.pk] = suiting.pop(own)
        told = list(_filled(shot, mine, suiting))
        fields = {problem.field for problem in told}
        missing = _missing(shot, mine, template, {own, *besides})
        result.problems += [*told, *(problem for problem in missing if problem.field not in fields)]
    return result


def _filled(
    shot: Shot, mine: dict[str, Stored], suiting: Mapping[str, Sequence[Stored]]
) -> Iterator[Problem]:
    """Fill what nobody named from the shot's material, and tell what a person has to decide or mend."""
    for role, files in suiting.items():
        if role in mine or not files:
            continue
        if len(files) > 1:
            yield several(shot, role, files)
        else:
            mine[role] = files[0]
            yield from _unfit(f"{shot.full_code}.{role}", files[0])


def several(shot: Shot, role: str, suiting: Sequence[Stored]) -> Problem:
    """Say that a person has to choose."""
    told = _("%(count)d files would do here: %(names)s; choose one under Files")
    names = ", ".join(one.title for one in suiting)
    facts = {"count": len(suiting), "names": names}
    return Problem(f"{shot.full_code}.{role}", str(len(suiting)), told % facts, code=f"no_{role}")


def _suiting(materials: Sequence[Material], role: str, template: Template) -> list[Stored]:
    """The shot's material that would fill this input by itself; what is broken would not."""
    sound = [one for one in materials if one.state != Media.BROKEN]
    return [
        of_material(one) for one in nearest(sound, kind=SUITING[role], medium=medium_taken(template, role))
    ]


def _unfit(where: str, file: Stored) -> list[Problem]:
    return [Problem(where, file.title, file.unfit, code="unfit_file")] if file.unfit else []


def _missing(
    shot: Shot, mine: Mapping[str, Stored], template: Template, filled: Collection[str]
) -> Iterator[Problem]:
    for role in template.manifest.file_roles:
        if role in mine or role in filled or template.manifest.bindings[role].optional is not None:
            continue
        if from_cast(template.manifest, role):
            told = _("nobody in this shot has a reference picture; give somebody one, or name a file here")
        elif role in SUITING:
            told = _(
                "this template needs a file here; put a file of the kind “%s” on the shot's page under "
                "Material, or choose another under Files"
            )
            told %= SUITING[role].label
        else:
            told = _(
                "this template needs a file here; choose one of a take, of a character or of the shot's "
                "material under Files, or name it by its id"
            )
        yield Problem(f"{shot.full_code}.{role}", template.slug, told, code=f"no_{role}")


def _wrong_with(
    role: str, pk: UUID, file: Stored | None, project: Project, template: Template
) -> Iterator[Problem]:
    where, wanted = f"files.{role}", medium_taken(template, role)
    if not wanted:
        roles = ", ".join(template.manifest.file_roles) or _("none")
        yield Problem(where, str(pk), _("this template takes no such file; it takes: %s") % roles)
    elif role == LATENT:
        told = _("nobody names latents: a shot that keeps latents gets those of the shot that it continues")
        yield Problem(where, str(pk), told)
    elif file is None or file.project_id != project.pk:
        told = _("no take, no character and no material of this project has a file of this id")
        yield Problem(where, str(pk), told)
    elif file.unfit:
        yield from _unfit(where, file)
    elif file.medium != wanted and not (file.medium == PICTURES_OF_TAKE and wanted == "image"):
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
    tail = artifact.role == ArtifactRole.TAIL
    return Stored(
        pk=artifact.pk,
        project_id=artifact.take.shot.project_id,
        key=artifact.key,
        sha256=artifact.sha256,
        bytes=artifact.bytes,
        medium=PICTURES_OF_TAKE if artifact.take.kind == Kind.FRAMES and not tail else artifact.kind,
        looks=tail_looks(artifact) if tail else looks_of(artifact),
        title=tail_title(artifact) if tail else str(artifact.take),
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
        title=f"{picture.character.code} {picture}",
    )


def of_material(material: Material) -> Stored:
    """A material as a file that a job may be given."""
    return Stored(
        pk=material.pk,
        project_id=material.project_id,
        key=material.key,
        sha256=material.sha256,
        bytes=material.bytes,
        medium=material.medium,
        looks=Looks(material.width, material.height, max(1, material.frames), material.fps),
        title=material.name,
        material=True,
        unfit=_why_not(material),
    )


def _why_not(material: Material) -> str:
    if material.removed_at is not None:
        return _("this file was taken away; add it again")
    if material.state == Media.PROCESSING:
        return _("this file is still being looked at; try again in a moment")
    if material.state == Media.BROKEN:
        return _("this file cannot be used: %s") % material.problem
    return ""
