"""What one shot puts into a template's graph: size, length, colour; prompts and files come later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.productions.models import Shot
from apps.renders.services.sources import FIRST_FRAME, VIDEO
from apps.renders.services.steps import Step
from workflows.bind import bind, frames_for, need_gb, size_for
from workflows.load import Template
from workflows.loras import Lora
from workflows.manifest import Value

PREFIX_FOR_CHECK: Final = "shotfarm/check"
SLATE_IMAGE: Final = "slate_image"
SLATE_COLOURS: Final = ("#274b6d", "#6d4427", "#2f6d45", "#6d2745", "#4f276d", "#6d6427")
"""Ground colours of slates, by the order of the sequence."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A step as one shot asks it of a template. ``need_gb``: memory of one GPU."""

    values: dict[str, Value]
    width: int
    height: int
    frames: int
    need_gb: float


def fit(
    step: Step, template: Template, shot: Shot, loras: list[Lora], *, source_frames: int | None = None
) -> Fitted:
    """Work out a shot's values and try the binding with them: what a node would refuse is said here.

    A template that does not choose its length makes as many frames as its source has. Raises WorkflowError.
    """
    values = shot_values(step, template, shot)
    accepted = bind(
        template, values | _stand_ins(template), filename_prefix=PREFIX_FOR_CHECK, loras=loras
    ).values
    width, height = int(accepted["width"]), int(accepted["height"])
    frames = int(accepted.get("frames", source_frames or 1))
    need = need_gb(template, precision=step.precision or None, width=width, height=height, frames=frames)
    return Fitted(values=values, width=width, height=height, frames=frames, need_gb=need.gb)


def shot_values(step: Step, template: Template, shot: Shot) -> dict[str, Value]:
    """The values of one shot that differ from the template's defaults, prompts and files aside."""
    bindings = template.manifest.bindings
    width, height = _asked_size(step, template, shot)
    asked: dict[str, Value | None] = {
        "width": width,
        "height": height,
        "precision": step.precision or None,
    }
    if "frames" in bindings:
        asked["frames"] = (
            step.frames
            or frames_for(template, shot.frames + 2 * shot.handles, fps=step.fps or shot.project.fps).frames
        )
    if "color" in bindings:
        asked["color"] = SLATE_COLOURS[shot.sequence.order % len(SLATE_COLOURS)]
    return {role: value for role, value in asked.items() if value is not None and role in bindings}


def _asked_size(step: Step, template: Template, shot: Shot) -> tuple[int | None, int | None]:
    """The size asked for; if none was, the template's own area in the picture format of the film."""
    if step.width is None and step.height is None:
        fitting = size_for(template, shot.project.width / shot.project.height)
        if fitting:
            return fitting
    return step.width, step.height


def _stand_ins(template: Template) -> dict[str, Value]:
    """Values for roles that are known only later: prompts, seed, files."""
    roles: dict[str, Value] = {
        "positive": "check",
        "negative": "",
        "seed": 0,
        FIRST_FRAME: "check.png",
        VIDEO: "check.mp4",
        SLATE_IMAGE: "check.png",
    }
    return {role: value for role, value in roles.items() if role in template.manifest.bindings}
