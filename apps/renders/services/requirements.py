"""What a node must have for a job, and whether any node is known to have it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.common.errors import Problem
from apps.nodes.models import Node
from apps.nodes.selectors import ModelFile, known_capabilities, lacks
from apps.prompts.composer import LoraUse
from apps.renders.selectors import Lane
from workflows.bind import classes_needed, models_needed
from workflows.load import Template
from workflows.loras import FOLDER, loader_classes

_lacking: dict[tuple[str, str, str, str], tuple[str, ...]] = {}


def lacking(node: Node, template: Template, precision: str, lora_files: str = "") -> tuple[str, ...]:
    """List what this node lacks for this template, precision and LoRAs (Job.lora_files).

    Remembered per fingerprint.
    """
    key = (node.capabilities_of, template.sha256, precision, lora_files)
    if key not in _lacking:
        if len(_lacking) > 10_000:
            _lacking.clear()
        loras = [ModelFile(folder=FOLDER, name=name) for name in lora_files.split("\n") if name]
        classes = classes_needed(template) + (loader_classes(template.manifest) if loras else ())
        _lacking[key] = tuple(lacks(node, classes=classes, models=_files(template, precision) + loras))
    return _lacking[key]


def able_nodes(nodes: Iterable[Node], template: Template, lane: Lane) -> set[UUID]:
    """Nodes that lack nothing for this lane's jobs, whatever their memory."""
    return {node.pk for node in nodes if not lacking(node, template, lane.precision, lane.lora_files)}


def check_models(template: Template, precision: str, pinned_to: Node | None = None) -> list[Problem]:
    """Name each model or node class that no known node has, or that the one node lacks it is pinned to.

    Knows nothing while no node is known.
    """
    nodes = list(_known(pinned_to))
    if not nodes:
        return []
    missing = set.intersection(*(set(lacking(node, template, precision)) for node in nodes))
    if pinned_to is not None:
        return [_missing_there(name, pinned_to) for name in sorted(missing)]
    return [_missing(name, len(nodes)) for name in sorted(missing)]


def check_loras(loras: Iterable[LoraUse], pinned_to: Node | None = None) -> list[Problem]:
    """Name each LoRA that no known node has, or the one node lacks, once. Knows nothing without nodes."""
    wanted = {(lora.character, lora.file) for lora in loras}
    nodes = _known(pinned_to).values_list("models_by_folder", flat=True) if wanted else ()
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


def _files(template: Template, precision: str) -> list[ModelFile]:
    return [
        ModelFile(folder=model.folder, name=model.name)
        for model in models_needed(template, precision or None)
    ]
