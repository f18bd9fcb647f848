"""What a ComfyUI can do, read from its node catalogue and its lists of model files."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from farm.contracts import Capabilities, PackedCatalogue, canonical, pack_catalogue
from workers.comfy.client import Graph
from workers.comfy.text import NAME_LIMIT, beginning

CUSTOM: Final = "custom_nodes."
"""How ``python_module`` of a node class begins that came with a package beside ComfyUI's own."""

NO_MODELS: Final = "custom_nodes"
"""A folder that ComfyUI lists among those of models, with the source and bytecode of its packages."""

COMBO: Final = "COMBO"
UPLOADS: Final = ("image_upload", "audio_upload", "video_upload", "file_upload")
"""What an input is marked with that lists the files of ComfyUI's input folder."""

HASH_DIGITS: Final = 12

Inputs = dict[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """``as_listed``: model names as this ComfyUI spells them, with ``\\`` on Windows, by folder.

    ``sizes``: bytes of a model file (``folder/name``) where ComfyUI tells. ``loaders``: for each node class
    the inputs that name a model file, with the folders they choose from. ``whole``: all that ComfyUI tells of
    its node classes, for the coordinator; None if that is more than it takes. ``places``: where ComfyUI
    looks for the files of a folder, on its own machine.
    """

    capabilities: Capabilities
    as_listed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    loaders: dict[str, Inputs] = field(default_factory=dict)
    whole: PackedCatalogue | None = None
    places: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def fingerprint(self) -> str:
        """The capabilities' fingerprint: a hash over thousands of names, which every report tells."""
        return self.capabilities.fingerprint

    def files_of(self, node: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the model files (``folder/name``) that a node of a graph loads, in the order of its inputs.

        A name that stands in several folders counts in those that its input chooses from; where the
        catalogue does not tell them, as inside a custom node's own structures, in all.
        """
        known = self.loaders.get(str(node.get("class_type")), {})
        files: dict[str, None] = {}
        for name, value in _texts(node.get("inputs")):
            plain = value.replace("\\", "/")
            folders = [folder for folder, names in self.capabilities.models.items() if plain in names]
            chosen = [folder for folder in folders if folder in known.get(name, ())] or folders
            files.update(dict.fromkeys(f"{folder}/{plain}" for folder in chosen))
        return tuple(files)

    def files_by_node(self, graph: Graph) -> dict[str, tuple[str, ...]]:
        """Return the model files of each node of a graph that loads any."""
        found = {node_id: self.files_of(node) for node_id, node in graph.items() if isinstance(node, dict)}
        return {node_id: files for node_id, files in found.items() if files}


def read_catalogue(
    object_info: Mapping[str, Any],
    as_listed: Mapping[str, tuple[str, ...]],
    sizes: Mapping[str, int],
    places: Mapping[str, tuple[str, ...]] | None = None,
) -> Catalogue:
    """Read ``/object_info`` and the lists of model files."""
    models = {
        folder: tuple(sorted(name.replace("\\", "/") for name in names))
        for folder, names in as_listed.items()
        if folder != NO_MODELS
    }
    return Catalogue(
        capabilities=Capabilities(
            classes=tuple(sorted(object_info)), models=models, custom_nodes=_custom_nodes(object_info)
        ),
        as_listed=dict(as_listed),
        sizes=dict(sizes),
        loaders=_loaders(object_info, as_listed),
        whole=pack_catalogue(_without_uploads(object_info)),
        places=dict(places or {}),
    )


def _without_uploads(object_info: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the files of the input folder, which every order changes: the rest stays what it was."""
    whole = dict(object_info)
    for name, info in object_info.items():
        inputs = {key: _emptied(spec) for key, spec in _specifications(info) if _lists_uploads(spec)}
        if inputs:
            sections = {
                section: {**given, **{key: inputs[key] for key in given if key in inputs}}
                if isinstance(given, dict)
                else given
                for section, given in info["input"].items()
            }
            whole[name] = {**info, "input": sections}
    return whole


def _lists_uploads(spec: list[Any]) -> bool:
    facts = spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
    return any(facts.get(flag) for flag in UPLOADS)


def _emptied(spec: list[Any]) -> list[Any]:
    if isinstance(spec[0], list):
        return [[], *spec[1:]]
    return [spec[0], {**spec[1], "options": []}, *spec[2:]]


def _custom_nodes(object_info: Mapping[str, Any]) -> dict[str, str]:
    """Hash what each package of custom nodes offers: its classes with their inputs and outputs.

    What an input may be chosen from is left out: lists of model files and uploads change every day.
    """
    packages: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, info in object_info.items():
        module = str(info.get("python_module", "")) if isinstance(info, dict) else ""
        if module.startswith(CUSTOM):
            package = beginning(module.removeprefix(CUSTOM), NAME_LIMIT)
            inputs = {key: _definition(spec) for key, spec in _specifications(info)}
            packages[package][name] = {"inputs": inputs, "output": info.get("output")}
    return {
        package: hashlib.sha256(canonical(classes)).hexdigest()[:HASH_DIGITS]
        for package, classes in sorted(packages.items())
    }


def _loaders(object_info: Mapping[str, Any], as_listed: Mapping[str, tuple[str, ...]]) -> dict[str, Inputs]:
    """Find the inputs that choose from the whole list of a model folder; some add choices of their own."""
    folders = {folder: frozenset(names) for folder, names in as_listed.items() if names}
    found: dict[str, Inputs] = {}
    for class_type, info in object_info.items():
        inputs: Inputs = {}
        for name, spec in _specifications(info):
            choices = _choices(spec)
            fitting = tuple(folder for folder, names in folders.items() if names <= choices)
            if fitting:
                inputs[name] = fitting
        if inputs:
            found[class_type] = inputs
    return found


def _specifications(info: object) -> Iterator[tuple[str, list[Any]]]:
    """Yield each input of a node class with its specification: a type, and maybe options."""
    sections = info.get("input") if isinstance(info, dict) else None
    if not isinstance(sections, dict):
        return
    for section in ("required", "optional"):
        inputs = sections.get(section)
        for name, spec in (inputs if isinstance(inputs, dict) else {}).items():
            if isinstance(spec, list) and spec:
                yield str(name), spec


def _definition(spec: list[Any]) -> list[Any]:
    return [COMBO] if isinstance(spec[0], list) or spec[0] == COMBO else spec


def _choices(spec: list[Any]) -> frozenset[str]:
    """Return what an input may be chosen from: ``[[…], {}]``, or ``["COMBO", {"options": […]}]``."""
    options = spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
    given = options.get("options") if spec[0] == COMBO else spec[0]
    return frozenset(str(choice) for choice in given) if isinstance(given, list) else frozenset()


def _texts(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text among a node's inputs, with the name it stands under; links to nodes are none."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, str(key))
    elif isinstance(value, str):
        yield name, value
