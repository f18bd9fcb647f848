"""What a template says about itself: the manifest, version 1, as dataclasses.

The manifest is the only place that knows node ids. Everyone else speaks in roles (positive, seed,
first_frame, …). A role without an entry in ``defaults`` must be given when the template is bound, unless
its binding is optional.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from workflows.roles import LATENT, ROLES

MANIFEST_VERSION: Final = 1
KINDS: Final = ("keyframe", "clip", "frames", "slate")
MEDIA: Final = ("image", "video", "frames")
"""What a take is of; ``frames``: the pictures of a clip, numbered, one file each."""

SAVED: Final = (*MEDIA, LATENT)
"""What an output node saves; ``latent``: what the clip was decoded from, a file beside it."""


SOURCE_KINDS: Final = ("primary", "secondary", "estimate")


Value = str | int | float
"""What a role may be given."""


@dataclass(frozen=True, slots=True)
class Target:
    """One input of one node. A number is written as ``value * times + plus`` (an int rounds down); a
    choice through ``choices`` (value of the role → value of the input)."""

    node: str
    input: str
    times: float = 1
    plus: float = 0
    choices: Mapping[str, str] | None = None
    replaces_link: bool = False


@dataclass(frozen=True, slots=True)
class Without:
    """What becomes of the graph when an optional role is not given.

    These nodes are removed, and the inputs of ``relink`` ((node, input) → output) are led to where they shall
    come from then. Other links into them are left out.
    """

    remove: tuple[str, ...] = ()
    relink: Mapping[tuple[str, str], tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a role's value goes and which values are right. ``unit`` and ``note`` are shown to people.
    ``optional``: it may be left out, and has no default then. ``overlap``: so many frames at the beginning of
    what is made repeat the end of this file, a clip that is continued. ``latents``: how many of that clip's
    last latent frames fill the role ``latent``.

    Only ``precision`` may have no target: a graph with one precision states it without writing it.
    """

    role: str
    type: str
    targets: tuple[Target, ...]
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    unit: str | None = None
    note: str | None = None
    optional: Without | None = None
    overlap: int = 0
    latents: int = 0


@dataclass(frozen=True, slots=True)
class Latents:
    """Latents that a template saves or takes: (1, ``channels``, time, height / ``scale``, width / ``scale``).

    The first latent frame holds one picture, each further one the next ``stride``. ``space`` names the VAE
    whose latents they are: others may be of the same form and mean something else.
    """

    space: str
    channels: int
    stride: int
    scale: int


@dataclass(frozen=True, slots=True)
class Output:
    """A node that saves files. Exactly one output is ``primary``: its file becomes the take.

    ``kind`` is one of SAVED.
    """

    node: str
    kind: str
    role: str


@dataclass(frozen=True, slots=True)
class VramRow:
    """Declared need: a card of ``gb`` GB renders up to ``max_pixels`` (width × height) × ``max_frames``.

    ``gb`` is the card the evidence asks for, not the peak itself; ``evidence`` quotes the figure found.
    """

    precision: str
    max_pixels: int
    max_frames: int
    gb: float
    evidence: str
    source: str
    source_kind: str


@dataclass(frozen=True, slots=True)
class FrameRule:
    """A frame count is legal if it is ``multiple`` × n + ``plus`` and between minimum and maximum."""

    multiple: int
    plus: int
    minimum: int
    maximum: int

    def next_legal(self, wanted: int) -> int:
        """Return the smallest count on the grid that is ≥ ``wanted`` and ≥ the minimum. Knows no maximum."""
        least = max(wanted, self.minimum)
        return least + (self.plus - least) % self.multiple

    def __str__(self) -> str:
        return f"{self.multiple}n+{self.plus}, {self.minimum} to {self.maximum}"


@dataclass(frozen=True, slots=True)
class Follows:
    """The clip is as long, fast and large as the file in ``role``, changed so: frames × ``frames_times`` +
    ``frames_plus``, fps × ``fps_times``, width and height × ``size_times``.

    What the template binds (frames, fps, width, height) is chosen all the same, and the rest follows.
    """

    role: str
    frames_times: int = 1
    frames_plus: int = 0
    fps_times: int = 1
    size_times: float = 1


@dataclass(frozen=True, slots=True)
class License:
    """What a studio must know before it sells a film: ``territory`` names where the licence does not hold."""

    name: str
    url: str
    note: str | None = None
    territory: str | None = None


@dataclass(frozen=True, slots=True)
class Remote:
    """Rendered by somebody else's service, through ComfyUI's API nodes: no memory here, but a ``key``."""

    service: str
    key: str


@dataclass(frozen=True, slots=True)
class Pack:
    """Custom nodes a graph needs: where they come from, and what ``/object_info`` says of their classes; {}
    of one that nobody could ask about."""

    name: str
    repository: str
    version: str
    classes: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file as ComfyUI names it. With a ``precision`` it is needed for that precision only.

    ``sha256`` and ``size`` (bytes) say which file it must be; None: any of that name.
    """

    folder: str
    name: str
    node: str
    input: str
    url: str | None = None
    license_note: str | None = None
    precision: str | None = None
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class LoraPlace:
    """Where LoRAs go: behind the output (node, slot) a model comes from and, if patched too, a CLIP.

    ``expert`` names one of several models that work in turns (WAN 2.2: high, low); "" for a lone model.
    """

    model: tuple[str, int]
    clip: tuple[str, int] | None = None
    expert: str = ""


@dataclass(frozen=True, slots=True)
class Slate:
    """The picture the farm draws and uploads as ``slate_image``.

    It must be a PNG of exactly (width − 2 × margin) × (height − 2 × margin) pixels: the graph lays it on
    a ground of the sequence's colour, which shows as a frame ``margin`` pixels wide. ``pieces`` names what
    must be readable on it. ComfyUI's core has no node that draws text.
    """

    margin: int
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds from start of execution to giving up, and seconds without any progress that mean a hang."""

    execution_s: int
    hang_s: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """One template's manifest. ``title`` and ``description`` have the keys ``en`` and ``ko``.

    ``base_model`` names the family whose LoRAs fit ("sd15", "flux", "wan22"); None: no LoRA does.
    ``loras`` says where in the graph they go; empty: nowhere. ``negative_effect``: whether what stands in the
    negative prompt changes the picture (distilled models sampled without guidance ignore it); None: not said.
    ``latents``: the form of those it saves or takes; None: neither.
    ``golden``: values of roles for the small fixed render that proves a node; what it leaves out is derived
    (workflows.golden).
    """

    slug: str
    version: int
    title: Mapping[str, str]
    description: Mapping[str, str]
    kind: str
    produces: str
    bindings: Mapping[str, Binding]
    defaults: Mapping[str, Value]
    outputs: tuple[Output, ...]
    vram: tuple[VramRow, ...]
    models: tuple[ModelFile, ...]
    timeouts: Timeouts
    dim_step: int
    frame_rule: FrameRule | None = None
    native_fps: float | None = None
    base_model: str | None = None
    slate: Slate | None = None
    loras: tuple[LoraPlace, ...] = ()
    negative_effect: bool | None = None
    license: License | None = None
    remote: Remote | None = None
    packs: tuple[Pack, ...] = ()
    follows: Follows | None = None
    golden: Mapping[str, Value] = field(default_factory=dict)
    latents: Latents | None = None

    @property
    def lora_base(self) -> str:
        """The base model whose LoRAs this template loads; "" if it loads none."""
        return (self.base_model or "") if self.loras else ""

    @property
    def precisions(self) -> tuple[str, ...]:
        """The precisions a job may ask for, the default first; empty for a template without models."""
        binding = self.bindings.get("precision")
        offered = binding.choices if binding else ()
        return tuple(sorted(offered, key=lambda precision: precision != self.defaults.get("precision")))

    @property
    def required_roles(self) -> tuple[str, ...]:
        """The roles that have no default and must be given; ``filename_prefix`` is given by itself."""
        return tuple(
            role
            for role, binding in self.bindings.items()
            if role not in self.defaults and role != "filename_prefix" and binding.optional is None
        )

    @property
    def saves_latents(self) -> bool:
        """Whether a take keeps its latents, for a shot that continues it."""
        return any(output.kind == LATENT for output in self.outputs)

    @property
    def takes_latents(self) -> bool:
        """Whether a clip can go on from the latents of another."""
        return LATENT in self.bindings and self.latents is not None

    @property
    def file_roles(self) -> tuple[str, ...]:
        """The roles that take files, but for the slate that the farm draws; in the order of ROLES.

        PostgreSQL keeps no order of a manifest's bindings.
        """
        files = {role for role, binding in self.bindings.items() if binding.type == "file"}
        return tuple(role for role in ROLES if role in files and role != "slate_image")
