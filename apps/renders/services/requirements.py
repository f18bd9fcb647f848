"""What a node must have for a job, and whether any node is known to have it."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from apps.common.errors import Problem
from apps.nodes.selectors import known_capabilities
from apps.prompts.composer import LoraUse
from apps.renders.scheduling.fit import lacking
from workflows.load import Template
from workflows.loras import FOLDER


def check_models(template: Template, precision: str) -> list[Problem]:
    """Name each model or node class that no known node has. Knows nothing while no node is known."""
    nodes = list(known_capabilities())
    if not nodes:
        return []
    missing = set.intersection(*(set(lacking(node, template, precision)) for node in nodes))
    return [_missing(name, len(nodes)) for name in sorted(missing)]


def check_loras(loras: Iterable[LoraUse]) -> list[Problem]:
    """Name each LoRA that no known node has, once. Knows nothing while no node is known."""
    wanted = {(lora.character, lora.file) for lora in loras}
    nodes = known_capabilities().values_list("models_by_folder", flat=True) if wanted else ()
    listed = [set(folders.get(FOLDER, ())) for folders in nodes]
    if not listed:
        return []
    there = set.union(*listed)
    remedy = _("no node has it; put the file into ComfyUI's models/loras, or switch the character's LoRA off")
    return [
        Problem(f"{character}.lora", file, remedy, code="missing_lora")
        for character, file in sorted(wanted)
        if file not in there
    ]


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
