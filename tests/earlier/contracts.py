"""The messages as the farm's first landed version spoke them: a copy that stays as it is.

Present nodes work with coordinators that read messages so, and present coordinators with nodes that write
them so (tests/unit/farm/test_versions.py, tests/integration/renders/test_versions.py).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import zlib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Self, TypeVar

import msgspec

VERSION: Final = 1

RENDER: Final = "shotfarm.render"
WAKE: Final = "shotfarm.wake"
CLAIM: Final = "shotfarm.claim"
BELL: Final = "shotfarm.bell"
REPORT: Final = "shotfarm.node_report"
MEDIA: Final = "shotfarm.media"

CONTROL_CANCEL: Final = "shotfarm_cancel"
"""Remote control command, heard while all slots are busy: ``{"attempt_id": …}``."""

MANIFEST_NAME: Final = "manifest.json"
STORE_MARKER: Final = ".shotfarm-store"
"""Key of the file by which a node knows the farm's artifact store from an empty mount point."""

TICK_CHANNEL: Final = "shotfarm.tick"
"""Redis channel that wakes the ticker. Nothing but speed depends on it."""

T = TypeVar("T")


class ContractError(ValueError):
    """A message does not have the form its contract states."""


class Outcome(StrEnum):
    """How an attempt ended on its node."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DROPPED = "dropped"  # the claim was refused or unanswered: nothing was rendered


class FailureClass(StrEnum):
    """Why an attempt failed. The class decides what happens next (design §6)."""

    OUT_OF_MEMORY = "out_of_memory"
    REJECTED_GRAPH = "rejected_graph"
    MISSING_MODEL = "missing_model"
    INPUT_MISSING = "input_missing"
    COMFY_CRASHED = "comfy_crashed"
    COMFY_HUNG = "comfy_hung"
    INFRASTRUCTURE = "infrastructure"
    OUTPUT_INVALID = "output_invalid"
    TIMED_OUT = "timed_out"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """Where an accepted attempt stands on its node."""

    ACCEPTED = "accepted"
    STAGED = "staged"
    EXECUTING = "executing"
    COLLECTING = "collecting"


class NodeState(StrEnum):
    """What a node says of itself. OFFLINE is never said; the coordinator concludes it."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    DEAF = "deaf"
    SICK = "sick"


class Source(StrEnum):
    """Where a GPU fact comes from."""

    NVML = "nvml"
    COMFYUI = "comfyui"
    SIMULATED = "simulated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class OrderInput:
    """One file to upload to ComfyUI before the prompt is queued.

    ``key`` is relative to the artifact store. The name ComfyUI answers replaces the placeholder in
    ``graph[node]["inputs"][input]``. ``grant`` lets this attempt fetch it through the farm.
    """

    node: str
    input: str
    key: str
    sha256: str
    bytes: int
    grant: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class OrderOutput:
    """One output node to collect, and what its files must be. ``frames`` is 1 for a picture."""

    node: str
    kind: str  # "image" | "video"
    width: int
    height: int
    frames: int
    fps: float | None = None


@dataclass(frozen=True, kw_only=True)
class RenderOrder:
    """Render this graph once. Times in seconds, memory in GB.

    ``free_first``: empty ComfyUI's caches before, because an earlier output of this job was unusable.
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


@dataclass(frozen=True, kw_only=True)
class ArtifactFact:
    """One stored file, as decoded on the node. ``path`` is relative to the attempt's folder."""

    path: str
    kind: str  # "image" | "video"
    media_type: str
    bytes: int
    sha256: str
    width: int
    height: int
    frames: int
    fps: float | None
    output_node: str


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What went wrong, in ComfyUI's own words where it spoke."""

    failure_class: FailureClass
    code: str
    message: str
    node_id: str = ""
    node_type: str = ""
    exception_type: str = ""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Timings:
    """Seconds, by the node's own clock. ``wait_s``: queued in ComfyUI behind another prompt."""

    stage_s: float = 0.0
    wait_s: float = 0.0
    execute_s: float = 0.0
    collect_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """A line a node logged about an attempt. ``at``: seconds since 1970 by the node's own clock."""

    at: float
    level: str
    logger: str
    message: str
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RenderReport:
    """How an attempt ended. Also the content of the attempt's manifest. Signed with its key.

    ``log``: what the node logged about the attempt, bounded and without secrets.
    """

    attempt_id: str
    job_id: str
    token: str
    node: str
    epoch: str
    outcome: Outcome
    failure: Failure | None = None
    artifacts: tuple[ArtifactFact, ...] = ()
    timings: Timings = field(default_factory=Timings)
    prompt_id: str = ""
    comfyui_version: str = ""
    gpu: str = ""
    simulated: bool = False
    reason: str = ""
    log: tuple[LogLine, ...] = ()
    signature: str = ""
    version: int = VERSION

    def signed(self, key: str) -> Self:
        """Return this report with its signature."""
        return replace(self, signature=_signature(self, key))

    def is_signed_with(self, key: str) -> bool:
        """Tell whether the content is what the holder of ``key`` signed."""
        return hmac.compare_digest(self.signature, _signature(self, key))


class RenderFailed(Exception):
    """RENDER's Celery failure: ``args[0]`` is the RenderReport as JSON, so the record is not lost."""

    def __init__(self, report: dict[str, Any]) -> None:
        super().__init__(report)
        self.report = report

    def __repr__(self) -> str:
        failure = self.report.get("failure") or {}
        if not failure:
            return f"{self.report.get('outcome')}: {self.report.get('reason')}"
        place = f" ({failure['node_type']} #{failure['node_id']})" if failure.get("node_id") else ""
        return f"{failure.get('failure_class')}: {failure.get('message')}{place}"

    __str__ = __repr__


@dataclass(frozen=True, kw_only=True)
class Bell:
    """A report of this attempt stands in the result backend."""

    attempt_id: str
    version: int = VERSION


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


@dataclass(frozen=True, kw_only=True)
class GpuFact:
    """One GPU. Memory in MiB, temperature in °C, utilisation in percent; None is unknown.

    ``foreign_mib``: memory held by processes other than this node's ComfyUI.
    """

    index: int
    name: str
    uuid: str
    source: Source
    total_mib: int | None
    free_mib: int | None
    foreign_mib: int | None = None
    utilisation: int | None = None
    temperature_c: int | None = None
    driver: str = ""


@dataclass(frozen=True, kw_only=True)
class ComfyFact:
    """What ComfyUI says of itself. ``device_type`` "cpu" means there is no VRAM at all."""

    reachable: bool
    version: str = ""
    device_type: str = ""
    python: str = ""
    pytorch: str = ""
    queue_running: int = 0
    queue_pending: int = 0
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a node can render: node classes, and model files by folder (names with ``/``)."""

    classes: tuple[str, ...]
    models: dict[str, tuple[str, ...]]

    @property
    def fingerprint(self) -> str:
        """A short hash, equal for equal capabilities."""
        return hashlib.sha256(canonical(to_json(self))).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class RunningAttempt:
    """An attempt in hand. ``progress`` from 0 to 1; ``doing`` names the graph node at work."""

    attempt_id: str
    token: str
    stage: Stage
    progress: float = 0.0
    doing: str = ""


@dataclass(frozen=True, kw_only=True)
class NodeReport:
    """How a node stands: sent every 5 s and at once when something changed.

    ``worker`` is the Celery node name (for remote control). ``tier_gb`` None: memory unknown, so no
    GPU jobs. ``capabilities`` is sent only when asked for; the fingerprint always.
    ``finished``: reports the coordinator has not confirmed yet, oldest first.
    """

    node: str
    worker: str
    epoch: str
    state: NodeState
    reason: str
    tier_gb: int | None
    simulated: bool
    gpus: tuple[GpuFact, ...]
    comfy: ComfyFact
    fingerprint: str
    capabilities: Capabilities | None = None
    running: tuple[RunningAttempt, ...] = ()
    finished: tuple[RenderReport, ...] = ()
    version: int = VERSION


@dataclass(frozen=True, kw_only=True)
class NodeDirectives:
    """The coordinator's answer to a NodeReport.

    ``confirmed``: reports recorded (or refused for good); forget them. ``cancelled``: stop these.
    ``serve``: read the tier queues; without it the node reads its own queue only.
    ``new_epoch``: this node was given up; mint a new epoch and drop what is running.
    """

    confirmed: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()
    serve: bool = False
    desired: str = "active"  # "active" | "draining" | "paused"
    want_capabilities: bool = False
    new_epoch: bool = False
    version: int = VERSION


def to_json(message: object) -> dict[str, Any]:
    """Turn a message into plain JSON values."""
    plain: dict[str, Any] = msgspec.to_builtins(message)
    return plain


def from_json(kind: type[T], data: object) -> T:
    """Read a message. Raises ContractError naming the field, or the version that is not spoken here."""
    found = data.get("version", VERSION) if isinstance(data, dict) else VERSION
    if found != VERSION:
        raise ContractError(f"{kind.__name__}.version is {found!r}; this side speaks {VERSION}")
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as exc:
        raise ContractError(f"{kind.__name__}: {exc}") from exc


LONGEST_TEXT: Final = 20_000
"""Characters of any one text that are kept of a message."""


def printable(kind: type[T], message: T) -> T:
    """Return the message with every text as a database takes it: no NUL, no lone surrogates, bounded.

    Check a signature before, for the content changes.
    """
    return from_json(kind, _printable(to_json(message)))


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return value[:LONGEST_TEXT].replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_printable(name): _printable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(inner) for inner in value]
    return value


def canonical(plain: object) -> bytes:
    """JSON with sorted keys and no spaces, ASCII only: equal content, equal bytes, whatever the text."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()


def pack_graph(graph: dict[str, Any]) -> str:
    """Pack an API-format graph for :attr:`RenderOrder.graph_z`."""
    return base64.b64encode(zlib.compress(canonical(graph), 9)).decode()


def _signature(report: RenderReport, key: str) -> str:
    content = to_json(report)
    del content["signature"]
    if not report.log:
        content.pop("log", None)  # as a node signs that does not know this field yet
    return hmac.new(key.encode(), canonical(content), hashlib.sha256).hexdigest()
