"""What a graph is without the optional roles that nobody gave."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

from workflows.catalogue import ObjectInfo
from workflows.graph import Graph, linked_node
from workflows.load import Template
from workflows.manifest import Manifest, Without
from workflows.problems import Problem
from workflows.wording import Said
from workflows.wording import said as _


def without(graph: Graph, manifest: Manifest, roles: Sequence[str]) -> Graph:
    """Return a copy of the graph without what belongs to these roles alone; required ones change nothing.

    Inputs that came from a node which goes are led elsewhere where the manifest says so, and left out else.
    """
    left = copy.deepcopy(graph)
    for role in roles:
        rule = manifest.bindings[role].optional
        if rule is None:
            continue
        for (node, name), output in rule.relink.items():
            if node in left:
                left[node]["inputs"][name] = list(output)
        for gone in rule.remove:
            left.pop(gone, None)
        for each in left.values():
            lost = [name for name, value in each["inputs"].items() if linked_node(value) in rule.remove]
            for name in lost:
                del each["inputs"][name]
    return left


def optional_problems(template: Template, object_info: ObjectInfo) -> Iterator[Problem]:
    """Say what does not fit in the optional bindings: nodes that are not there, outputs that go too."""
    manifest, graph = template.manifest, template.graph
    for role, binding in manifest.bindings.items():
        rule = binding.optional
        if rule is None:
            continue
        if role in manifest.defaults:
            yield _wrong(None, None, role, _("is optional and has a default; leave one of both out"))
        yield from _wrong_rule(graph, role, rule)
        yield from _lost_inputs(template, role, object_info)


def _wrong_rule(graph: Graph, role: str, rule: Without) -> Iterator[Problem]:
    named = [
        *rule.remove,
        *(node for node, _name in rule.relink),
        *(node for node, _slot in rule.relink.values()),
    ]
    for node in named:
        if node not in graph:
            yield _wrong(node, None, role, _("names node %(id)s, which is not in the graph", id=node))
    for (node, name), (source, _slot) in rule.relink.items():
        told = {"input": repr(name), "id": node}
        if source in rule.remove:
            text = _(
                "leads %(input)s of node %(id)s to node %(source)s, which goes too", **told, source=source
            )
            yield _wrong(node, name, role, text)
        if node in graph and name not in graph[node]["inputs"]:
            text = _("leads %(input)s of node %(id)s elsewhere, which it does not have", **told)
            yield _wrong(node, name, role, text)


def _lost_inputs(template: Template, role: str, object_info: ObjectInfo) -> Iterator[Problem]:
    """An input that a class requires must not go with an optional role."""
    left = without(template.graph, template.manifest, [role])
    for node_id, node in left.items():
        required = object_info.get(node["class_type"], {}).get("input", {}).get("required") or {}
        for name in template.graph[node_id]["inputs"]:
            if name not in node["inputs"] and name in required:
                where = _(
                    "%(input)s of node %(id)s (%(title)s)",
                    input=repr(name),
                    id=node_id,
                    title=node["class_type"],
                )
                text = _("leaves %(where)s without a value; lead it elsewhere by relink", where=where)
                yield _wrong(node_id, name, role, text)


def _wrong(node: str | None, name: str | None, role: str, text: Said) -> Problem:
    told = _("Role %(role)s %(finding)s.", role=repr(role), finding=text)
    return Problem(node, name, "optional", told)
