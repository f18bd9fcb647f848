"""What is found in a graph: candidates for roles, outputs, LoRA places and model files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from workflows.manifest import Target
from workflows.wording import Said

NOTHING_SAID: Final = Said("")


@dataclass(frozen=True, slots=True)
class Why:
    """A reason: its code with facts, and ``text``, which says it (``str()``: in English)."""

    code: str
    params: Mapping[str, str] = field(default_factory=dict)
    text: Said = NOTHING_SAID

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Candidate:
    """A role, and the inputs that its value would be written to.

    ``value`` is what stands there now (None: a link, or nothing). ``sure`` is False where a person should
    look before it is taken. ``alternatives`` are other inputs the same role could mean, the likeliest first.
    """

    role: str
    targets: tuple[Target, ...]
    value: object
    sure: bool
    reason: Why
    alternatives: tuple[Candidate, ...] = ()

    @property
    def why(self) -> str:
        """The reason, an English sentence."""
        return str(self.reason)


@dataclass(frozen=True, slots=True)
class FoundOutput:
    """A node that saves files; the one with ``role`` "primary" makes the take."""

    node: str
    class_type: str
    kind: str
    role: str


@dataclass(frozen=True, slots=True)
class FoundLoraPlace:
    """Where LoRA loaders can be inserted: behind these outputs (node, slot). See manifest.LoraPlace.

    ``existing`` are the LoRA loaders that follow in the graph already.
    """

    model: tuple[str, int]
    clip: tuple[str, int] | None
    expert: str
    existing: tuple[str, ...]
    reason: Why

    @property
    def why(self) -> str:
        return str(self.reason)


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model file that an input names. ``folder`` is "" where nobody knows the class; ``precision`` is
    read from the file's name ("" if it does not say)."""

    node: str
    input: str
    class_type: str
    name: str
    folder: str
    precision: str


@dataclass(frozen=True, slots=True)
class FoundSampler:
    """A node that makes a picture or clip. See samplers.samplers_of for their order.

    ``positive`` and ``negative`` are the inputs (node, input) its texts are written in.
    """

    node: str
    class_type: str
    positive: tuple[tuple[str, str], ...]
    negative: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """All that was found. ``notes`` say what a person should know, such as "the size follows a picture"."""

    candidates: tuple[Candidate, ...]
    outputs: tuple[FoundOutput, ...]
    loras: tuple[FoundLoraPlace, ...]
    models: tuple[FoundModel, ...]
    samplers: tuple[FoundSampler, ...]
    notes: tuple[Why, ...]

    def candidate(self, role: str) -> Candidate | None:
        """Return what was found for a role."""
        return next((one for one in self.candidates if one.role == role), None)

    def marks(self) -> dict[str, dict[str, str]]:
        """Return node → input → role, as :func:`workflows.drawing.draw` takes it."""
        marked: dict[str, dict[str, str]] = {}
        for candidate in self.candidates:
            for target in candidate.targets:
                marked.setdefault(target.node, {}).setdefault(target.input, candidate.role)
        return marked

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.candidates)
