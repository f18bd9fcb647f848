"""What one shot puts into a template's graph: size, length, colour; prompts and files come later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from apps.productions.models import Shot
from apps.renders.services.sources import VIDEO, Looks
from apps.renders.services.steps import Step
from workflows.bind import bind, frames_for, need_gb, size_for
from workflows.conforming import Conform, Length
from workflows.errors import ValueRefused
from workflows.latents import repeated
from workflows.load import Template
from workflows.loras import Lora
from workflows.manifest import Follows, Manifest, Value
from workflows.rates import exact_fps
from workflows.roles import LATENT
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
    long the shot is and what of the clip will cover it (workflows.conforming.Conform), {} for what makes no
    clip or whose frame rate nobody knows.
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
        return Looks(
            self.width,
            self.height,
            self.frames,
            self.fps,
            whole=bool(self.length.get("whole")),
            skip=int(self.length.get("skip", 0)),
            held=int(self.length.get("held", 0)),
        )


def fit(
    step: Step, template: Template, shot: Shot, loras: list[Lora], files: Mapping[str, Looks | None]
) -> Fitted:
    """Work out a shot's values and try the binding with them: what a node would refuse is said here.

    ``files``: what the job brings, by role. What a template does not choose itself is as its source has it,
    changed as the manifest says (``follows``). Raises WorkflowError.
    """
    left, skip, room = carried(template.manifest, files)
    values = shot_values(step, template, shot, source_fps=left.fps, overlap=room)
    accepted = bind(
        template, values | _stand_ins(template, files), filename_prefix=PREFIX_FOR_CHECK, loras=loras
    ).values
    width, height = int(accepted.get("width", left.width)), int(accepted.get("height", left.height))
    frames = int(accepted.get("frames", left.frames))
    if "frames" in accepted:  # its length is chosen: how its source ends says nothing of its own end
        left = replace(left, whole=False, held=0)
    if LAST_FRAME in files:
        left = replace(left, whole=True)
    fps = _pace(template.manifest, accepted, left)
    need = need_gb(template, precision=step.precision or None, width=width, height=height, frames=frames)
    return Fitted(
        values=values,
        width=width,
        height=height,
        frames=frames,
        fps=fps,
        need_gb=need.gb,
        length=_length(step, template, shot, replace(left, frames=frames, fps=fps, skip=skip)),
    )


def carried(manifest: Manifest, files: Mapping[str, Looks | None]) -> tuple[Looks, int, int]:
    """How a clip looks as far as its source decides, how many frames at its beginning repeat another, and for
    how many there has to be room: it may go on from another take in the end.
    """
    left = _following(manifest, files) or Looks(0, 0)
    return left, *((left.skip, left.skip) if manifest.follows else _overlap(manifest, files))


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
        held=max(0, source.held * rule.frames_times + min(-rule.frames_plus, rule.frames_times - 1)),
    )


def _overlap(manifest: Manifest, files: Mapping[str, Looks | None]) -> tuple[int, int]:
    """How many frames at its beginning repeat the clip that it continues, by frames or latents; at most."""
    bindings = manifest.bindings
    most = max((bindings[role].overlap for role in files if role in bindings), default=0)
    latents = files.get(LATENT) if LATENT in bindings else None
    return (most if latents is None else latent_overlap(manifest, latents.frames)), most


def latent_overlap(manifest: Manifest, shown: int) -> int:
    """How many frames at its beginning repeat the clip whose latents it goes on from.

    ``shown``: of the frames in these latents, so many the other shot shows; 0: all, or nobody knows yet.
    """
    binding, form = manifest.bindings[LATENT], manifest.latents
    if form is None or not shown:
        return binding.overlap
    return repeated(binding.overlap, binding.latents, form.stride, shown)


def _pace(manifest: Manifest, accepted: Mapping[str, Value], left: Looks) -> float | None:
    """The clip's frames per second; None if its source decides and is not known yet."""
    written = float(accepted["fps"]) if "fps" in accepted else None
    if manifest.follows:
        return written or left.fps
    return manifest.native_fps or left.fps or written


def shot_length(shot: Shot, fps: float | None = None) -> Length:
    """A shot's frames with its handles, at the project's rate or at ``fps``."""
    rate = exact_fps(fps) if fps else shot.project.frame_rate
    return Length(shot.frames, rate, shot.handles, shot.handles)


def _length(step: Step, template: Template, shot: Shot, clip: Looks) -> dict[str, Any]:
    moves = any(output.kind != "image" for output in template.manifest.outputs)
    if not moves or clip.fps is None:
        return {}
    return Conform(
        shot_length(shot, step.fps),
        clip.frames,
        exact_fps(clip.fps),
        whole=clip.whole,
        skip=clip.skip,
        held=clip.held,
    ).as_json()


def shot_values(
    step: Step, template: Template, shot: Shot, *, source_fps: float | None = None, overlap: int = 0
) -> dict[str, Value]:
    """The values of one shot that differ from the template's defaults, prompts and files aside.

    ``source_fps``: the rate of the clip that the template starts from, where it is known. What follows such a
    clip keeps its pace. ``overlap``: so many frames more are rendered, for they repeat the clip continued.
    """
    bindings = template.manifest.bindings
    width, height = _asked_size(step, template, shot)
    asked: dict[str, Value | None] = {
        "width": width,
        "height": height,
        "precision": step.precision or None,
    }
    if "frames" in bindings:
        pace = source_fps if template.manifest.follows else None
        length = shot_length(shot, step.fps)
        asked["frames"] = step.frames or frames_for(template, length, pace, overlap=overlap).frames
    if template.manifest.follows and "fps" in bindings:
        asked["fps"] = step.fps or source_fps or float(shot.project.fps)
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
