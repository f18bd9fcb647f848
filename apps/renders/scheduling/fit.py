"""What a node must have for a job: node classes and model files. Remembered by what nodes told last."""

from __future__ import annotations

from apps.nodes.models import Node
from apps.nodes.selectors import ModelFile, lacks
from workflows.bind import classes_needed, models_needed
from workflows.load import Template
from workflows.loras import FOLDER, loader_classes

_lacking: dict[tuple[str, str, str, str], tuple[str, ...]] = {}


def lacking(node: Node, template: Template, precision: str, lora_files: str = "") -> tuple[str, ...]:
    """List what this node lacks for this template, precision and LoRAs (Job.lora_files)."""
    key = (node.capabilities_of, template.sha256, precision, lora_files)
    if key not in _lacking:
        if len(_lacking) > 10_000:
            _lacking.clear()
        loras = [ModelFile(folder=FOLDER, name=name) for name in lora_files.split("\n") if name]
        classes = classes_needed(template) + (loader_classes(template.manifest) if loras else ())
        _lacking[key] = tuple(lacks(node, classes=classes, models=_files(template, precision) + loras))
    return _lacking[key]


def _files(template: Template, precision: str) -> list[ModelFile]:
    return [
        ModelFile(folder=model.folder, name=model.name)
        for model in models_needed(template, precision or None)
    ]
