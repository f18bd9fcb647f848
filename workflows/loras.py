"""Insert LoRA loaders into a graph: between where a model comes from and everything that took it.

A manifest names the places (``loras``): each is the output a model comes from and, where the text encoder
is patched too, the output a CLIP comes from. Every place gets a chain of loaders, in the order given:

    checkpoint ─▶ LoraLoader a ─▶ LoraLoader b ─▶ whoever took the checkpoint's model and CLIP
    UNETLoader ─▶ LoraLoaderModelOnly a ─▶ ModelSamplingSD3 ─▶ sampler

A model of two experts (WAN 2.2: high noise, low noise) has a place for each. A LoRA that names an expert
goes to that one only, any other goes to all.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workflows.catalogue import ObjectInfo, types_of
from workflows.errors import ValueRefused
from workflows.graph import Graph, is_link, is_model_file, linked_node
from workflows.load import Template
from workflows.manifest import LoraPlace, Manifest
from workflows.problems import Problem
from workflows.wording import Said
from workflows.wording import said as _

MOST_WEIGHT: Final = 4.0
"""Weights beyond ±4 are typing errors: 80 for 0.8. ComfyUI itself takes ±100."""
FOLDER: Final = "loras"
WITH_CLIP: Final = "LoraLoader"
MODEL_ONLY: Final = "LoraLoaderModelOnly"


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA to load: file as ComfyUI lists it with ``/``, weight, the one expert it is for ("": all)."""

    file: str
    weight: float
    expert: str = ""


def insert_loras(graph: Graph, places: Sequence[LoraPlace], loras: Sequence[Lora]) -> Graph:
    """Return a copy of the graph with a chain of loaders at each place; the same arguments, the same bytes.

    A file stands once at each place, for loaded twice it would count twice: the first one decides its weight.
    Raises ValueRefused for a weight beyond ±4, a LoRA without a file, or one that no place takes.
    """
    for lora in loras:
        check_lora(lora, places)
    patched = copy.deepcopy(graph)
    fresh = _fresh_ids(graph)
    for place in places:
        wanted: dict[str, Lora] = {}
        for lora in loras:
            if _goes_to(lora, place):
                wanted.setdefault(lora.file, lora)
        _insert_chain(patched, place, wanted.values(), fresh)
    return patched


def check_lora(lora: Lora, places: Sequence[LoraPlace]) -> None:
    """Raise ValueRefused unless this LoRA can be loaded at one of the places."""
    if not lora.file or not lora.file.isprintable():
        remedy = _("name it as ComfyUI lists it")
        raise ValueRefused("lora", lora.file, problem=_("is no file"), remedy=remedy)
    if not (math.isfinite(lora.weight) and abs(lora.weight) <= MOST_WEIGHT):
        raise ValueRefused(
            f"weight of {lora.file}",
            lora.weight,
            problem=_("is out of range"),
            remedy=_("give a number from -%(most)s to %(most)s; 0.6 to 1 is usual", most=f"{MOST_WEIGHT:g}"),
        )
    if not any(_goes_to(lora, place) for place in places):
        experts = ", ".join(place.expert for place in places if place.expert) or _("none")
        raise ValueRefused(
            f"expert of {lora.file}",
            lora.expert,
            problem=_("has no place in this template"),
            remedy=_("the template's experts: %(experts)s", experts=experts),
        )


def takes(manifest: Manifest, lora: Lora) -> bool:
    """True if the template has a place for this LoRA. Base models are compared by whoever knows them."""
    return any(_goes_to(lora, place) for place in manifest.loras)


def loader_classes(manifest: Manifest) -> tuple[str, ...]:
    """Return the node classes that loading a LoRA adds to what a ComfyUI must know, sorted."""
    return tuple(sorted({WITH_CLIP if place.clip else MODEL_ONLY for place in manifest.loras}))


def _goes_to(lora: Lora, place: LoraPlace) -> bool:
    return not lora.expert or lora.expert == place.expert


def _insert_chain(graph: Graph, place: LoraPlace, loras: Iterable[Lora], fresh: Iterator[str]) -> None:
    model, clip = _link(place.model), _link(place.clip) if place.clip else None
    takers = [(node, name, value) for node, name, value in _links(graph) if value in (model, clip)]
    new_model, new_clip = model, clip
    for lora in loras:
        loader = next(fresh)
        graph[loader] = _loader(lora, new_model, new_clip, place)
        new_model, new_clip = [loader, 0], [loader, 1] if clip else None
    for node, name, value in takers:
        graph[node]["inputs"][name] = list(new_model if value == model else new_clip or value)


def _loader(lora: Lora, model: list[Any], clip: list[Any] | None, place: LoraPlace) -> dict[str, Any]:
    title = f"LoRA {lora.file}" + _of_expert(place.expert)
    inputs: dict[str, Any] = {"model": list(model)}
    if clip:
        inputs["clip"] = list(clip)
    inputs |= {"lora_name": lora.file, "strength_model": float(lora.weight)}
    if clip:
        inputs["strength_clip"] = float(lora.weight)
    return {
        "class_type": WITH_CLIP if clip else MODEL_ONLY,
        "inputs": inputs,
        "_meta": {"title": title},
    }


def _of_expert(expert: str) -> str:
    return f", {expert} noise" if expert in ("high", "low") else f", {expert}" if expert else ""


def _fresh_ids(graph: Graph) -> Iterator[str]:
    """Count on from the largest number in any id; an id of a subgraph such as 68:8 counts with both."""
    numbers = [int(part) for node in graph for part in node.split(":") if part.isdecimal()]
    number = max(numbers, default=0)
    while True:
        number += 1
        yield str(number)


def _links(graph: Graph) -> Iterator[tuple[str, str, list[Any]]]:
    for node_id, node in graph.items():
        for name, value in node["inputs"].items():
            if is_link(value):
                yield node_id, name, value


def _link(place: tuple[str, int]) -> list[Any]:
    return [place[0], place[1]]


def lora_problems(template: Template, object_info: ObjectInfo) -> Iterator[Problem]:
    """Say what is wrong with the places a manifest names for LoRAs; with a catalogue, types too."""
    manifest = template.manifest
    if manifest.loras and not manifest.base_model:
        text = _("Places for LoRAs need a base_model, so that only fitting ones go there.")
        yield _problem("lora_base", text)
    if manifest.loras and "positive" not in manifest.bindings:
        text = _("Places for LoRAs need the role positive: trigger words go there.")
        yield _problem("lora_prompt", text)
    files: dict[str, set[tuple[str, ...]]] = {}
    for place in manifest.loras:
        files.setdefault(place.expert, set()).add(_files(template.graph, place))
    if any(len(names) > 1 for names in files.values()):
        text = _("Each place for LoRAs needs an expert of its own, unless it loads the same file.")
        yield _problem("lora_expert", text)
    sources = [link for place in manifest.loras for link in (place.model, place.clip) if link]
    for link in dict.fromkeys(sources):
        if sources.count(link) > 1:
            yield _problem("lora_shared", _("Two places for LoRAs share this output."), link)
    for place in manifest.loras:
        yield from _source_problems(template.graph, object_info, place.model, "MODEL")
        if place.clip:
            yield from _source_problems(template.graph, object_info, place.clip, "CLIP")


def _files(graph: Graph, place: LoraPlace) -> tuple[str, ...]:
    inputs = graph.get(place.model[0], {}).get("inputs", {})
    return tuple(value for value in inputs.values() if is_model_file(value))


def _source_problems(
    graph: Graph, object_info: ObjectInfo, link: tuple[str, int], kind: str
) -> Iterator[Problem]:
    node_id, slot = link
    node = graph.get(node_id)
    if node is None:
        text = _("LoRAs should follow node %(id)s, which is not in the graph.", id=node_id)
        yield _problem("unknown_node", text, link)
        return
    where = _("node %(id)s (%(title)s)", id=node_id, title=node["class_type"])
    if _link(link) not in [value for _node, _name, value in _links(graph)]:
        text = _("Nobody takes output %(slot)s of %(node)s: LoRAs there do nothing.", slot=slot, node=where)
        yield _problem("lora_untaken", text, link)
    patches = node["class_type"] not in (WITH_CLIP, MODEL_ONLY)
    if patches and any(linked_node(value) for value in node["inputs"].values()):
        text = _(
            "LoRAs would come after %(node)s, which alters the %(kind)s; name the loader it comes from.",
            node=where,
            kind=kind,
        )
        yield _problem("lora_late", text, link)
    outputs: Sequence[object] = (_known(object_info, node) or {}).get("output", ())
    if outputs and not (slot < len(outputs) and types_of(outputs[slot]) & {kind, "*"}):
        text = _("Output %(slot)s of %(node)s gives no %(kind)s.", slot=slot, node=where, kind=kind)
        yield _problem("return_type_mismatch", text, link)


def _known(object_info: ObjectInfo, node: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return object_info.get(node["class_type"])


def _problem(code: str, message: Said, link: tuple[str, int] | None = None) -> Problem:
    return Problem(link[0] if link else None, None, code, message)
