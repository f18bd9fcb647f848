"""How an attempt ended, signed with its key."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from farm.contracts.reading import canonical
from farm.contracts.words import VERSION, FailureClass, Mebibytes, Outcome


@dataclass(frozen=True, kw_only=True)
class ArtifactFact:
    """One stored file, as decoded on the node. ``path`` is relative to the attempt's folder.

    Of latents, ``width``, ``height`` and ``frames`` are the pixels and frames that they stand for.
    """

    path: str
    kind: str  # "image" | "video" | "latent"
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

    ``log``: what the node logged about the attempt, bounded and without secrets. ``peak_mib``: the most
    memory that was used on the card while the prompt executed, by whomever; None where nobody measures. It
    is shown and never decides, so it is not signed either, and a coordinator that does not know it yet
    takes the report.
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
    peak_mib: Mebibytes | None = None
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


RenderFailed.__module__ = "farm.contracts"  # it travels as the task's failure, by this name


@dataclass(frozen=True, kw_only=True)
class Bell:
    """A report of this attempt stands in the result backend."""

    attempt_id: str
    version: int = VERSION


SIGNED: Final[dict[type, tuple[str, ...]]] = {
    RenderReport: (
        *("attempt_id", "job_id", "token", "node", "epoch", "outcome", "failure", "artifacts", "timings"),
        *("prompt_id", "comfyui_version", "gpu", "simulated", "reason", "log", "version"),
    ),
    ArtifactFact: (
        *("path", "kind", "media_type", "bytes", "sha256", "width", "height", "frames", "fps", "output_node"),
    ),
    Failure: ("failure_class", "code", "message", "node_id", "node_type", "exception_type", "detail"),
    Timings: ("stage_s", "wait_s", "execute_s", "collect_s"),
    LogLine: ("at", "level", "logger", "message", "facts"),
}
"""What a signature of this VERSION covers: a side that knows more fields signs, and checks, no more."""


def _signature(report: RenderReport, key: str) -> str:
    content = _signed(report)
    if not report.log:
        del content["log"]  # so signs a node that does not know this field yet
    return hmac.new(key.encode(), canonical(content), hashlib.sha256).hexdigest()


def _signed(value: Any) -> Any:
    if names := SIGNED.get(type(value)):
        return {name: _signed(getattr(value, name)) for name in names}
    return [_signed(item) for item in value] if isinstance(value, tuple) else value
