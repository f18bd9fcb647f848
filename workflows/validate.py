"""Check a graph against a node catalogue, and (from :mod:`workflows.manifest_check`) a manifest.

Nothing here raises for a bad graph: it answers with a list of problems, so a person sees them all. What
ComfyUI refuses is found with its own codes, at the nodes it names; what it takes, and fails on while it
executes, is found as well and marked ``late``. Like ComfyUI, only what an output needs is looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, cast

from workflows.catalogue import Inputs, InputSpec, ObjectInfo, inputs_of, model_files
from workflows.convert.saying import in_a_circle, named, shown
from workflows.graph import Graph, format_problem
from workflows.judging import EXCEPTION, INNER_EXCEPTION, Bench, Finding
from workflows.load import Template
from workflows.manifest_check import check_manifest
from workflows.nearest import Search
from workflows.problems import MODEL, NODE_CLASS, Problem, missing, without_missing_models
from workflows.wording import Said
from workflows.wording import said as _

__all__ = [
    "MODEL",
    "NODE_CLASS",
    "Problem",
    "check_graph",
    "check_manifest",
    "check_models",
    "missing",
    "without_missing_models",
]

MOST_ROUND: Final = 11
"""Of a circle of as many nodes or more, the first are named."""
MOST_SAID: Final = 200
"""A broken graph of ten megabytes has no use for ten thousand sentences."""
MOST_LOOKED_FOR: Final = 1_000
"""The check ends at as many problems."""


def check_graph(
    graph: object,
    object_info: ObjectInfo,
    *,
    uploaded: Collection[str] | None = None,
    targets: Collection[str] | None = None,
) -> list[Problem]:
    """Return what a server with this catalogue would refuse, in the graph's order; empty if all is well.

    Model files and classes that the catalogue does not list are ``missing``: a fact about that node, not a
    fault of the graph (see ``without_missing_models``). ``uploaded`` names the files of the input folder;
    without it they are not judged, since they are uploaded first. ``targets``: the outputs to run, all by
    default. At most 200 problems are said.
    """
    unreadable = format_problem(graph)
    if unreadable is not None:
        return [_classless(graph, unreadable)]
    check = _Check(cast("Graph", graph), object_info, uploaded)
    found = check.problems(targets)
    if len(found) > MOST_SAID:
        count = len(found) - MOST_SAID
        rest = _("%(count)s more problems of this graph are not listed.", count=count)
        if check.is_full:
            rest = _("At least %(count)s more problems of this graph are not listed.", count=count)
        found = [*found[:MOST_SAID], Problem(None, None, "more_problems", rest)]
    return found


def check_models(template: Template, object_info: ObjectInfo) -> list[Problem]:
    """Return which model files of a template the catalogue lacks, of every precision, each once."""
    check = _Check(template.graph, object_info, None)
    found: dict[str, Problem] = {}
    for model in template.manifest.models:
        node = template.graph.get(model.node)
        known = object_info.get(node["class_type"]) if node else None
        if node is None or known is None:
            continue  # told as what it is: a manifest that does not fit, a class that is missing
        spec = inputs_of(known, {**node["inputs"], model.input: model.name}).get(model.input)
        finding = check.bench.input_finding(node["class_type"], spec, model.name) if spec else None
        if finding and finding.missing:
            found.setdefault(model.name, check.problem(model.node, model.input, finding))
    return list(found.values())


def title_of(graph: Graph, node_id: str) -> str:
    """Return a node's title as people gave it, its class where they gave none."""
    meta = graph[node_id].get("_meta")
    title = meta.get("title") if isinstance(meta, Mapping) else None
    return title if isinstance(title, str) and title else str(graph[node_id]["class_type"])


def _classless(graph: object, unreadable: Problem) -> Problem:
    """A node without a class is for ComfyUI a node of a missing class."""
    node = graph.get(unreadable.node) if isinstance(graph, Mapping) else None
    if isinstance(node, Mapping) and not isinstance(node.get("class_type"), str):
        return replace(unreadable, code="missing_node_type")
    return unreadable


@dataclass(slots=True)
class _Step:
    """A node on the way from an output; ``back``: the first step of the way that a circle leads back to.

    ``round`` begins that circle's nodes.
    """

    node: str
    back: int | None = None
    round: Sequence[str] = ()

    def closes(self, back: int, nodes: Sequence[str]) -> None:
        if self.back is None or back < self.back:
            self.back, self.round = back, nodes


class _Check:
    """One walk from the outputs along the links, as ComfyUI's: a node is judged when it is first met."""

    def __init__(self, graph: Graph, object_info: ObjectInfo, uploaded: Collection[str] | None) -> None:
        self.graph = graph
        self.object_info = object_info
        self.search = Search()
        other_files = cache(lambda: model_files(object_info))
        self.bench = Bench(graph, object_info, uploaded, other_files, self.search)
        self.inputs = Inputs(object_info)
        self.outputs: set[str] = set()
        self.found: dict[str, list[Problem]] = {}
        self.count = 0

    @property
    def is_full(self) -> bool:
        """True once there are so many problems that no more are looked for."""
        return self.count >= MOST_LOOKED_FOR

    def problems(self, targets: Collection[str] | None) -> list[Problem]:
        for node_id, node in self.graph.items():
            known = self.object_info.get(node["class_type"])
            if known is None:
                self.found[node_id] = []
                if not self.is_full:
                    self._add(node_id, self._unknown_class(node_id, node["class_type"]))
            elif known.get("output_node") and (targets is None or node_id in targets):
                self.outputs.add(node_id)
        if not self.outputs and not self.found:
            text = _("No node saves anything; add one such as SaveImage.")
            return [Problem(None, None, "prompt_no_outputs", text)]
        for output in self.graph:
            if output in self.outputs:
                self._walk(output)
        return [problem for node_id in self.graph for problem in self.found.get(node_id, ())]

    def _walk(self, start: str) -> None:
        """Look at everything an output needs; a node in a circle is told so when all behind it is known."""
        path: list[_Step] = []
        place: dict[str, int] = {}
        waiting = [iter([start])]
        while waiting and not self.is_full:
            node_id = next(waiting[-1], None)
            if node_id is None:
                waiting.pop()
                if path:
                    done = path.pop()
                    del place[done.node]
                    self._leave(done, len(path), path[-1] if path else None)
            elif node_id in place:
                back = place[node_id]
                path[-1].closes(back, [step.node for step in path[back : back + MOST_ROUND]])
            elif node_id not in self.found:
                place[node_id] = len(path)
                path.append(_Step(node_id))
                self.found[node_id] = []
                waiting.append(iter(self._judge(node_id)))

    def _leave(self, done: _Step, at: int, before: _Step | None) -> None:
        """A circle that goes back to this step of the path, or to one before it, holds its node."""
        if done.back is None or done.back > at:
            return
        shortened = len(done.round) == MOST_ROUND
        names: list[str] = [self._named(one) for one in done.round[: MOST_ROUND - 2 if shortened else None]]
        names += ["…"] if shortened else []
        text = in_a_circle([*names, self._named(done.round[0])])
        title = title_of(self.graph, done.node)
        self._add(done.node, Problem(done.node, None, "dependency_cycle", text, title))
        if before is not None:
            before.closes(done.back, done.round)

    def _judge(self, node_id: str) -> list[str]:
        """Note what is wrong with a node's inputs; return the nodes to look at next."""
        node = self.graph[node_id]
        given, class_type = node["inputs"], node["class_type"]
        following: dict[str, None] = {}
        for name, spec in self.inputs.of(class_type, given).items():
            if name in given:
                finding = self.bench.input_finding(class_type, spec, given[name])
                source = self.bench.follows(spec, given[name], finding)
                if source is not None:
                    following[source] = None
            else:
                finding = _absent(spec)
            if finding:
                self._add(node_id, self.problem(node_id, name, finding))
        return list(following)

    def _add(self, node_id: str, problem: Problem) -> None:
        self.found[node_id].append(problem)
        self.count += 1

    def problem(self, node_id: str, name: str, finding: Finding) -> Problem:
        """Say what was found, of which node, in words."""
        inner = finding.code == EXCEPTION and node_id not in self.outputs
        return Problem(
            node=node_id,
            input=name,
            code=INNER_EXCEPTION if inner else finding.code,
            message=_(
                "%(node)s, input %(input)s: %(finding)s.",
                node=self._named(node_id),
                input=shown(name),
                finding=finding.text,
            ),
            title=title_of(self.graph, node_id),
            missing=finding.missing,
            name=finding.name,
            nearest=finding.nearest,
            late=finding.late,
        )

    def _unknown_class(self, node_id: str, class_type: str) -> Problem:
        nearest = self.search.classes(class_type, self.object_info)
        text = _("this ComfyUI has no class %(name)s", name=shown(class_type))
        if nearest:
            text = _("%(sentence)s; nearest: %(names)s", sentence=text, names=", ".join(nearest))
        text = _("%(node)s: %(finding)s.", node=self._named(node_id), finding=text)
        title = title_of(self.graph, node_id)
        return Problem(node_id, None, "missing_node_type", text, title, NODE_CLASS, class_type, nearest)

    def _named(self, node_id: str) -> Said:
        title, class_type = title_of(self.graph, node_id), str(self.graph[node_id]["class_type"])
        return named(node_id, title if title == class_type else f"{title}, {class_type}")


def _absent(spec: InputSpec) -> Finding | None:
    if not spec.required:
        return None
    text = _("is required and missing; it takes %(type)s", type=spec.type)
    return Finding("required_input_missing", text, spec.unasked)
