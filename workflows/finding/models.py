"""Where models come from: LoRA places behind their loaders, the model itself, and every model file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from workflows.finding.found import Candidate, FoundLoraPlace, FoundModel
from workflows.finding.samplers import Sampler
from workflows.finding.texts import encoders
from workflows.finding.view import Output, View
from workflows.finding.words import why
from workflows.folders import folder_of, precision_of
from workflows.graph import is_model_file
from workflows.manifest import Target

LORAS: Final = re.compile(r"lora", re.IGNORECASE)
_EXPERT: Final = re.compile(r"(?<![a-z])(high|low)(?![a-z])", re.IGNORECASE)


def model_files(view: View) -> tuple[FoundModel, ...]:
    """Every input that names a model file, in the graph's order."""
    found = []
    for node in view.graph:
        kind = view.class_of(node)
        for name, value in view.given(node).items():
            if is_model_file(value):
                folder = folder_of(kind, str(name))
                found.append(FoundModel(node, str(name), kind, value, folder, precision_of(value)))
    return tuple(found)


def lora_places(view: View, samplers: Sequence[Sampler]) -> tuple[FoundLoraPlace, ...]:
    """The output that each sampler's model comes from, once each; a CLIP with it where LoRAs patch it too."""
    places: dict[Output, FoundLoraPlace] = {}
    for sampler in samplers:
        clip, with_clip = _clip_source(view, sampler)
        for link in sampler.models[:1]:
            source, existing = _source(view, link, "MODEL")
            if not _loads_model(view, source[0]):
                continue
            known = places.get(source)
            if known:
                loras = tuple(dict.fromkeys((*known.existing, *existing)))
                places[source] = replace(known, existing=loras)
                continue
            together = clip is not None and (clip[0] == source[0] or with_clip)
            reason = why("lora_source", sampler=view.named(sampler.node))
            places[source] = FoundLoraPlace(source, clip if together else None, "", existing, reason)
    return _with_experts(view, list(places.values()))


def model(view: View, places: Sequence[FoundLoraPlace]) -> Candidate | None:
    """The model file of the first place; the other places' are alternatives."""
    found = [candidate for place in places for candidate in _named_file(view, place)]
    if not found:
        return None
    first, *others = found
    return Candidate("model", first.targets, first.value, len(found) == 1, first.reason, tuple(others))


def _named_file(view: View, place: FoundLoraPlace) -> list[Candidate]:
    node = place.model[0]
    names = [name for name, value in view.given(node).items() if is_model_file(value)]
    return [
        Candidate("model", (Target(node, name),), view.value((node, name)), True, place.reason)
        for name in names[:1]
    ]


def _source(view: View, link: Output, kind: str) -> tuple[Output, tuple[str, ...]]:
    """Where a model or CLIP is loaded, and the LoRA loaders on the way, the nearest to it first."""
    loras: list[str] = []
    seen: set[str] = set()
    while link[0] not in seen and view.step():
        seen.add(link[0])
        onward = _patched(view, link[0], kind)
        if LORAS.search(view.class_of(link[0])) and onward:
            loras.append(link[0])
        if not onward:
            break
        link = onward[0]
    return link, tuple(reversed(loras))


def _clip_source(view: View, sampler: Sampler) -> tuple[Output | None, bool]:
    """Where the CLIP of the positive text is loaded, and whether a LoRA patches it on the way."""
    for place in sampler.positive:
        for node in encoders(view, place)[0]:
            for link in view.linked(node, "CLIP").values():
                source, loras = _source(view, link, "CLIP")
                return source, bool(loras)
    return None, False


def _loads_model(view: View, node: str) -> bool:
    return not _patched(view, node, "MODEL")


def _patched(view: View, node: str, kind: str) -> list[Output]:
    """The models or CLIPs that a node alters; of a class nobody knows, what it takes by that name."""
    links = list(view.linked(node, kind).values())
    named = None if view.info(node) else view.links(node).get(kind.lower())
    return links or ([named] if named else [])


def _with_experts(view: View, places: list[FoundLoraPlace]) -> tuple[FoundLoraPlace, ...]:
    """Name the experts where several models work in turns: high and low by their files, else by stage.

    A file that several nodes load is one expert at all of them.
    """
    files = [_files(view, place) for place in places]
    if len(set(files)) < 2:
        return tuple(places)
    experts: dict[tuple[str, ...], str] = {}
    for number, names in enumerate(files, 1):
        said = [match.group(1).lower() for name in names if (match := _EXPERT.search(name))]
        free = said and said[0] not in experts.values()
        experts.setdefault(names, said[0] if free else f"stage {number}")
    named = [replace(place, expert=experts[names]) for place, names in zip(places, files, strict=True)]
    return tuple(sorted(named, key=lambda place: {"high": 0, "low": 1}.get(place.expert, 2)))


def _files(view: View, place: FoundLoraPlace) -> tuple[str, ...]:
    return tuple(value for value in view.given(place.model[0]).values() if is_model_file(value))
