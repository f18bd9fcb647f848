"""Poses and faces found in a clip: the stand-in finds one person in the middle of every frame."""

from __future__ import annotations

from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageOps

from workers.comfysim.nodes.registry import Inputs, Run, node

Box = tuple[int, int, int, int]


class Pose(NamedTuple):
    """The one person of a frame of this size."""

    width: int
    height: int

    @property
    def head(self) -> Box:
        across, down = self.width // 2, self.height // 5
        reach = max(2, min(self.width, self.height) // 10)
        return across - reach, max(0, down - reach), across + reach, down + reach


@node("SDPoseKeypointExtractor")
def find(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    run.pool.take(inputs["model"])
    return ([Pose(*picture.size) for picture in inputs["image"]],)


@node("SDPoseDrawKeypoints")
def draw(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return ([_figure(pose, inputs["stick_width"]) for pose in inputs["keypoints"]],)


def _figure(pose: Pose, thick: int) -> Image.Image:
    picture = Image.new("RGB", (pose.width, pose.height), "black")
    pen = ImageDraw.Draw(picture)
    pen.ellipse(pose.head, outline="white", width=thick)
    across, neck, hip = pose.width // 2, pose.head[3], pose.height * 3 // 5
    reach = pose.width // 6
    pen.line((across, neck, across, hip), fill=(0, 200, 80), width=thick)
    pen.line((across - reach, pose.height // 2, across, neck, across + reach, pose.height // 2), fill="red")
    pen.line((across - reach, pose.height, across, hip, across + reach, pose.height), fill="blue")
    return picture


@node("SDPoseFaceBBoxes")
def faces(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return ([pose.head for pose in inputs["keypoints"]],)


@node("CropByBBoxes")
def cut_out(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    size = (inputs["output_width"], inputs["output_height"])
    fit = ImageOps.pad if inputs["keep_aspect"] == "pad" else Image.Image.resize
    boxes: list[Box] = inputs["bboxes"]
    return ([fit(picture.crop(box), size) for picture, box in zip(inputs["image"], boxes, strict=True)],)
