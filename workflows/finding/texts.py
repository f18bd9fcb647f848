"""Positive and negative text: from a sampler's conditioning back to the text encoders, and to their text."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from workflows.finding.choosing import together, with_alternatives
from workflows.finding.found import Candidate, Why
from workflows.finding.origins import NO_PROMPT, text_origins
from workflows.finding.samplers import Sampler, latents_of
from workflows.finding.view import MOST_WALKED, Output, Place, View
from workflows.finding.words import why
from workflows.graph import is_model_file
from workflows.manifest import Target

ZEROED: Final = "ConditioningZeroOut"
JOINT: Final = frozenset({"clip_l", "clip_g", "t5xxl", "text_g", "text_l", "llama"})
"""Inputs of one encoder that all take the same prompt."""
PROMPTS: Final = ("prompt", "positive_prompt", "prompt_text", "text", "text_prompt")
NEGATIVES: Final = ("negative_prompt", "negative", "negative_text_prompt")


def encoders(view: View, place: Place) -> tuple[list[str], list[str]]:
    """The nodes whose text reaches a conditioning input, and the nodes that switch it off on the way."""
    found: list[str] = []
    zeroed: list[str] = []
    start = view.link(place)
    waiting: deque[Output] = deque([start] if start else [])
    seen: set[Output] = set()
    while waiting and len(seen) < MOST_WALKED and view.step():
        output = waiting.popleft()
        if output in seen:
            continue
        seen.add(output)
        node = output[0]
        onward = _conditioning(view, output)
        if view.class_of(node) == ZEROED:
            zeroed.append(node)
        elif onward:
            waiting.extend(onward)
        elif node not in found and encoder_inputs(view, node, "positive"):
            found.append(node)
    return found, zeroed


def encoder_inputs(view: View, node: str, role: str) -> list[str]:
    """The inputs of a text encoder that take the prompt; of one for both sides, its own side's."""
    names = [
        name
        for name in view.text_inputs(node)
        if last_part(name) not in NO_PROMPT and not is_model_file(view.value((node, name)))
    ]
    joint = [name for name in names if name in JOINT or name == role]
    if joint:
        return joint
    usual = [name for name in names if last_part(name) in PROMPTS]
    return (usual or names)[:1]


def last_part(name: str) -> str:
    """``model.prompt`` is the prompt of a choice."""
    return name.rsplit(".", 1)[-1]


def prompt(view: View, role: str, samplers: Sequence[Sampler]) -> tuple[Candidate | None, list[Why]]:
    """The candidate for positive or negative text of these samplers, and what to know about it."""
    found: list[Candidate] = []
    notes: list[Why] = []
    for sampler in samplers:
        for place in sampler.positive if role == "positive" else sampler.negative:
            nodes, zeroed = encoders(view, place)
            reason = why("conditions", input=role, sampler=view.named(sampler.node))
            for node in nodes:
                found += filter(None, [_of_encoder(view, role, node, reason)])
            if zeroed and role == "negative":
                told = why("negative_zeroed", sampler=view.named(sampler.node), node=view.named(zeroed[0]))
                notes.append(told)
    chosen = together(found)
    if chosen and any(other.value != chosen.value and other.sure for other in chosen.alternatives):
        chosen = replace(chosen, sure=False)  # stages with texts of their own: a person says which it is
    return chosen, notes


def texts_of(view: View, role: str, places: Sequence[Place]) -> tuple[Place, ...]:
    """The inputs that the positive or negative texts of a sampler's conditioning are written in."""
    written: dict[Place, None] = {}
    for place in places:
        for node in encoders(view, place)[0]:
            candidate = _of_encoder(view, role, node, Why(""))
            written.update(((t.node, t.input), None) for t in (candidate.targets if candidate else ()))
    return tuple(written)


def drawing_samplers(view: View, samplers: Sequence[Sampler]) -> frozenset[str]:
    """Samplers without any text that work for one with a text: they draw what steers it (Lotus: depth)."""
    worded = [sampler for sampler in samplers if texts_of(view, "positive", sampler.positive)]
    mute = [sampler for sampler in samplers if sampler not in worded]
    if not worded or not mute:
        return frozenset()
    needed = view.above([sampler.node for sampler in worded])
    stages = set().union(*(latents_of(view, sampler) for sampler in worded))
    return frozenset(one.node for one in mute if one.node in needed and one.node not in stages)


def with_makers(
    view: View,
    role: str,
    found: Candidate | None,
    samplers: Sequence[Sampler],
    reached: Mapping[str, int],
) -> Candidate | None:
    """The text of the samplers; before it that of a service that makes the clip of their picture."""
    if not samplers:
        return prompt_of_maker(view, role, list(reached))
    nearest = min(reached[sampler.node] for sampler in samplers)
    makers = [node for node, distance in reached.items() if distance < nearest and _films(view, node)]
    of_clip = prompt_of_maker(view, role, makers)
    if of_clip:
        return replace(with_alternatives(of_clip, [found] if found else []), sure=False)
    return replace(found, sure=False) if found and makers else found


def _films(view: View, node: str) -> bool:
    made = "VIDEO" in view.kinds_out(node) and not view.linked(node, "VIDEO")
    return made and bool(view.info(node).get("api_node"))


def prompt_of_maker(view: View, role: str, reached: Sequence[str]) -> Candidate | None:
    """The text of what makes the primary output without a sampler, such as a node of a paid service."""
    found = [
        candidate
        for node in reached
        for name in view.text_inputs(node)
        if _asks(last_part(name), role)
        if (candidate := _at(view, role, (node, name), why("prompt_of_maker", node=view.named(node))))
    ]
    if not found:
        return None
    first, *others = found
    node = first.targets[0].node
    several = any(other.sure and other.value and other.targets[0].node != node for other in others)
    return with_alternatives(replace(first, sure=first.sure and not several), others)


def _asks(name: str, role: str) -> bool:
    """True for a text input of a maker that takes this role's text."""
    if role == "negative" or name in NO_PROMPT or "negative" in name:
        return role == "negative" and name in NEGATIVES
    return name in PROMPTS or name.endswith(("_prompt", "_instruction"))


def _conditioning(view: View, output: Output) -> list[Output]:
    """The conditioning that an output hands on: of several, the one of its own name."""
    node, slot = output
    links = view.linked(node, "CONDITIONING")
    name = view.slot_name(output).lower()
    if name in links:
        return [links[name]]
    sides = [links[side] for side in ("positive", "negative") if side in links]
    if len(sides) == 2 and not view.info(node) and slot in (0, 1):
        return [sides[slot]]
    if name in ("positive", "negative") and sides:
        return []
    return list(links.values())


def _of_encoder(view: View, role: str, node: str, reason: Why) -> Candidate | None:
    parts = [_at(view, role, (node, name), reason) for name in encoder_inputs(view, node, role)]
    found = [part for part in parts if part]
    if not found:
        return None
    targets = tuple(dict.fromkeys(target for part in found for target in part.targets))
    others = [other for part in found for other in part.alternatives]
    return with_alternatives(
        replace(found[0], targets=targets, sure=all(part.sure for part in found), alternatives=()), others
    )


def _at(view: View, role: str, place: Place, reason: Why) -> Candidate | None:
    """The text of one input: where it stands, else where it comes from, else the input itself."""
    if view.link(place) is None:
        value = view.value(place)
        known = bool(view.info(place[0]))
        return Candidate(role, (Target(*place),), value, known, reason) if isinstance(value, str) else None
    origins = text_origins(view, place)
    exact = bool(origins) and origins[0].exact
    instead = Candidate(
        role,
        (Target(*place, replaces_link=True),),
        None,
        False,
        why("computed_text", node=view.named(place[0])),
    )
    found = list(
        _written(view, role, [origin.place for origin in origins], reason, exact and len(origins) == 1)
    )
    if not found:
        return instead
    return with_alternatives(found[0], found[1:] if exact else [*found[1:], instead])


def _written(view: View, role: str, places: Sequence[Place], reason: Why, alone: bool) -> Iterator[Candidate]:
    for place in places:
        yield Candidate(role, (Target(*place),), view.value(place), alone, reason)
