"""What one shot puts into a template's graph: size, length, colour; prompts and files come later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from apps.productions.models import Shot
from apps.renders.services.sources import VIDEO, Looks
from apps.renders.services.steps import Step
from workflows.bind import bind, frames_for, need_gb, size_for
from workflows.errors import ValueRefused
from workflows.frames import Conform, Length, exact_fps
from workflows.load import Template
from workflows.loras import Lora
from workflows.manifest import Follows, Manifest, Value
from workflows.wording import said as _

PREFIX_FOR_CHECK: Final = "shotfarm/check"
LAST_FRAME: Final = "last_frame"
SLATE_IMAGE: Final = "slate_image"
SLATE_COLOURS: Final = ("#274b6d", "#6d4427", "#2f6d45", "#6d2745", "#4f276d", "#6d6427")
"""Ground colours of slates, by the order of the sequence."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A step as one shot asks it of a template. ``need_gb``: memory of one GPU. ``fps`` is the clip's.

    A width or height of 0 is not chosen here: the source's size decides it, or a service. ``length``: how
    long the shot is and what of the clip will cover it (workflows.frames.Conform), {} for what makes no clip
    or whose frame rate nobody knows.
    """

    values: dict[str, Value]
    width: int
    height: int
    frames: int
    fps: float | None
    need_gb: float
    length: dict[str, Any]

    @property
    def looks(self) -> Looks:
        """How its file will look."""
        whole, skip = bool(self.length.get("whole")), int(self.length.get("skip", 0))
        return Looks(self.width, self.height, self.frames, self.fps, whole=whole, skip=skip)


def fit(
    step: Step, template: Template, shot: Shot, loras: list[Lora], files: Mapping[str, Looks | None]
) -> Fitted:
    """Work out a shot's values and try the binding with them: what a node would refuse is said here.

    ``files``: what the job brings, by role. What a template does not choose itself is as its source has it,
    changed as the manifest says (``follows``). Raises WorkflowError.
    """
    overlap = _overlap(template.manifest, files)
    values = shot_values(step, template, shot, overlap=overlap)
    accepted = bind(
        template, values | _stand_ins(template, files), filename_prefix=PREFIX_FOR_CHECK, loras=loras
    ).values
    left = _following(template.manifest, files) or Looks(0, 0)
    whole = (left.whole and template.manifest.follows is not None) or LAST_FRAME in files
    width, height = int(accepted.get("width", left.width)), int(accepted.get("height", left.height))
    frames = int(accepted.get("frames", left.frames))
    fps = template.manifest.native_fps or left.fps or (float(accepted["fps"]) if "fps" in accepted else None)
    need = need_gb(template, precision=step.precision or None, width=width, height=height, frames=frames)
    return Fitted(
        values=values,
        width=width,
        height=height,
        frames=frames,
        fps=fps,
        need_gb=need.gb,
        length=_length(
            step, template, shot, frames, fps, whole=whole, skip=_skip(template.manifest, left, overlap)
        ),
    )


def _following(manifest: Manifest, files: Mapping[str, Looks | None]) -> Looks | None:
    """How a clip looks that follows its source; None if no source is known."""
    rule = manifest.follows or Follows(role=VIDEO)
    source = files.get(rule.role)
    if source is None:
        return None
    return Looks(
        width=round(source.width * rule.size_times),
        height=round(source.height * rule.size_times),
        frames=max(1, source.frames * rule.frames_times + rule.frames_plus),
        fps=source.fps and source.fps * rule.fps_times,
        whole=source.whole,
        skip=source.skip * rule.frames_times,
    )


def _overlap(manifest: Manifest, files: Mapping[str, Looks | None]) -> int:
    """How many frames at its beginning repeat the clip that it continues."""
    return sum(manifest.bindings[role].overlap for role in files if role in manifest.bindings)


def _skip(manifest: Manifest, left: Looks, overlap: int) -> int:
    """Frames of what is made that are none of the shot: its own, or those of the clip it is made from."""
    return left.skip if manifest.follows else overlap


def shot_length(shot: Shot, fps: float | None = None) -> Length:
    """A shot's frames with its handles, at the project's rate or at ``fps``."""
    return Length(shot.frames, exact_fps(fps or shot.project.fps), shot.handles, shot.handles)


def _length(
    step: Step, template: Template, shot: Shot, frames: int, fps: float | None, *, whole: bool, skip: int
) -> dict[str, Any]:
    makes_clip = any(output.kind == "video" for output in template.manifest.outputs)
    if not makes_clip or fps is None:
        return {}
    return Conform(shot_length(shot, step.fps), frames, exact_fps(fps), whole=whole, skip=skip).as_json()


def shot_values(step: Step, template: Template, shot: Shot, *, overlap: int = 0) -> dict[str, Value]:
    """The values of one shot that differ from the template's defaults, prompts and files aside.

    ``overlap``: frames that a clip is rendered longer, for they repeat the one it continues.
    """
    bindings = template.manifest.bindings
    width, height = _asked_size(step, template, shot)
    asked: dict[str, Value | None] = {
        "width": width,
        "height": height,
        "precision": step.precision or None,
    }
    if "frames" in bindings:
        length = shot_length(shot, step.fps)
        asked["frames"] = step.frames or frames_for(template, length, overlap=overlap).frames
    if template.manifest.follows and "fps" in bindings:
        asked["fps"] = step.fps or float(shot.project.fps)
    if "color" in bindings:
        asked["color"] = SLATE_COLOURS[shot.sequence.order % len(SLATE_COLOURS)]
    return {role: value for role, value in asked.items() if value is not None and role in bindings}


def _asked_size(step: Step, template: Template, shot: Shot) -> tuple[int | None, int | None]:
    """The size asked for; if none was, the template's own area in the picture format of the film.

    Raises ValueRefused where the template makes no picture of this format.
    """
    bound = {"width", "height"} <= template.manifest.bindings.keys()
    if not bound or step.width is not None or step.height is not None:
        return step.width, step.height
    film = shot.project
    fitting = size_for(template, film.width / film.height)
    if fitting is None:
        raise ValueRefused(
            "size",
            f"{film.width}x{film.height}",
            problem=_("is a picture format that %(template)s has no size for", template=template.slug),
            remedy=_("give a width and a height, or choose another template"),
        )
    return fitting


def _stand_ins(template: Template, files: Mapping[str, Looks | None]) -> dict[str, Value]:
    """Values for roles that are known only later: prompts, seed, files."""
    roles: dict[str, Value] = {
        "positive": "check",
        "negative": "",
        "seed": 0,
        SLATE_IMAGE: "check.png",
        **dict.fromkeys(files, "check"),
    }
    return {role: value for role, value in roles.items() if role in template.manifest.bindings}
