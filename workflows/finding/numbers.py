"""Seed, size, steps, cfg, guidance and strength."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from workflows.finding.choosing import Reasoned, number, with_alternatives
from workflows.finding.found import Candidate, Why
from workflows.finding.origins import number_origin
from workflows.finding.samplers import SEEDS, Sampler
from workflows.finding.texts import last_part
from workflows.finding.view import Output, View
from workflows.finding.words import why
from workflows.manifest import Target

SIDES: Final = ("width", "height")


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
        notes = [why("size_follows", node=view.named(samplers[0].node))] if samplers else []
        return [], None, notes
    makers = [maker, *(node for node in reached if node != maker and _same_size(view, node, maker))]
    found = [
        number(view, side, [((node, _side(view, node, side)), reason) for node in makers]) for side in SIDES
    ]
    if None in found:
        return _measured(view, maker) or ([], maker, [why("size_follows", node=view.named(maker))])
    return [replace(one, alternatives=()) for one in found if one], maker, []


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
    return replace(found, targets=tuple(dict.fromkeys((*found.targets, *shares)))), notes


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
    """How much a given picture counts: a node's strength, or denoise of a sampler that starts from one."""
    by_class: dict[str, list[Reasoned]] = {}
    for node in reached:
        kinds = view.kinds_out(node) or {"MODEL"}
        pictured = view.linked(node, "IMAGE", "MASK", "CLIP_VISION_OUTPUT", "STYLE_MODEL", "CONTROL_NET")
        made = kinds & {"MODEL", "CONDITIONING", "LATENT"}
        if pictured and made and "strength" in view.number_inputs(node):
            reason = why("strength_of", node=view.named(node))
            by_class.setdefault(view.class_of(node), []).append(((node, "strength"), reason))
    denoise: list[list[Reasoned]] = [
        [(sampler.denoise, why("denoise_of", sampler=view.named(sampler.node)))]
        for sampler in samplers
        if sampler.denoise and sampler.seed and _starts_from_picture(view, sampler)
    ]
    found = [one for rows in (*denoise, *by_class.values()) if (one := number(view, "strength", rows))]
    if not found:
        return None
    # a sampler that denoises all of it makes no use of the picture it starts from
    ranked = sorted(found, key=lambda one: one.reason.code == "denoise_of" and one.value == 1)
    return with_alternatives(ranked[0], ranked[1:])


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


def _measured(view: View, maker: str) -> tuple[list[Candidate], str | None, list[Why]] | None:
    """The size of a picture that was brought to a size before: where it was."""
    sized, seen = maker, {maker}
    while (resized := _measured_at(view, sized)) is not None and resized not in seen:
        reason = why("resize", sampler=view.named(maker))
        found = [number(view, side, [((resized, _side(view, resized, side)), reason)]) for side in SIDES]
        if None not in found:
            return [one for one in found if one], maker, []
        seen.add(resized)
        sized = resized
    return None


def _measured_at(view: View, sized: str) -> str | None:
    """The node that gave its size to the picture whose size this node takes."""
    link = view.link((sized, _side(view, sized, "width")))
    for node, _ in view.back(link, "INT", "FLOAT") if link else ():
        for picture in view.linked(node, "IMAGE").values():
            resized = _resizer(view, picture)
            if resized is not None:
                return resized
    return None


def _resizer(view: View, link: Output) -> str | None:
    return next((node for node, _ in view.back(link, "IMAGE") if _has_size(view, node)), None)


def _has_size(view: View, node: str) -> bool:
    names = {last_part(name) for name in view.number_inputs(node)}
    return {"width", "height"} <= names and not _preset(view, node)


def _preset(view: View, node: str) -> bool:
    """True where a choice beside them says the size, unless it says that they do."""
    said = [value for name, value in view.given(node).items() if last_part(name) == "size_preset"]
    return any("custom" not in str(value).lower() for value in said)


def _side(view: View, node: str, side: str) -> str:
    return next(name for name in view.number_inputs(node) if last_part(name) == side)


def _same_size(view: View, node: str, maker: str) -> bool:
    """True if another node holds the same two numbers, or takes them from the same nodes."""
    if not _has_size(view, node):
        return False
    return all(
        _reading(view, node, _side(view, node, side)) == _reading(view, maker, _side(view, maker, side))
        for side in SIDES
    )


def _reading(view: View, node: str, name: str) -> object:
    return view.link((node, name)) or view.value((node, name))


def _written_at(view: View, sampler: Sampler, taken: set[tuple[str, str]]) -> bool:
    found = number(view, "steps", [(sampler.steps, Why(""))]) if sampler.steps else None
    return found is not None and any((target.node, target.input) in taken for target in found.targets)


def _shares(view: View, node: str, total: object) -> Iterator[Target]:
    """First and last step of a sampler that does a part of the work, as parts of the whole."""
    places = [(node, "start_at_step"), (node, "end_at_step")]
    for link in view.linked(node, "SIGMAS").values():
        places += [(owner, "step") for owner, onward in view.back(link, "SIGMAS") if onward]
    for place in places:
        origin = number_origin(view, place)
        value = view.value(origin.place) if origin and origin.exact else None
        if origin and isinstance(value, int) and isinstance(total, int) and 0 < value < total:
            yield Target(*origin.place, times=round(value / total, 6))


def _starts_from_picture(view: View, sampler: Sampler) -> bool:
    return any(
        not onward and view.linked(node, "IMAGE") and not _has_size(view, node) and not _steers(view, node)
        for latent in sampler.latents
        for node, onward in view.back(latent, "LATENT")
    )


def _steers(view: View, node: str) -> bool:
    """A picture that goes into the conditioning (InstructPixToPix) leaves the latent beside it empty."""
    return "CONDITIONING" in view.kinds_out(node) and not view.linked(node, "MASK")
