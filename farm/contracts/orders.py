"""What the coordinator asks of a node: to render this, once."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

from farm.contracts.reading import ContractError, canonical
from farm.contracts.words import FRAMES, LATENTS, NUMBERED, UNSIZED, VERSION


@dataclass(frozen=True, kw_only=True)
class OrderInput:
    """One file to upload to ComfyUI before the prompt is queued.

    ``key`` is relative to the artifact store. The name ComfyUI answers replaces the placeholder in
    ``graph[node]["inputs"][input]``. ``number``: its place, from 1, among pictures of one size for the same
    input, which are uploaded together as one lossless clip; 0: a file of its own. ``grant`` lets this attempt
    fetch it through the farm.
    """

    node: str
    input: str
    key: str
    sha256: str
    bytes: int
    grant: str = field(default="", repr=False)
    number: int = 0


@dataclass(frozen=True, kw_only=True)
class LatentForm:
    """How latents are laid out: ``channels`` numbers for ``scale`` × ``scale`` pixels of ``stride`` frames.

    The first latent frame holds one frame alone.
    """

    channels: int
    stride: int
    scale: int


@dataclass(frozen=True, kw_only=True)
class OrderOutput:
    """One output node to collect, and what its files must be. ``frames`` is 1 for a picture; of the kind
    "frames", pictures of a clip, it is the number of files. Of the kind "latent", the latents of a clip, they
    are pixels and frames of that clip, and ``form`` says how its latents are laid out.

    0 pixels or frames are not known beforehand: a service decides, or only the render will show. A
    node that does not know this yet refuses such a file.
    """

    node: str
    kind: str  # "image" | "video" | "frames" | "latent"
    width: int
    height: int
    frames: int
    fps: float | None = None
    form: LatentForm | None = None


@dataclass(frozen=True, kw_only=True)
class RenderOrder:
    """Render this graph once. Times in seconds, memory in GB.

    ``free_first``: empty ComfyUI's caches before, because an earlier output of this job was unusable.
    ``key``: the service (COMFY_ORG) whose key the node adds to the prompt, from its own secrets; "": none.
    """

    attempt_id: str
    job_id: str
    token: str
    label: str
    template: str
    tier_gb: int
    need_gb: float
    graph_z: str = field(repr=False)
    inputs: tuple[OrderInput, ...]
    outputs: tuple[OrderOutput, ...]
    artifact_folder: str
    report_key: str = field(repr=False)
    execution_timeout_s: float
    hang_s: float
    free_first: bool = False
    key: str = ""
    version: int = VERSION

    @property
    def graph(self) -> dict[str, Any]:
        """The API-format graph. Raises ContractError if it cannot be unpacked."""
        try:
            graph = json.loads(zlib.decompress(base64.b64decode(self.graph_z)))
        except (ValueError, zlib.error) as exc:
            raise ContractError(f"RenderOrder.graph_z of attempt {self.attempt_id}: {exc}") from exc
        if not isinstance(graph, dict):
            raise ContractError(f"RenderOrder.graph_z of attempt {self.attempt_id} holds no object")
        return graph

    @property
    def says(self) -> frozenset[str]:
        """The words of IN_ORDERS that a node must know to render this as it is meant."""
        unsized = any(0 in (output.width, output.height, output.frames) for output in self.outputs)
        told = {
            UNSIZED: unsized,
            NUMBERED: any(file.number for file in self.inputs),
            FRAMES: any(output.kind == "frames" for output in self.outputs),
            LATENTS: any(output.kind == "latent" for output in self.outputs),
        }
        return frozenset(word for word, said in told.items() if said)


@dataclass(frozen=True, kw_only=True)
class ClaimRequest:
    """May this node render this attempt? ``sent_at``: seconds since 1970 by the node's clock, 0: not told."""

    attempt_id: str
    token: str
    node: str
    epoch: str
    sent_at: float = 0.0
    version: int = VERSION


@dataclass(frozen=True, kw_only=True)
class ClaimReply:
    """``granted`` False: drop the order, ``reason`` says why."""

    granted: bool
    reason: str = ""
    version: int = VERSION


def pack_graph(graph: dict[str, Any]) -> str:
    """Pack an API-format graph for :attr:`RenderOrder.graph_z`."""
    return base64.b64encode(zlib.compress(canonical(graph), 9)).decode()
