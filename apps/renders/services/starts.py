"""What a shot's jobs start from: what the request makes or names, the shot's takes, or its material."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.productions.models import Shot
from apps.renders.services.files import Stored, several
from apps.renders.services.sources import KINDS, VIDEO, Source, medium_taken, role_of
from apps.renders.services.steps import Step
from workflows.load import Template


@dataclass(frozen=True)
class Start:
    """``source`` None: it starts from nothing. ``material``: the source is this one of the shot's."""

    source: Source | None
    material: Stored | None = None


@dataclass(frozen=True, kw_only=True)
class ToldFile:
    """A file of a planned job, in words. ``id`` None: it is not made yet. Pixels 0: not known, or a sound."""

    role: str
    title: str
    id: UUID | None = None
    width: int = 0
    height: int = 0
    material: bool = False


def files_told(source: Source | None, files: Mapping[str, Stored]) -> list[ToldFile]:
    """Say what a job starts from, and what it brings besides."""
    told = [
        ToldFile(
            role=role,
            title=file.title,
            id=file.pk,
            width=file.looks.width,
            height=file.looks.height,
            material=file.material,
        )
        for role, file in files.items()
    ]
    if source is None or not source.role or source.role in files:
        return told
    looks = source.looks
    title = source.title or _("made by step %d of this request") % ((source.step or 0) + 1)
    size = (looks.width, looks.height) if looks else (0, 0)
    first = ToldFile(role=source.role, title=title, id=source.artifact_id, width=size[0], height=size[1])
    return [first, *told]


def own_role(step: Step, template: Template) -> str:
    """The input that is filled by what a job starts from; "" if there is none, or a file is named for it."""
    role = step.role or role_of(template.manifest)
    return "" if role in step.files else role


def start_of(
    step: Step,
    template: Template,
    shot: Shot,
    found: Source | None,
    suiting: Sequence[Stored],
    waited: Collection[UUID],
) -> Start:
    """Choose between what was found for a shot and its material that would do; ``waited``: jobs asked for.

    What the request itself makes, names or waits for is never passed over, nor is a take, but for a driving
    video: people bring one to be followed, and the shot's newest clip is what was made of it. Raises Refused
    if there is nothing, or nobody but a person can tell which.
    """
    own = own_role(step, template)
    asked = bool(step.given) or step.start_from is not None
    asked |= found is not None and (found.step is not None or found.job_id in waited)
    is_driven = own == VIDEO and template.manifest.frame_rule is not None
    if suiting and not asked and (found is None or is_driven):
        return _of_material(shot, own, suiting)
    if found is None and own and template.manifest.bindings[own].optional is None:
        raise Refused(_nothing(shot, step, template, own))
    return Start(found)


def _of_material(shot: Shot, own: str, suiting: Sequence[Stored]) -> Start:
    if len(suiting) > 1:
        raise Refused(several(shot, own, suiting))
    [one] = suiting
    if one.unfit:
        raise Refused(Problem(f"{shot.full_code}.{own}", one.title, one.unfit, code="unfit_file"))
    return Start(Source(role=own, artifact_id=one.pk, looks=one.looks, title=one.title), one)


def _nothing(shot: Shot, step: Step, template: Template, role: str) -> Problem:
    medium = medium_taken(template, role)
    keyframe = _(
        "this shot has no keyframe to start from; render one first or in the same request, or put a plate on "
        "its page under Material"
    )
    clip = _(
        "this shot has no clip to start from; render one first or in the same request, or put a driving "
        "video on its page under Material"
    )
    pictures = _("this shot has no clip taken apart into pictures; do that first or in the same request")
    told = {"video": clip, "frames": pictures}.get(medium, keyframe)
    code = f"no_{KINDS.get(medium, medium)}"
    return Problem(f"{shot.full_code}.{role}", step.template, told, code=code)
