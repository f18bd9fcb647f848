"""How a node stands, and what it is to do."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from farm.contracts.inventory import Inventory
from farm.contracts.reading import ContractError, canonical, from_json, to_json
from farm.contracts.reports import RenderReport
from farm.contracts.words import VERSION, NodeState, Source, Stage


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
    """What ComfyUI says of itself. ``device_type`` "cpu" means there is no VRAM at all.

    ``address``: ``host:port``, with the machine's own name instead of a loopback address, so that one
    name with two addresses is two workers. ``ram_free_mib`` is its machine's.
    """

    reachable: bool
    version: str = ""
    device_type: str = ""
    python: str = ""
    pytorch: str = ""
    queue_running: int = 0
    queue_pending: int = 0
    error: str = ""
    address: str = ""
    ram_free_mib: int | None = None


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a node can render: node classes, and model files by folder (names with ``/``).

    ``custom_nodes``: each package of node classes beside ComfyUI's own → a short hash of what it offers.
    """

    classes: tuple[str, ...]
    models: dict[str, tuple[str, ...]]
    custom_nodes: dict[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """A short hash, equal for equal capabilities."""
        content = to_json(self)
        if not self.custom_nodes:
            content.pop("custom_nodes", None)  # as a node tells that does not know this field yet
        return hashlib.sha256(canonical(content)).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class RunningAttempt:
    """An attempt in hand. ``progress`` from 0 to 1; ``doing`` names the graph node at work."""

    attempt_id: str
    token: str
    stage: Stage
    progress: float = 0.0
    doing: str = ""


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """How the probe render ended that was asked for as ``id``. ``message``: why it did not render."""

    id: str
    ok: bool
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class NodeReport:
    """How a node stands: sent every 5 s and at once when something changed.

    ``worker`` is the Celery node name (for remote control). ``tier_gb`` None: memory unknown, so no GPU
    jobs. ``capabilities`` is sent only when asked for; the fingerprint always. ``finished``: reports the
    coordinator has not confirmed yet, oldest first. ``resident``: model files (``folder/name``) that
    ComfyUI holds in memory now, as far as the node knows, the last used at the end: a hint, never a
    promise. ``canary``: the id of the last CANARY that came by its own queue. ``probe``: how the last probe
    ended that was asked for. ``hears``: which of HEARS this node heeds. ``catalogue_of``: the name by content
    of its whole node catalogue; ``catalogue``, packed, is sent only when asked for (contracts.catalogues).
    ``keys``: names of the services whose key it holds, never a key itself.
    ``inventory``: its model files by hash, as far as they were asked for; None where nothing is known yet, or
    by an older worker.
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
    resident: tuple[str, ...] = ()
    canary: str = ""
    probe: ProbeResult | None = None
    hears: tuple[str, ...] = ()
    catalogue_of: str = ""
    catalogue: str = ""
    keys: tuple[str, ...] = ()
    inventory: Inventory | None = None
    version: int = VERSION


@dataclass(frozen=True, kw_only=True)
class NodeDirectives:
    """The coordinator's answer to a NodeReport.

    ``confirmed``: reports recorded (or refused for good); forget them. ``cancelled``: stop these.
    ``serve``: read the tier queues; without it the node reads its own queue only.
    ``new_epoch``: this node was given up; mint a new epoch and drop what is running. ``unstage``: as
    CONTROL_UNSTAGE, where that was not heard. ``probe``: the id of a probe to render, told again with its end
    in ``NodeReport.probe``; the same id is rendered once, however often it is told. ``refused``: why the
    coordinator takes nothing this node says of itself, for its own log. ``inventory``: () asks for the
    marks of its model files, numbers for these parts; None for nothing.
    """

    confirmed: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()
    serve: bool = False
    desired: str = "active"  # "active" | "draining" | "paused"
    want_capabilities: bool = False
    new_epoch: bool = False
    unstage: tuple[str, ...] = ()
    probe: str = ""
    refused: str = ""
    want_catalogue: bool = False
    inventory: tuple[int, ...] | None = None
    version: int = VERSION


def read_node_report(data: object) -> tuple[NodeReport, tuple[str, ...]]:
    """Read a node's report; what is wrong with its inventory, or a finished report, costs only that one.

    Return it with a sentence for each that was left out. Raises ContractError.
    """
    wrong: list[str] = []
    if isinstance(data, dict) and data.get("inventory") is not None:
        try:
            from_json(Inventory, data["inventory"])
        except ContractError as exc:
            wrong.append(str(exc))
            data = {**data, "inventory": None}
    finished = data.get("finished") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(finished, list | tuple):
        return from_json(NodeReport, data), tuple(wrong)
    report = from_json(NodeReport, {**data, "finished": ()})
    readable: list[RenderReport] = []
    for one in finished:
        try:
            readable.append(from_json(RenderReport, one))
        except ContractError as exc:
            wrong.append(str(exc))
    return replace(report, finished=tuple(readable)), tuple(wrong)
