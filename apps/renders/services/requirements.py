"""What a node must have for a job, and whether any node is known to have it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.utils.translation import gettext as _

from apps.characters.models import CharacterLora
from apps.common.errors import Problem
from apps.nodes.models import Node
from apps.nodes.selectors import ModelFile, known_capabilities, lacks
from apps.productions.models import Shot
from workflows.bind import classes_needed, models_needed
from workflows.load import Template

_lacking: dict[tuple[str, str, str], tuple[str, ...]] = {}


def lacking(node: Node, template: Template, precision: str) -> tuple[str, ...]:
    """List what this node lacks for this template and precision; remembered per fingerprint."""
    key = (node.capabilities_of, template.sha256, precision)
    if key not in _lacking:
        if len(_lacking) > 10_000:
            _lacking.clear()
        _lacking[key] = tuple(
            lacks(node, classes=classes_needed(template), models=_files(template, precision))
        )
    return _lacking[key]


def able_nodes(nodes: Iterable[Node], template: Template, precision: str) -> set[UUID]:
    """Nodes that lack nothing, whatever their memory."""
    return {node.pk for node in nodes if not lacking(node, template, precision)}


def check_models(template: Template, precision: str) -> list[Problem]:
    """Name each model or node class that no known node has. Knows nothing while no node is known."""
    nodes = list(known_capabilities())
    if not nodes:
        return []
    missing = set.intersection(*(set(lacking(node, template, precision)) for node in nodes))
    return [_missing(name, len(nodes)) for name in sorted(missing)]


def check_loras(shots: Sequence[Shot], base_model: str | None) -> list[Problem]:
    """Name each LoRA of a cast character that no known node has. Knows nothing while no node is known."""
    nodes = known_capabilities().values_list("models_by_folder", flat=True)
    loras = CharacterLora.objects.filter(
        base_model=base_model or "", character__use_lora=True, character__casting__shot__in=shots
    )
    wanted = loras.select_related("character").order_by("character__code", "file").distinct()
    listed = [set(folders.get("loras", ())) for folders in nodes] if wanted else []
    if not listed:
        return []
    there = set.union(*listed)
    remedy = _("no node has it; put the file into ComfyUI's models/loras, or switch the character's LoRA off")
    return [
        Problem(f"{lora.character.code}.lora", lora.file, remedy, code="missing_lora")
        for lora in wanted
        if lora.file not in there
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


def _files(template: Template, precision: str) -> list[ModelFile]:
    return [
        ModelFile(folder=model.folder, name=model.name)
        for model in models_needed(template, precision or None)
    ]
