"""What a job would send: the final graph, each value's origin, and what differs from the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from workflows.bind import FileInput
from workflows.compare import GraphDiff
from workflows.graph import Graph
from workflows.load import Template
from workflows.loras import Lora
from workflows.manifest import Value

ORIGINS: Final = ("default", "shot", "preset", "project", "character", "request", "farm")
"""Where a value may come from: the template's default, a field of the shot, a preset, the project's
settings, a character's LoRA, what the person typed for this request, or the farm itself (seed, prefix)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from. ``detail`` is shown: "shot SH0030, 97 frames at 24 fps"."""

    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """A role's value and where it comes from."""

    value: Value
    origin: Origin


@dataclass(frozen=True, slots=True)
class GivenLora:
    """A LoRA to chain in and where it comes from: "character MINA"."""

    lora: Lora
    origin: Origin


@dataclass(frozen=True, slots=True)
class WrittenInput:
    """One input that the run writes. ``before`` is the template's value, None in a node that is inserted."""

    node: str
    title: str
    class_type: str
    input: str
    role: str
    value: object
    before: object
    origin: Origin


@dataclass(frozen=True, slots=True)
class DryRun:
    """The graph as it would be sent, but for the names of uploaded files (``files``)."""

    graph: Graph
    written: tuple[WrittenInput, ...]
    files: tuple[FileInput, ...]
    diff: GraphDiff


def dry_run(
    template: Template,
    values: Mapping[str, Given],
    *,
    filename_prefix: Given,
    loras: Sequence[GivenLora] = (),
) -> DryRun:
    """Bind like a job does (:func:`workflows.bind.bind`), and tell each written input's origin.

    Raises what ``bind`` raises: UnknownRole, MissingRole, ValueRefused.
    """
    raise NotImplementedError
