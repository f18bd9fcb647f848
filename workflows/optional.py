"""What a graph is without the optional roles that nobody gave."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence

from workflows.catalogue import ObjectInfo
from workflows.graph import Graph, linked_node
from workflows.load import Template
from workflows.manifest import Manifest, Without
from workflows.problems import Problem
from workflows.wording import Said
from workflows.wording import said as _

_Output = tuple[str, int]


def without(graph: Graph, manifest: Manifest, roles: Sequence[str]) -> Graph:
    """Return a copy of the graph without what belongs to these roles alone; required ones change nothing.

    Inputs that came from a node which goes are led elsewhere where the manifest says so, and left out else.
    Where that goes with another of the roles, they are led on, to what was to stand for it.
    """
    rules = [rule for role in roles if (rule := manifest.bindings[role].optional) is not None]
    gone = {node for rule in rules for node in rule.remove}
    instead: dict[_Output, list[_Output]] = {}
    led: dict[tuple[str, str], list[_Output]] = {}
    for (node, name), output in (row for rule in rules for row in rule.relink.items()):
        led.setdefault((node, name), []).insert(0, output)
        before = _output(graph, node, name)
        if before is not None:
            instead.setdefault(before, []).append(output)
    left = copy.deepcopy({node: body for node, body in graph.items() if node not in gone})
    for (node, name), outputs in led.items():
        to = _staying(outputs, gone, instead)
        if node in left and to is not None:
            left[node]["inputs"][name] = list(to)
    for body in left.values():
        lost = [name for name, value in body["inputs"].items() if linked_node(value) in gone]
        for name in lost:
            del body["inputs"][name]
    return left


def _output(graph: Graph, node: str, name: str) -> _Output | None:
    """What an input takes in the whole graph; None for a value, and for what is not there."""
    value = graph[node]["inputs"].get(name) if node in graph else None
    giver = linked_node(value)
    return None if giver is None or value is None else (giver, value[1])


def _staying(
    outputs: Sequence[_Output], gone: Collection[str], instead: Mapping[_Output, Sequence[_Output]]
) -> _Output | None:
    """The first of these that stays, or of what stands for them where they go."""
    waiting, seen = deque(outputs), set(outputs)
    while waiting:
        output = waiting.popleft()
        if output[0] not in gone:
            return output
        onward = [each for each in instead.get(output, ()) if each not in seen]
        seen.update(onward)
        waiting.extend(onward)
    return None


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
    yield from _lost_inputs(template, object_info)


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


def _lost_inputs(template: Template, object_info: ObjectInfo) -> Iterator[Problem]:
    """An input that a class requires must not go with an optional role, nor with all of them together."""
    roles = [role for role, binding in template.manifest.bindings.items() if binding.optional is not None]
    together = [roles] if len(roles) > 1 else []
    told: set[tuple[str, str]] = set()
    for missing in [*([role] for role in roles), *together]:
        for node_id, name in _lost(template, missing, object_info):
            if len(missing) > 1 and (node_id, name) in told:
                continue
            told.add((node_id, name))
            where = _(
                "%(input)s of node %(id)s (%(title)s)",
                input=repr(name),
                id=node_id,
                title=template.graph[node_id]["class_type"],
            )
            text = _("leaves %(where)s without a value; lead it elsewhere by relink", where=where)
            yield _wrong(node_id, name, ", ".join(missing), text)


def _lost(template: Template, roles: Sequence[str], object_info: ObjectInfo) -> Iterator[tuple[str, str]]:
    for node_id, node in without(template.graph, template.manifest, roles).items():
        required = object_info.get(node["class_type"], {}).get("input", {}).get("required") or {}
        for name in template.graph[node_id]["inputs"]:
            if name not in node["inputs"] and name in required:
                yield node_id, name


def _wrong(node: str | None, name: str | None, role: str, text: Said) -> Problem:
    told = _("Role %(role)s %(finding)s.", role=repr(role), finding=text)
    return Problem(node, name, "optional", told)
