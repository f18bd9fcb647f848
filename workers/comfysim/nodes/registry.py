"""How a node is written: a function of its run and its inputs, registered under its class name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from PIL.Image import Image

from workers.comfysim.files import Folders
from workers.comfysim.knobs import Knobs
from workers.comfysim.values import Symbol
from workers.comfysim.vram import ModelPool

Inputs = dict[str, Any]


class Run(Protocol):
    """What a running node may ask of the server."""

    folders: Folders
    knobs: Knobs
    pool: ModelPool
    prompt: dict[str, Any]
    extra_data: dict[str, Any]
    secrets: Mapping[str, str]
    wants_preview: bool

    def progress(self, value: int, total: int, preview: Image | None = None) -> None:
        """Report `value` of `total` steps; raises PromptInterruptedError if the prompt was interrupted."""


@dataclass(frozen=True)
class Shown:
    """The result of an output node: what history lists, and the values it passes on."""

    ui: dict[str, Any]
    values: tuple[Any, ...] = field(default=())


NodeFunction = Callable[[Run, Inputs], "tuple[Any, ...] | Shown"]

_functions: dict[str, NodeFunction] = {}


class UnknownNodeError(NotImplementedError):
    """The class is in the catalogue, but the stand-in has no way to imitate it."""


def node(*class_types: str) -> Callable[[NodeFunction], NodeFunction]:
    """Register a function as the body of these classes."""

    def register(function: NodeFunction) -> NodeFunction:
        for class_type in class_types:
            _functions[class_type] = function
        return function

    return register


def node_function(class_type: str, info: dict[str, Any]) -> NodeFunction:
    """The body of a class. One without its own passes symbols through: each output is the first input
    of its type, or a new symbol. Raises UnknownNodeError if the class makes pictures or files.
    """
    own = _functions.get(class_type)
    if own:
        return own
    kinds = info["output"]
    if info["output_node"] or set(kinds) & {"IMAGE", "MASK", "VIDEO", "AUDIO", "LATENT"}:
        raise UnknownNodeError(
            f"The stand-in ComfyUI cannot imitate node {class_type}; use a real server for it"
        )
    sections = [info["input"].get(section, {}) for section in ("required", "optional")]
    types = {name: spec[0] for section in sections for name, spec in section.items()}

    def pass_through(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
        return tuple(_first_of(kind, types, inputs) for kind in kinds)

    return pass_through


def _first_of(kind: str, types: dict[str, Any], inputs: Inputs) -> Any:
    for name, value in inputs.items():
        if types.get(name) == kind:
            return value
    return Symbol(kind)
