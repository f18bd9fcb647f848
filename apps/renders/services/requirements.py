"""What a node must have for a job, and whether any node is known to have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.common.errors import Problem
from apps.nodes.models import Node
from apps.nodes.selectors import known_capabilities
from apps.prompts.composer import LoraUse
from apps.renders.scheduling.fit import lacking
from workflows.load import Template
from workflows.loras import FOLDER


def check_models(template: Template, precision: str, pinned_to: Node | None = None) -> list[Problem]:
    """Name each model or node class that no known node has, or that the one node lacks it is pinned to.

    Knows nothing while no node is known.
    """
    nodes = list(_known(pinned_to).only("name", "capabilities_of"))
    if not nodes:
        return []
    # One of each kind speaks for all; its lists are read where nobody has asked this yet.
    kinds = {node.capabilities_of: node for node in nodes}.values()
    missing = set.intersection(*(set(lacking(node, template, precision)) for node in kinds))
    if pinned_to is not None:
        return [_missing_there(name, pinned_to) for name in sorted(missing)]
    return [_missing(name, len(nodes)) for name in sorted(missing)]


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
        Problem(f"{character}.lora", file, remedy, code="missing_lora")
        for character, file in sorted(wanted)
        if file not in there
    ]


def _known(pinned_to: Node | None) -> QuerySet[Node]:
    nodes = known_capabilities()
    return nodes if pinned_to is None else nodes.filter(pk=pinned_to.pk)


def _missing_there(name: str, node: Node) -> Problem:
    folder, slash, file = name.partition("/")
    code = "missing_model" if slash else "missing_class"
    told = _("the node %(node)s, to which this is pinned, lacks it: pin to another, or install it there") % {
        "node": node.name
    }
    return Problem("models" if slash else "classes", file if slash else folder, told, code=code)


def _missing(name: str, nodes: int) -> Problem:
    folder, slash, file = name.partition("/")
    if slash:
        remedy = _("none of %(nodes)d nodes has it; put the file into ComfyUI's models/%(folder)s") % {
            "nodes": nodes,
            "folder": folder,
        }
        return Problem("models", file, remedy, code="missing_model")
    remedy = _("none of %(nodes)d nodes knows this node class; install its custom node") % {"nodes": nodes}
    return Problem("classes", name, remedy, code="missing_class")
