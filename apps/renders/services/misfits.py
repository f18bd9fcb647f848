"""What a job brings that does not fit together: a mask drawn for another picture, a video too short."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from apps.renders.services.files import Stored
from apps.renders.services.shot_values import Fitted
from apps.renders.services.sources import FIRST_FRAME, VIDEO, Looks
from apps.renders.warnings import Warned

CONTROL: Final = "control"
MASK: Final = "mask"
_ROUNDED: Final = 0.01
"""Shapes are the same if width by height differs by less: sizes go in steps of some pixels."""
_ABOUT: Final = 0.02
"""Frames per second: ComfyUI writes a clip's rate to three decimals."""


def misfits(
    fitted: Fitted, looks: Mapping[str, Looks | None], files: Mapping[str, Stored]
) -> Iterator[Warned]:
    """Warn of what a person most likely did not mean. ``looks``: how everything the job brings looks."""
    yield from _of_mask(looks, files)
    control = files.get(CONTROL)
    if control and fitted.width and not _same_shape(control.looks, fitted.looks):
        yield Warned(
            "control_shape", {"file": control.title, "has": _size(control.looks), "size": _size(fitted.looks)}
        )
    driving = files.get(VIDEO)
    if driving and driving.material:
        yield from _of_video(fitted, driving)


def _of_mask(looks: Mapping[str, Looks | None], files: Mapping[str, Stored]) -> Iterator[Warned]:
    mask, picture = files.get(MASK), looks.get(FIRST_FRAME)
    if mask is None or picture is None or not picture.width:
        return
    told = {"file": mask.title, "has": _size(mask.looks), "size": _size(picture)}
    if not _same_shape(mask.looks, picture):
        yield Warned("mask_shape", told)
    elif told["has"] != told["size"]:
        yield Warned("mask_size", told)


def _of_video(fitted: Fitted, driving: Stored) -> Iterator[Warned]:
    has, fps = driving.looks, driving.looks.fps
    if fitted.fps and fps and abs(fps - fitted.fps) > _ABOUT:
        yield Warned("video_rate", {"file": driving.title, "has": f"{fps:g}", "fps": f"{fitted.fps:g}"})
    if has.frames < fitted.frames:
        yield Warned(
            "video_short", {"file": driving.title, "has": str(has.frames), "frames": str(fitted.frames)}
        )


def _same_shape(one: Looks, other: Looks) -> bool:
    if not (one.height and other.height):
        return True
    return abs(one.width / one.height - other.width / other.height) < _ROUNDED * other.width / other.height


def _size(looks: Looks) -> str:
    return f"{looks.width} × {looks.height}"
