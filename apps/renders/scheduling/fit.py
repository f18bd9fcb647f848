"""What a node must have for a job: node classes and model files. Remembered by what nodes told last."""

from __future__ import annotations

from typing import Final

from apps.nodes.models import Node
from apps.nodes.selectors import ModelFile, lacks
from farm.contracts import FRAMES, IN_ORDERS, LATENTS, NUMBERED, UNSIZED
from workflows.bind import classes_needed, models_needed
from workflows.load import Template
from workflows.loras import FOLDER, loader_classes
from workflows.roles import PICTURES

_LISTS: Final = ("classes", "models_by_folder")
MOST_REMEMBERED: Final = 10_000

_lacking: dict[tuple[str, str, str, str], tuple[str, ...]] = {}


def lacking(node: Node, template: Template, precision: str, lora_files: str = "") -> tuple[str, ...]:
    """List what this node lacks for this template, precision and LoRAs (Job.lora_files).

    Many threads ask; each is told what was true of the node when its row was read, or later.
    """
    key = (node.capabilities_of, template.sha256, precision, lora_files)
    known = _lacking.get(key)
    if known is None:
        has = with_lists(node)
        loras = [ModelFile(folder=FOLDER, name=name) for name in lora_files.split("\n") if name]
        classes = classes_needed(template) + (loader_classes(template.manifest) if loras else ())
        known = tuple(lacks(has, classes=classes, models=_files(template, precision) + loras))
        _remember((has.capabilities_of, *key[1:]), known)
    return known


def keyless(node: Node, template: Template) -> bool:
    """Tell whether this node lacks the key of the service that renders this template."""
    remote = template.manifest.remote
    return remote is not None and remote.key not in node.keys


def unknown_to(node: Node, template: Template) -> tuple[str, ...]:
    """What orders of this template say that the node's worker is too old to know (farm.contracts.IN_ORDERS).

    By what any of its orders may say: how long a source is is not known before it is rendered.
    """
    return tuple(word for word in _said_by(template) if word not in node.hears)


def _said_by(template: Template) -> tuple[str, ...]:
    manifest = template.manifest
    said = {
        UNSIZED: manifest.remote is not None or (manifest.follows is not None and not manifest.frame_rule),
        NUMBERED: PICTURES in manifest.bindings,
        FRAMES: any(output.kind == "frames" for output in manifest.outputs),
        LATENTS: manifest.saves_latents,
    }
    return tuple(word for word in IN_ORDERS if said[word])


def with_lists(node: Node) -> Node:
    """Return the node with its classes and models, and the fingerprint that goes with them, of one moment."""
    if node.get_deferred_fields().isdisjoint(_LISTS):
        return node
    return Node.objects.only("capabilities_of", *_LISTS).get(pk=node.pk)


def _remember(key: tuple[str, str, str, str], known: tuple[str, ...]) -> None:
    if len(_lacking) >= MOST_REMEMBERED:
        _lacking.clear()
    if key[0]:  # a node whose lists turned out to be wrong is asked for them again, and has no name for them
        _lacking[key] = known


def _files(template: Template, precision: str) -> list[ModelFile]:
    return [
        ModelFile(folder=model.folder, name=model.name)
        for model in models_needed(template, precision or None)
    ]
