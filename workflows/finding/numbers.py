"""Seed, size, frames, fps, steps, cfg, guidance and strength."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from workflows.finding.choosing import Reasoned, number
from workflows.finding.found import Candidate, FoundOutput, Why
from workflows.finding.samplers import SEEDS, Sampler
from workflows.finding.texts import last_part
from workflows.finding.view import Output, View
from workflows.finding.words import why
from workflows.manifest import Target

FRAMES: Final = ("length", "num_frames", "video_frames", "frames_number", "frame_count", "frames")
FPS: Final = ("fps", "frame_rate")


def seed(view: View, samplers: Sequence[Sampler], reached: Sequence[str]) -> Candidate | None:
    """All noise of the samplers at once, whatever each of them holds now."""
    places = [
        (sampler.seed, why("noise", sampler=view.named(sampler.node))) for sampler in samplers if sampler.seed
    ]
    if not samplers:
        places = [
            ((node, name), why("seed_of_maker", node=view.named(node)))
            for node in reached
            for name in view.number_inputs(node)
            if last_part(name) in SEEDS
        ]
    found = number(view, "seed", places)
    if found is None or not samplers:
        return found
    targets = dict.fromkeys(target for one in (found, *found.alternatives) for target in one.targets)
    return replace(found, targets=tuple(targets), alternatives=())


def size(
    view: View, samplers: Sequence[Sampler], reached: Sequence[str]
) -> tuple[list[Candidate], str | None, list[Why]]:
    """Width and height, and the node that makes the size."""
    maker: str | None = None
    reason = Why("")
    for sampler in samplers:
        maker, reason = _maker(view, sampler)
        if maker:
            break
    if not samplers:
        sized = (node for node in reached if _has_size(view, node))
        maker = next(sized, None)
        reason = why("size_of_maker", node=view.named(maker)) if maker else reason
    if maker is None:
        return [], None, []
    makers = [maker, *(node for node in reached if node != maker and _same_size(view, node, maker))]
    found = [
        number(view, side, [((node, _side(view, node, side)), reason) for node in makers])
        for side in ("width", "height")
    ]
    if None in found:
        return [], maker, [why("size_follows", node=view.named(maker))]
    return [replace(one, alternatives=()) for one in found if one], maker, []


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
    if found and found.value == 1 and primary and primary.kind == "image":
        return None
    return found


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


def steps(view: View, samplers: Sequence[Sampler]) -> tuple[Candidate | None, list[Why]]:
    """Steps of all samplers that take as many; where they share them, also where each begins and ends."""
    places, notes = [], []
    for sampler in samplers:
        if sampler.steps:
            places.append((sampler.steps, why("steps_of", sampler=view.named(sampler.node))))
            continue
        for link in list(view.linked(sampler.node, "SIGMAS").values())[:1]:
            told = {"sampler": view.named(sampler.node), "node": view.named(link[0])}
            notes.append(why("sigmas_fixed", **told))
    found = number(view, "steps", places)
    if found is None:
        return None, notes
    total, taken = found.value, {(target.node, target.input) for target in found.targets}
    shares = [
        target
        for sampler in samplers
        if sampler.steps in taken or _written_at(view, sampler, taken)
        for target in _shares(view, sampler.node, total)
    ]
    return replace(found, targets=(*found.targets, *shares)), notes


def cfg(view: View, samplers: Sequence[Sampler]) -> Candidate | None:
    places = [(s.cfg, why("cfg_of", node=view.named(s.cfg[0]))) for s in samplers if s.cfg]
    return number(view, "cfg", places)


def guidance(view: View, samplers: Sequence[Sampler]) -> Candidate | None:
    """FLUX's own guidance, on the way of the positive text."""
    places: list[Reasoned] = []
    for sampler in samplers:
        for place in sampler.positive:
            start = view.link(place)
            for node, _ in view.back(start, "CONDITIONING") if start else ():
                if "guidance" in view.given(node):
                    places.append(((node, "guidance"), why("guidance_of", node=view.named(node))))
    return number(view, "guidance", places)


def strength(view: View, samplers: Sequence[Sampler], reached: Sequence[str]) -> Candidate | None:
    """How much a given picture counts: denoise of a sampler that starts from one, else a node's strength."""
    places: list[Reasoned] = [
        (sampler.denoise, why("denoise_of", sampler=view.named(sampler.node)))
        for sampler in samplers
        if sampler.denoise and _starts_from_picture(view, sampler)
    ]
    for node in reached:
        pictured = view.linked(node, "IMAGE", "MASK", "CLIP_VISION_OUTPUT", "STYLE_MODEL", "CONTROL_NET")
        if pictured and "strength" in view.number_inputs(node):
            places.append(((node, "strength"), why("strength_of", node=view.named(node))))
    return number(view, "strength", places)


def _maker(view: View, sampler: Sampler) -> tuple[str | None, Why]:
    """The node whose width and height a sampler works in: where its latent begins."""
    told = {"sampler": view.named(sampler.node)}
    between = None
    for latent in sampler.latents:
        for node, onward in view.back(latent, "LATENT"):
            if onward:
                between = between or (node if _has_size(view, node) else None)
                continue
            if _has_size(view, node):
                return node, why("size_of", **told)
            for link in view.linked(node, "IMAGE").values():
                resized = _resizer(view, link)
                if resized:
                    return resized, why("resize", **told)
    return between, why("size_of", **told)


def _resizer(view: View, link: Output) -> str | None:
    return next((node for node, _ in view.back(link, "IMAGE") if _has_size(view, node)), None)


def _has_size(view: View, node: str) -> bool:
    names = {last_part(name) for name in view.number_inputs(node)}
    return {"width", "height"} <= names


def _side(view: View, node: str, side: str) -> str:
    return next(name for name in view.number_inputs(node) if last_part(name) == side)


def _same_size(view: View, node: str, maker: str) -> bool:
    """True if another node holds the same two numbers, or takes them from the same nodes."""
    if not _has_size(view, node):
        return False
    return all(
        _reading(view, node, _side(view, node, side)) == _reading(view, maker, _side(view, maker, side))
        for side in ("width", "height")
    )


def _reading(view: View, node: str, name: str) -> object:
    return view.link((node, name)) or view.value((node, name))


def _makes_frames(view: View, node: str) -> bool:
    """Lengths of sounds and texts are no frame counts."""
    info = view.info(node)
    outputs = info.get("output") or []
    return not info or bool({"LATENT", "IMAGE", "CONDITIONING"} & {str(kind) for kind in outputs})


def _written_at(view: View, sampler: Sampler, taken: set[tuple[str, str]]) -> bool:
    found = number(view, "steps", [(sampler.steps, Why(""))]) if sampler.steps else None
    return found is not None and any((target.node, target.input) in taken for target in found.targets)


def _shares(view: View, node: str, total: object) -> Iterator[Target]:
    """First and last step of a sampler that does a part of the work, as parts of the whole."""
    for name in ("start_at_step", "end_at_step"):
        value = view.value((node, name))
        if isinstance(value, int) and isinstance(total, int) and 0 < value < total:
            yield Target(node, name, times=round(value / total, 6))


def _starts_from_picture(view: View, sampler: Sampler) -> bool:
    return any(
        not onward and view.linked(node, "IMAGE") and not _has_size(view, node)
        for latent in sampler.latents
        for node, onward in view.back(latent, "LATENT")
    )
