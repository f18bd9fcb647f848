"""Read a node catalogue: the answer of ComfyUI's ``/object_info``, as a plain dict.

Both spellings of a list of choices occur (``[["a", "b"], {…}]`` and ``["COMBO", {"options": […]}]``),
and three kinds of input that stand for several: a dynamic combo, whose choice brings inputs of its own
(``resize_type.width``), a growing list (``images.image0``), and a matched type, which takes what it allows.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from workflows.errors import WorkflowError
from workflows.graph import is_model_file
from workflows.manifest import Manifest
from workflows.wording import Said
from workflows.wording import said as _

ObjectInfo = Mapping[str, Mapping[str, Any]]
"""Class name → {"input": {"required": {…}, "optional": {…}}, "output": […], "output_node": bool, …}."""

COMBO: Final = "COMBO"
DYNAMIC_COMBO: Final = "COMFY_DYNAMICCOMBO_V3"
GROWING: Final = "COMFY_AUTOGROW_V3"
MATCHED: Final = "COMFY_MATCHTYPE_V3"
MOST_GROWN: Final = 100
"""ComfyUI's own bound on the inputs of a growing list."""

RECORDED: Final = Path(__file__).resolve().parent / "data" / "object_info-0.27.0.json.gz"
FILE_FLAGS: Final = frozenset({"image_upload", "audio_upload", "video_upload", "file_upload", "image_folder"})
"""An input with one of these lists the server's input folder: the file is uploaded before the graph."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input as a class declares it. ``options`` is None where the server fills the list later.

    ``declared``: the type as it stands in the catalogue, a list for a list of choices. ``unasked``: a
    server does not notice that the input is missing before it executes the node.
    """

    name: str
    type: str
    required: bool
    options: Sequence[Any] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    declared: Any = None
    unasked: bool = False

    @property
    def types(self) -> frozenset[str]:
        return types_of(self.type)

    @property
    def takes_uploads(self) -> bool:
        return not FILE_FLAGS.isdisjoint(self.facts) and any(self.facts.get(flag) for flag in FILE_FLAGS)


def read(path: Path) -> ObjectInfo:
    """Read a saved catalogue, gzipped or not. Raises WorkflowError if the file is not one."""
    try:
        data = path.read_bytes()
        catalogue = json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    except (OSError, ValueError, EOFError, RecursionError, zlib.error) as exc:
        raise _not_a_catalogue(path, _("cannot be read (%(why)s)", why=str(exc))) from exc
    if not isinstance(catalogue, dict) or not all(
        isinstance(node, dict) and "input" in node for node in catalogue.values()
    ):
        raise _not_a_catalogue(path, _("is not a node catalogue"))
    return catalogue


@cache
def recorded() -> ObjectInfo:
    """Return the catalogue that ships: a ComfyUI 0.27 without models. Nodes that tell none get it."""
    return read(RECORDED)


def with_packs(object_info: ObjectInfo, manifest: Manifest) -> ObjectInfo:
    """Return the catalogue with the custom classes that a manifest declares, where the server lacks them."""
    declared = {name: spec for pack in manifest.packs for name, spec in pack.classes.items() if spec}
    return {**declared, **object_info} if declared else object_info


def inputs_of(node_class: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, InputSpec]:
    """Return the inputs a node of this class has when it is given these values, hidden ones left out."""
    specs: dict[str, InputSpec] = {}
    for section, required in (("required", True), ("optional", False)):
        for name, declared in (node_class["input"].get(section) or {}).items():
            specs.update((spec.name, spec) for spec in _expanded(name, declared, given, required=required))
    return specs


class Inputs:
    """What :func:`inputs_of` returns, for many nodes: once per class where no value brings inputs along."""

    def __init__(self, object_info: ObjectInfo) -> None:
        self._object_info = object_info
        self._same: dict[str, Mapping[str, InputSpec]] = {}
        self._varying: set[str] = set()

    def of(self, class_type: str, given: Mapping[str, Any]) -> Mapping[str, InputSpec]:
        """The inputs of a class that the catalogue has, for a node that is given these values."""
        known = self._same.get(class_type)
        if known is None:
            node_class = self._object_info[class_type]
            known = inputs_of(node_class, given)
            if class_type not in self._varying:
                if _varies(node_class["input"]):
                    self._varying.add(class_type)
                else:
                    self._same[class_type] = known
        return known


def _varies(inputs: Mapping[str, Any]) -> bool:
    """True if a choice among these inputs brings inputs of its own."""
    return any(
        spec[0] == DYNAMIC_COMBO or (spec[0] == GROWING and _varies(spec[1]["template"]["input"]))
        for _, spec, _ in _declared(inputs)
    )


def model_files(object_info: ObjectInfo) -> frozenset[str]:
    """Return every model file that any input of a catalogue may be chosen from."""
    files: set[str] = set()
    for node_class in object_info.values():
        for spec in inputs_of(node_class, {}).values():
            files.update(str(option) for option in spec.options or () if is_model_file(option))
    return frozenset(files)


def types_of(declared: object) -> frozenset[str]:
    """Split a type such as ``INT,FLOAT``; a list of choices is a COMBO, an unknown one matches anything."""
    return frozenset({COMBO}) if isinstance(declared, list) else _types_in(str(declared))


@lru_cache(maxsize=1024)
def _types_in(text: str) -> frozenset[str]:
    return frozenset({"*"}) if text.startswith("COMFY_") else frozenset(t.strip() for t in text.split(","))


def _expanded(
    name: str, declared: Sequence[Any], given: Mapping[str, Any], *, required: bool, unasked: bool = False
) -> Iterator[InputSpec]:
    kind = declared[0]
    told = declared[1] if len(declared) > 1 else None
    facts: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    if isinstance(kind, list):
        yield InputSpec(name, COMBO, required, kind, facts, kind, unasked)
    elif kind == COMBO:
        yield InputSpec(name, COMBO, required, facts.get("options"), facts, kind, unasked)
    elif kind == DYNAMIC_COMBO:
        options = facts["options"]
        keys = [option["key"] for option in options]
        yield InputSpec(name, COMBO, required, keys, facts, kind, unasked=True)
        chosen = next((option for option in options if option["key"] == given.get(name)), None)
        for inner, spec, needed in _declared(chosen["inputs"] if chosen else {}):
            yield from _expanded(f"{name}.{inner}", spec, given, required=needed)
    elif kind == GROWING:
        yield from _grown(name, facts["template"], given, required=required)
    elif kind == MATCHED:
        yield InputSpec(name, facts["template"]["allowed_types"], required, None, facts, kind, unasked)
    else:
        yield InputSpec(name, kind, required, None, facts, kind, unasked)


def _grown(
    name: str, template: Mapping[str, Any], given: Mapping[str, Any], *, required: bool
) -> Iterator[InputSpec]:
    """The inputs of a growing list; only the first ``min`` of them must be there."""
    names = template.get("names") or [
        f"{template['prefix']}{index}" for index in range(min(template["max"], MOST_GROWN))
    ]
    for _name, spec, needed in _declared(template["input"]):
        for index, inner in enumerate(names[:MOST_GROWN]):
            must = required and needed and index < template["min"]
            yield from _expanded(f"{name}.{inner}", spec, given, required=must, unasked=True)


def _declared(inputs: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[Any], bool]]:
    for section, required in (("required", True), ("optional", False)):
        for name, spec in (inputs.get(section) or {}).items():
            yield name, spec, required


def _not_a_catalogue(path: Path, problem: Said) -> WorkflowError:
    return WorkflowError(
        "object_info",
        str(path),
        problem=problem,
        remedy=_("save the answer of ComfyUI's GET /object_info"),
    )
