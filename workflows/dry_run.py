"""What a job would send: the final graph, each value's origin, and what differs from the template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from workflows.bind import FileInput, bind
from workflows.compare import GraphDiff, compare, title
from workflows.graph import Graph, is_link
from workflows.load import Template
from workflows.loras import Lora
from workflows.manifest import Target, Value

ORIGINS: Final = ("default", "shot", "preset", "project", "character", "request", "farm")
"""Where a value may come from: the template's default, a field of the shot, a preset, the project's
settings, a character's LoRA, what the person typed for this request, or the farm itself (seed, prefix)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from. ``detail`` is shown: "shot SH0030, 97 frames at 24 fps"."""

    kind: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}" if self.detail else self.kind


DEFAULT: Final = Origin("default")


@dataclass(frozen=True, slots=True)
class Given:
    """A role's value and where it comes from."""

    value: Value
    origin: Origin


@dataclass(frozen=True, slots=True)
class GivenLora:
    """A LoRA to chain in and where it comes from: "character MINA"."""

    lora: Lora
    origin: Origin


@dataclass(frozen=True, slots=True)
class WrittenInput:
    """One input that the run writes. ``before`` is the template's value, None in a node that is inserted."""

    node: str
    title: str
    class_type: str
    input: str
    role: str
    value: object
    before: object
    origin: Origin


@dataclass(frozen=True, slots=True)
class DryRun:
    """The graph as it would be sent, but for the names of uploaded files (``files``)."""

    graph: Graph
    written: tuple[WrittenInput, ...]
    files: tuple[FileInput, ...]
    diff: GraphDiff


def dry_run(
    template: Template,
    values: Mapping[str, Given],
    *,
    filename_prefix: Given,
    loras: Sequence[GivenLora] = (),
) -> DryRun:
    """Bind like a job does (:func:`workflows.bind.bind`), and tell each written input's origin.

    Raises what ``bind`` raises: UnknownRole, MissingRole, ValueRefused.
    """
    bound = bind(
        template,
        {role: given.value for role, given in values.items()},
        filename_prefix=str(filename_prefix.value),
        loras=[given.lora for given in loras],
    )
    origins = {role: given.origin for role, given in values.items()}
    origins["filename_prefix"] = filename_prefix.origin
    written = [
        _written(template.graph, bound.graph, target, role, origins.get(role, DEFAULT))
        for role in bound.values
        for target in template.manifest.bindings[role].targets
        if target.node in bound.graph
    ]
    chained = list(_loaders(template.graph, bound.graph, loras))
    return DryRun(
        graph=bound.graph,
        written=(*written, *chained),
        files=tuple(bound.inputs),
        diff=compare(template.graph, bound.graph),
    )


def _written(before: Graph, graph: Graph, target: Target, role: str, origin: Origin) -> WrittenInput:
    node = graph[target.node]
    return WrittenInput(
        node=target.node,
        title=title(node),
        class_type=str(node["class_type"]),
        input=target.input,
        role=role,
        value=node["inputs"].get(target.input),
        before=before[target.node]["inputs"].get(target.input),
        origin=origin,
    )


def _loaders(before: Graph, graph: Graph, loras: Sequence[GivenLora]) -> Iterator[WrittenInput]:
    """What stands in the loaders that were chained in. A file chained in twice counts once: the first."""
    origins: dict[str, Origin] = {}
    for given in loras:
        origins.setdefault(given.lora.file, given.origin)
    for node_id, node in graph.items():
        origin = origins.get(str(node["inputs"].get("lora_name"))) if node_id not in before else None
        if origin is None:
            continue
        for name, value in node["inputs"].items():
            if not is_link(value):
                kind = str(node["class_type"])
                yield WrittenInput(node_id, title(node), kind, name, "loras", value, None, origin)
