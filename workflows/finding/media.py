"""Pictures, videos, sounds and masks that a graph reads, and their roles by what their links reach."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from workflows.finding.found import Candidate, Why
from workflows.finding.lengths import FRAMES
from workflows.finding.texts import last_part
from workflows.finding.view import MOST_WALKED, Output, Place, View
from workflows.finding.words import why
from workflows.manifest import Target

FILES: Final = {
    "LoadImage": "image",
    "LoadImageMask": "image",
    "LoadVideo": "file",
    "LoadAudio": "audio",
    "VHS_LoadVideo": "video",
    "VHS_LoadAudioUpload": "audio",
}
"""Classes that read the input folder, where the catalogue does not say so."""
SUFFIXES: Final = frozenset(
    {
        ".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".exr", ".mp4", ".mov", ".webm",
        ".mkv", ".avi", ".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a",
    }
)  # fmt: skip
CARRIERS: Final = (
    "IMAGE", "MASK", "VIDEO", "AUDIO", "LATENT", "CLIP_VISION_OUTPUT", "AUDIO_ENCODER_OUTPUT",
    "POSE_KEYPOINT", "DA3_GEOMETRY", "MOGE_GEOMETRY", "SAM3_TRACK_DATA",
)  # fmt: skip
"""Types that a file's content travels in."""
DRAWN: Final = frozenset({"POSE_KEYPOINT", "DA3_GEOMETRY", "MOGE_GEOMETRY"})
"""What is read off a picture, to be drawn as one that steers."""
DRAWS: Final = frozenset({"Canny"})
"""Nodes that draw a picture that steers, where no type on the way tells."""
SERIES: Final = ("ImageBatch", "ImageBatchMulti", "BatchImagesNode")
"""Nodes that lay pictures one after the other."""
MOST_LOADERS: Final = 60
MOST_REFERENCES: Final = 9

_WORDS: Final = (
    ("last_frame", frozenset({"last", "end", "tail"})),
    ("control", frozenset({"control", "pose", "depth", "canny", "tracks"})),
    ("first_frame", frozenset({"start", "first", "init"})),
    (
        "reference",
        frozenset({"reference", "ref", "style", "subject", "character", "person", "garment", "clip", "face"}),
    ),
)
"""What a taker calls its input; the first row that has a word of it decides."""
WORKED_ON: Final = "worked on"
"""The picture that a sampler goes on from: the first frame, unless it steers as a reference, too."""
_RANK: Final = ("first_frame", "last_frame", "control", "mask", "reference", WORKED_ON, "video", "audio", "")


@dataclass(frozen=True, slots=True)
class Ways:
    """Where files may lead: the distance of what makes the primary output, all that makes any output,
    and the samplers that only draw what steers others."""

    primary: Mapping[str, int]
    saved: Mapping[str, int]
    drawing: frozenset[str]

    def is_saved(self, node: str) -> bool:
        """True where nothing is saved at all, or the graph is too large to tell."""
        return node in self.saved or not self.saved or len(self.saved) >= MOST_WALKED


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a file's content on its way: a drawing that steers; the head or tail of a series."""

    drawn: bool = False
    end: str = ""


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a file's content ends up, and what it is there."""

    role: str
    taker: Place


def files(view: View, order: Sequence[str], ways: Ways) -> tuple[list[Candidate], list[Why]]:
    """A candidate for each role that a file input has; ``order`` is the order files are counted in."""
    met = set(order)
    rest = [node for node in view.graph if node not in met]
    loaders = [(node, name) for node in [*order, *rest] for name in file_inputs(view, node)][:MOST_LOADERS]
    found: dict[str, Candidate] = {}
    notes: list[Why] = []
    for place in loaders:
        if not view.takers.get(place[0]):
            notes.append(why("file_untaken", node=view.named(place[0])))
            continue
        if not ways.is_saved(place[0]):
            notes.append(why("file_unsaved", node=view.named(place[0])))
            continue
        candidate, note = _of_loader(view, place, ways)
        notes += note
        role = _free(candidate, found)
        if role is None:
            notes.append(why("file_without_role", node=view.named(place[0])))
            continue
        sure = candidate.sure and role.split("_")[0] == candidate.role.split("_")[0]
        known = found.get(role)
        targets = (*known.targets, *candidate.targets) if known else candidate.targets
        found[role] = Candidate(role, targets, candidate.value, sure, candidate.reason)
    return list(found.values()), notes


def file_inputs(view: View, node: str) -> Iterator[str]:
    """The inputs of a node that name a media file of the input folder."""
    specs = view.specs(node)
    for name, value in view.given(node).items():
        if not isinstance(value, str) or name == "model_file":
            continue
        if name in specs:
            if specs[name].takes_uploads or FILES.get(view.class_of(node)) == name:
                yield name
        elif FILES.get(view.class_of(node)) == name or (
            not specs and not view.links(node) and PurePosixPath(value).suffix.lower() in SUFFIXES
        ):
            yield name


def _of_loader(view: View, place: Place, ways: Ways) -> tuple[Candidate, list[Why]]:
    node = place[0]
    every = sorted(_reaches(view, node, ways), key=lambda reach: _RANK.index(reach.role))
    kinds = _kinds(view, node)
    told = {"node": view.named(node)}
    reaches = [reach for reach in every if kinds != "image" or reach.role != "mask"] or every
    best = reaches[0] if reaches else None
    role = {WORKED_ON: "first_frame"}.get(best.role, best.role) if best else ""
    reason = why("file_reaches_nothing", **told)
    if best and role:
        reason = why("file_reaches", input=best.taker[1], taker=view.named(best.taker[0]), **told)
    if kinds == "audio":
        role = "audio"
    elif kinds == "video" and best and "frame_idx" in view.given(best.taker[0]):
        role = "control"
    elif kinds == "video" and {reach.role for reach in reaches} != {"control"}:
        role = "video"
    elif kinds == "mask":
        role = "mask"
    sure = (kinds != "image" or bool(best and best.role)) and node in ways.primary and bool(view.info(node))
    notes = []
    if len(reaches) < len(every) and role != "mask":
        notes.append(why("alpha_mask", **told))
    return Candidate(role or "reference", (Target(*place),), view.value(place), sure, reason), notes


def _kinds(view: View, node: str) -> str:
    """What a loader reads, by the outputs that somebody takes."""
    taken = [view.types_out(output) for _, output in view.takers.get(node, ())]
    outputs = view.kinds_out(node)
    if "VIDEO" in outputs or "video" in view.class_of(node).lower():
        return "video"
    if "AUDIO" in outputs or "audio" in view.class_of(node).lower():
        return "audio"
    only_mask = outputs == {"MASK"} or (bool(taken) and all(types == {"MASK"} for types in taken))
    return "mask" if only_mask else "image"


def _free(candidate: Candidate, found: Mapping[str, Candidate]) -> str | None:
    """The role itself, or, taken by another file already, the next free reference; None if none is left."""
    role, same = candidate.role, found.get(candidate.role)
    if same is None or (role != "reference" and same.value == candidate.value):
        return role
    if role in ("video", "audio"):
        return None
    names = ["reference", *(f"reference_{count}" for count in range(2, MOST_REFERENCES + 1))]
    return next((name for name in names if name not in found), None)


def _reaches(view: View, start: str, ways: Ways) -> list[Reach]:
    """Follow a file's content to the inputs that say what it is for. Those on the way to the primary
    output count before others."""
    found: list[Reach] = []
    waiting = deque((*taken, Step()) for taken in view.takers.get(start, ()))
    seen: set[Place] = set()
    while waiting and len(seen) < 500:
        place, output, step = waiting.popleft()
        if place in seen or not view.types_out(output) & {*CARRIERS, "*"}:
            continue
        seen.add(place)
        role = None if place[0] in ways.drawing else _meaning(view, place, output)
        if role is not None:
            found.append(Reach(_as_it_came(role, step), place))
        if role is None or role == "":
            onward = _step(view, place, step, ways)
            waiting.extend((*taken, onward) for taken in view.takers.get(place[0], ()))
    live = [reach for reach in found if reach.taker[0] in ways.primary]
    return live or found


def _step(view: View, place: Place, before: Step, ways: Ways) -> Step:
    """What a node makes of content that it hands on."""
    node, name = place
    if node in ways.drawing or view.class_of(node) in DRAWS or view.kinds_out(node) & DRAWN:
        return Step(drawn=True, end=before.end)
    laid = list(view.linked(node, "IMAGE"))
    if view.class_of(node) not in SERIES or len(laid) < 2 or name not in laid:
        return before
    end = {0: "head", len(laid) - 1: "tail"}.get(laid.index(name), "between")
    return Step(before.drawn, end if before.end in ("", end) else "between")


def _as_it_came(role: str, step: Step) -> str:
    if step.drawn and role in ("reference", "first_frame", WORKED_ON):
        return "control"
    if role == "control" and not step.drawn:
        return {"head": "first_frame", "tail": "last_frame"}.get(step.end, role)
    return role


def _meaning(view: View, place: Place, output: Output) -> str | None:
    """What content is for at an input: a role, "" for a maker that does not say, None to go on behind it."""
    node, name = place
    words = set(re.split(r"[._\d]+", last_part(name).lower()))
    words |= {word.rstrip("s") for word in words}
    outputs = view.kinds_out(node)
    if view.types_out(output) == {"MASK"} or words & {"mask", "quadmask"}:
        through = outputs <= {"MASK", "IMAGE"} and not _is_maker(view, node)
        return None if through else "mask"
    return _by_name(view, place, words, outputs) or _by_product(view, place, output, outputs)


def _by_name(view: View, place: Place, words: set[str], outputs: set[str]) -> str | None:
    node, name = place
    if name in ("clip_vision_output", "latent") and outputs == {"CONDITIONING"}:
        return "reference"
    index = view.value((node, "frame_idx"))
    if isinstance(index, int):
        return "first_frame" if index == 0 else "last_frame" if index == -1 else "reference"
    return next((role for role, some in _WORDS if words & some), None)


def _is_maker(view: View, node: str) -> bool:
    """True for a node that makes something new of what it is given: a service, or one with conditioning."""
    outputs = view.kinds_out(node)
    return bool(view.info(node).get("api_node")) or "CONDITIONING" in outputs or _animates(view, node)


def _animates(view: View, node: str) -> bool:
    """An image laid into the latent of a clip (LTXVImgToVideoInplace), or a clip made of an image."""
    given = view.given(node)
    laid = bool(view.linked(node, "LATENT")) and bool(view.linked(node, "VAE"))
    outputs = view.kinds_out(node)
    return "LATENT" in outputs and (laid or any(name in given for name in FRAMES))


def _by_product(view: View, place: Place, output: Output, outputs: set[str]) -> str | None:
    """What a picture without a telling name is for, by what is made of it."""
    node, name = place
    if view.linked(node, "CONTROL_NET", "MODEL_PATCH"):
        return WORKED_ON if view.linked(node, "MASK") else "control"
    if name in ("latent_image", "samples") and view.linked(node, "MODEL", "GUIDER"):
        return WORKED_ON
    if not outputs & {"IMAGE", "VIDEO", "CONDITIONING", "LATENT"} or not _is_maker(view, node):
        return None
    if "VIDEO" in view.types_out(output):
        return "video"
    if view.linked(node, "MASK") and "LATENT" in outputs:
        return WORKED_ON
    of_many = "images" in name.split(".")[:-1]
    moved = "VIDEO" in outputs and not view.linked(node, "VIDEO")
    return "first_frame" if (moved or _animates(view, node)) and not of_many else "reference"
