"""What a node must have for a job, and whether any node is known to have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.common.errors import Problem
from apps.nodes.models import Node
from apps.nodes.selectors import known_capabilities
from apps.prompts.composer import LoraUse
from apps.renders.scheduling.fit import lacking
from apps.renders.scheduling.nearest import nearest
from workflows.load import Template
from workflows.loras import FOLDER
from workflows.nearest import nearest_files
from workflows.validate import title_of

MOST_NAMED: Final = 3


def check_models(template: Template, precision: str, pinned_to: Node | None = None) -> list[Problem]:
    """Name each model or node class that no known node has, or that the one node lacks it is pinned to.

    Each is told with the graph's nodes that need it and the nearest names that exist. Knows nothing while
    no node is known.
    """
    nodes = list(_known(pinned_to).only("name", "capabilities_of"))
    if not nodes:
        return []
    # One of each kind speaks for all; its lists are read where nobody has asked this yet.
    kinds = list({node.capabilities_of: node for node in nodes}.values())
    missing = set.intersection(*(set(lacking(node, template, precision)) for node in kinds))
    return [_told(template, name, kinds, pinned_to, len(nodes)) for name in sorted(missing)]


def check_loras(loras: Iterable[LoraUse], pinned_to: Node | None = None) -> list[Problem]:
    """Name each LoRA that no known node has, or the one node lacks, once. Knows nothing without nodes."""
    return _check_files({(lora.character, lora.file) for lora in loras}, pinned_to)


def check_lora_files(rows: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """The same of Job.loras."""
    return _check_files({(row["character"], row["file"]) for row in rows}, None)


def _check_files(wanted: set[tuple[str, str]], pinned_to: Node | None) -> list[Problem]:
    if not wanted:
        return []
    kinds = dict(_known(pinned_to).values_list("capabilities_of", "pk"))
    nodes = Node.objects.filter(pk__in=kinds.values()).values_list("models_by_folder", flat=True)
    listed = [set(folders.get(FOLDER, ())) for folders in nodes]
    if not listed:
        return []
    there = set.union(*listed)
    remedy = _("no node has it; put the file into ComfyUI's models/loras, or switch the character's LoRA off")
    if pinned_to is not None:
        remedy = _("the node %s lacks it; pin to another, or put the file into its models/loras") % (
            pinned_to.name
        )
    return [
        Problem(
            f"{character}.lora", file, _with_nearest(remedy, nearest_files(file, there)), code="missing_lora"
        )
        for character, file in sorted(wanted)
        if file not in there
    ]


def _with_nearest(told: str, near: Sequence[str]) -> str:
    return "; ".join((told, _("nearest: %s") % ", ".join(near))) if near else told


def _known(pinned_to: Node | None) -> QuerySet[Node]:
    nodes = known_capabilities()
    return nodes if pinned_to is None else nodes.filter(pk=pinned_to.pk)


def _told(
    template: Template, name: str, kinds: Iterable[Node], pinned_to: Node | None, nodes: int
) -> Problem:
    folder, slash, file = name.partition("/")
    told = _missing_there(pinned_to) if pinned_to is not None else _missing(name, nodes)
    if needed_by := _needed_by(template, name):
        told = f"{needed_by}: {told}"
    told = _with_nearest(told, _nearest(kinds, name))
    if slash:
        return Problem("models", file, told, code="missing_model")
    return Problem("classes", folder, told, code="missing_class")


def _missing_there(node: Node) -> str:
    told = _("the node %(node)s, to which this is pinned, lacks it: pin to another, or install it there")
    return told % {"node": node.name}


def _missing(name: str, nodes: int) -> str:
    folder, slash, _file = name.partition("/")
    if slash:
        told = _("none of %(nodes)d nodes has it; put the file into ComfyUI's models/%(folder)s")
        return told % {"nodes": nodes, "folder": folder}
    return _("none of %(nodes)d nodes knows this node class; install its custom node") % {"nodes": nodes}


def _needed_by(template: Template, name: str) -> str:
    """Name the graph's nodes that need it, by id and title."""
    _folder, slash, file = name.partition("/")
    if slash:
        needs = {model.node for model in template.manifest.models if model.name == file}
    else:
        needs = {node for node, what in template.graph.items() if what["class_type"] == name}
    named = [f"{node} ({title_of(template.graph, node)})" for node in template.graph if node in needs]
    return _("needed by node %s") % ", ".join(named[:MOST_NAMED]) if named else ""


def _nearest(kinds: Iterable[Node], name: str) -> list[str]:
    """Name what is nearest to it on each kind of node, best first, with the node that has it."""
    found: dict[str, str] = {}
    for node in kinds:
        for one in nearest(node, name):
            found.setdefault(one, node.name)
    alike = nearest_files(name, found) or tuple(found)
    return [f"{one} ({found[one]})" for one in alike[:MOST_NAMED]]
