"""How long a clip is, and how fast it plays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from workflows.finding.choosing import number, with_same_link
from workflows.finding.found import Candidate, FoundOutput, Why
from workflows.finding.origins import Origin, number_origin
from workflows.finding.texts import last_part
from workflows.finding.view import View
from workflows.finding.words import why
from workflows.manifest import Target

FRAMES: Final = ("length", "num_frames", "video_frames", "frames_number", "frame_count", "frames")
FPS: Final = ("fps", "frame_rate")


def frames(
    view: View, maker: str | None, reached: Sequence[str], primary: FoundOutput | None
) -> Candidate | None:
    """How long the clip is, at every node that must know."""
    nodes = [maker, *(node for node in reached if node != maker)] if maker else list(reached)
    places = [
        ((node, name), why("length_of", node=view.named(node)))
        for node in nodes
        for name in view.number_inputs(node)
        if name in FRAMES and not view.linked(node, "VIDEO") and _makes_frames(view, node)
    ]
    found = number(view, "frames", places, exact=True)
    if found is None or (primary and primary.kind == "image" and not _shows_all(view, primary.node, found)):
        return None
    return _with_cuts(view, with_same_link(view, found))


def fps(view: View, reached: Sequence[str]) -> tuple[Candidate | None, list[Why]]:
    """How fast the clip plays: what the output says, and whoever else has the same number."""
    places = [
        ((node, name), why("plays_at", node=view.named(node)))
        for node in reached
        for name in view.number_inputs(node)
        if last_part(name) in FPS
    ]
    shown = [place for place in places if view.linked(place[0][0], "IMAGE")]
    first = [place for place in places if place in shown[:1]] or places[:1]
    ordered = first + [place for place in places if place not in first]
    if first and number(view, "fps", first) is None:
        return None, [why("fps_follows", node=view.named(first[0][0][0]))]
    return number(view, "fps", ordered), []


def _with_cuts(view: View, found: Candidate) -> Candidate:
    """A length that is counted of pictures goes to where those are cut to it, too."""
    cuts = [
        origin
        for target in found.targets
        if target.replaces_link and (origin := _cut_at(view, (target.node, target.input)))
    ]
    if not cuts:
        return found
    targets = (*found.targets, *(Target(*origin.place) for origin in cuts))
    return replace(found, targets=tuple(dict.fromkeys(targets)), value=view.value(cuts[0].place))


def _cut_at(view: View, place: tuple[str, str]) -> Origin | None:
    link = view.link(place)
    for node, _ in view.back(link, "INT", "FLOAT") if link else ():
        for pictures in view.linked(node, "IMAGE").values():
            for cut, _onward in view.back(pictures, "IMAGE", "LATENT"):
                if {"batch_index", "length"} <= view.given(cut).keys():
                    origin = number_origin(view, (cut, "length"))
                    return origin if origin and origin.exact else None
    return None


def _shows_all(view: View, output: str, frames: Candidate) -> bool:
    """True if a node that saves pictures saves all that are made: as one moving picture, or one by one."""
    if any(last_part(name) in FPS for name in view.given(output)):
        return True
    pictured = view.linked(output, "IMAGE")
    cut = any(
        "batch_index" in view.given(node)
        for link in pictured.values()
        for node, _ in view.back(link, "IMAGE")
    )
    return isinstance(frames.value, int) and frames.value > 1 and not cut


def _makes_frames(view: View, node: str) -> bool:
    """Lengths of sounds and texts, and of what is cut out of a clip, are no frame counts."""
    outputs = view.kinds_out(node)
    made = bool(outputs & {"LATENT", "CONDITIONING", "TRACKS"}) or (
        "IMAGE" in outputs and not view.linked(node, "IMAGE")
    )
    return made or not view.info(node)
