"""Check a graph with its manifest against nodes' catalogues: whether it can be rendered, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from apps.workflows.catalogues import by_node
from apps.workflows.saidwords import in_words
from workflows.catalogue import ObjectInfo, recorded, with_packs
from workflows.errors import WorkflowError
from workflows.load import Template, template_from
from workflows.problems import Problem, missing, without_missing_models
from workflows.validate import check_graph, check_manifest, check_models

MOST_NODES: Final = 2_000
"""A graph of more is not checked against the nodes of the farm while a page waits."""


@dataclass(frozen=True)
class Checked:
    """``problems``: what is wrong wherever it is rendered, or with the manifest; empty: it may be used. A
    node class counts that no node has and no manifest declares; a model file does not.

    ``lacking``: for each node what it lacks (model files, node classes) with the nearest names it has; an
    empty tuple where it lacks nothing. ``refused``: for each node what else its ComfyUI would refuse.
    """

    problems: tuple[Problem, ...]
    lacking: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    refused: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)

    @property
    def ready_on(self) -> tuple[str, ...]:
        """The nodes that could render it now."""
        return tuple(node for node in self.lacking if not self.lacking[node] and not self.refused[node])


def check_upload(
    graph: object, manifest: object = None, catalogues: Mapping[str, ObjectInfo] | None = None
) -> Checked:
    """Check a graph, and its manifest where there is one, against these catalogues by node name.

    Without catalogues the recorded one is asked, and nothing is said of nodes. Raises nothing for bad input.
    """
    template, unreadable = _template(graph, manifest)
    if unreadable:
        return Checked(problems=unreadable)
    kinds: dict[int, tuple[tuple[Problem, ...], tuple[Problem, ...]]] = {}
    named = catalogues or {"": recorded()}
    for info in named.values():
        if id(info) not in kinds:
            kinds[id(info)] = _on(graph, template, info)
    lacking = {node: kinds[id(info)][0] for node, info in named.items()}
    refused = {node: kinds[id(info)][1] for node, info in named.items()}
    # What another node takes is no fault of the graph: the most willing one speaks.
    best = min(named, key=lambda node: len(refused[node]))
    problems = list(refused[best])
    if template is not None:
        problems += check_manifest(template, with_packs(named[best], template.manifest))
    once = tuple({(one.node, one.input, one.code, one.message): one for one in problems}.values())
    return Checked(
        problems=once, lacking=lacking if catalogues else {}, refused=refused if catalogues else {}
    )


@dataclass(frozen=True)
class OnNode:
    """What a registered node lacks for a graph, and what else its ComfyUI would refuse."""

    node: str
    lacks: tuple[Problem, ...]
    refuses: tuple[Problem, ...]

    @property
    def lacks_told(self) -> list[str]:
        """A sentence each in the reader's language, with the nearest names that the node has."""
        return [in_words(one.message) for one in self.lacks]

    @property
    def refuses_told(self) -> list[str]:
        """A sentence each."""
        return [in_words(one.message) for one in self.refuses]


def on_nodes(graph: Mapping[str, object], manifest: object = None) -> list[OnNode]:
    """Check a graph against what every registered node told last; none is asked of a very large graph.

    With its manifest the model files of every precision count.
    """
    if not graph or len(graph) > MOST_NODES:
        return []
    checked = check_upload(graph, manifest, by_node())
    return [OnNode(node, lacks, checked.refused[node]) for node, lacks in checked.lacking.items()]


def _template(graph: object, manifest: object) -> tuple[Template | None, tuple[Problem, ...]]:
    if manifest is None:
        return None, ()
    try:
        return template_from(graph, manifest), ()
    except WorkflowError as exc:
        return None, (Problem(None, None, "manifest", exc.said, name=exc.field),)


def _on(
    graph: object, template: Template | None, info: ObjectInfo
) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """What this kind of node lacks, and what else it refuses."""
    lacks = {one.name: one for one in missing(check_graph(graph, info))}
    if template is not None:
        lacks = {one.name: one for one in check_models(template, info)} | lacks
    known = with_packs(info, template.manifest) if template is not None else info
    # a model file is brought to a node, a declared class is installed there; any other class is a riddle
    refused = without_missing_models(check_graph(graph, known))
    return tuple(lacks.values()), tuple(refused)
