"""Check a graph against a node catalogue, and (from :mod:`workflows.manifest_check`) a manifest.

Nothing here raises for a bad graph: it answers with a list of problems, so a person sees them all.
Unlike a server, which looks only at what its outputs reach, every node is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from workflows.catalogue import COMBO, InputSpec, ObjectInfo, inputs_of, types_of
from workflows.graph import Graph, cycle_in, format_problem, is_link, is_model_file, linked_node, plain_value
from workflows.manifest_check import check_manifest
from workflows.problems import MISSING_MODEL, Problem, without_missing_models

__all__ = ["MISSING_MODEL", "Problem", "check_graph", "check_manifest", "without_missing_models"]

LINK_ONLY = frozenset(
    {"MODEL", "CLIP", "VAE", "CONDITIONING", "LATENT", "IMAGE", "MASK", "VIDEO", "AUDIO", "CONTROL_NET"}
)
"""Types that only another node can give. ComfyUI fails on them while executing, not before."""


def check_graph(graph: object, object_info: ObjectInfo) -> list[Problem]:
    """Return what a server with this catalogue would refuse, in the graph's order; empty if all is well.

    Model files that the catalogue does not list have the code ``missing_model``: they are a fact about
    that node, not a fault of the graph (see ``without_missing_models``). Files of the input folder are not
    judged, since they are uploaded first.
    """
    unreadable = format_problem(graph)
    if unreadable is not None:
        return [unreadable]
    nodes = cast("Graph", graph)
    problems: list[Problem] = []
    for node_id, node in nodes.items():
        problems += _node_problems(nodes, node_id, node, object_info)
    return problems + _whole_problems(nodes, object_info)


def _whole_problems(graph: Graph, object_info: ObjectInfo) -> list[Problem]:
    problems = []
    classes = [object_info.get(node["class_type"]) for node in graph.values()]
    if not any(known and known.get("output_node") for known in classes):
        problems.append(
            Problem(None, None, "prompt_no_outputs", "No node saves anything; add one such as SaveImage.")
        )
    cycle = cycle_in(graph)
    if cycle:
        way = " -> ".join(f"{node} ({graph[node]['class_type']})" for node in cycle)
        problems.append(Problem(cycle[0], None, "dependency_cycle", f"The graph runs in a circle: {way}."))
    return problems


def _node_problems(
    graph: Graph, node_id: str, node: Mapping[str, Any], object_info: ObjectInfo
) -> Iterator[Problem]:
    class_type = node["class_type"]
    known = object_info.get(class_type)
    if known is None:
        yield Problem(
            node_id, None, "missing_node_type", f"Node {node_id}: this ComfyUI has no class {class_type!r}."
        )
        return
    given = node["inputs"]
    where = f"Node {node_id} ({class_type})"
    for name, spec in inputs_of(known, given).items():
        if name in given:
            finding = _input_finding(graph, spec, given[name], object_info)
        elif spec.required:
            finding = ("required_input_missing", f"is required and missing; it takes {spec.type}")
        else:
            finding = None
        if finding:
            code, text = finding
            yield Problem(node_id, name, code, f"{where}, input {name!r}: {text}.")


Finding = tuple[str, str]


def _input_finding(graph: Graph, spec: InputSpec, value: Any, object_info: ObjectInfo) -> Finding | None:
    if is_link(value):
        return _link_finding(graph, spec, value, object_info)
    if spec.types <= LINK_ONLY:
        return "link_expected", f"takes a link from a node that gives {spec.type}, not the value {value!r}"
    plain = plain_value(value)
    if spec.type == COMBO:
        return _choice_finding(spec, plain)
    return _number_finding(spec, plain)


def _link_finding(graph: Graph, spec: InputSpec, link: Any, object_info: ObjectInfo) -> Finding | None:
    source = linked_node(link)
    if source is None:
        return "bad_linked_input", f"{link!r} is not a link; a link is [node id, output slot]"
    if source not in graph:
        return "bad_linked_input", f"links to node {source}, which is not in the graph"
    giver = object_info.get(graph[source]["class_type"])
    if giver is None:
        return None  # reported at the giver itself
    outputs, slot = giver["output"], link[1]
    if not 0 <= slot < len(outputs):
        return "bad_linked_input", f"links to slot {slot} of node {source}, which has {len(outputs)} outputs"
    offered = types_of(outputs[slot])
    if "*" in offered | spec.types or offered & spec.types:
        return None
    return "return_type_mismatch", f"takes {spec.type}, but node {source} slot {slot} gives {outputs[slot]}"


def _choice_finding(spec: InputSpec, value: object) -> Finding | None:
    if spec.options is None or spec.takes_uploads:
        return None
    chosen = value if isinstance(value, list) and spec.facts.get("multiselect") else [value]
    absent = [one for one in chosen if one not in spec.options and not _listed_otherwise(one, spec)]
    if not absent:
        return None
    if is_model_file(absent[0]):
        return MISSING_MODEL, f"the model file {absent[0]!r} is not on this ComfyUI"
    if not spec.options:
        return None  # typed by a person (CustomCombo), or a folder this server has nothing in
    listed = ", ".join(repr(option) for option in spec.options[:12])
    more = ", …" if len(spec.options) > 12 else ""
    return "value_not_in_list", f"{absent[0]!r} is not a choice; it takes {listed}{more}"


def _listed_otherwise(value: object, spec: InputSpec) -> bool:
    """A Windows node lists ``sub\\model.safetensors``; the worker writes names as its node lists them."""
    if not is_model_file(value):
        return False
    wanted = str(value).replace("\\", "/")
    return any(str(option).replace("\\", "/") == wanted for option in spec.options or ())


def _number_finding(spec: InputSpec, value: Any) -> Finding | None:
    if spec.type not in ("INT", "FLOAT"):
        return None
    try:
        # as lenient as the server, which turns "20" into 20
        number = int(value) if spec.type == "INT" else float(value)
    except (TypeError, ValueError, OverflowError):
        return "invalid_input_type", f"{value!r} is not a {spec.type}"
    low, high = spec.facts.get("min"), spec.facts.get("max")
    if low is not None and number < low:
        return "value_smaller_than_min", f"{number} is below the least allowed, {low}"
    if high is not None and number > high:
        return "value_bigger_than_max", f"{number} is above the most allowed, {high}"
    return None
