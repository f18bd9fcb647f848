"""An attempt's facts as they gather, and the signed report made of them."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from farm.contracts import (
    ArtifactFact,
    Failure,
    FailureClass,
    Outcome,
    RenderOrder,
    RenderReport,
    Timings,
)
from farm.logs import redacted
from workers import outputs
from workers.comfy.client import ComfyClient
from workers.comfy.errors import ComfyError
from workers.comfy.outputs import OutputFile
from workers.comfy.text import NAME_LIMIT, beginning, ending
from workers.errors import NodeError
from workers.logs import attempt_lines
from workers.node import Node
from workers.store import OrderStore

logger = logging.getLogger(__name__)


class Attempt:
    """One attempt on this node, from whichever thread has it in hand."""

    def __init__(self, order: RenderOrder, *, node: Node, client: ComfyClient, store: OrderStore) -> None:
        self.order = order
        self.client = client
        self.prompt_id = ""
        self._node = node
        self.epoch = node.epoch  # the life in which the order came, whatever happens to the node meanwhile
        self.store = store
        self._timings = Timings()
        self._peak_mib: int | None = None

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Add the seconds spent inside to one field of the timings."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.spent(**{phase: time.monotonic() - begun})

    def spent(self, **seconds: float) -> None:
        """Add seconds to fields of the timings."""
        known = {phase: getattr(self._timings, phase) + more for phase, more in seconds.items()}
        self._timings = replace(self._timings, **known)

    def saw_peak(self, mib: int | None) -> None:
        """Note the most memory that was used on the card during an execution; None: nobody measured."""
        if mib is not None:
            self._peak_mib = max(self._peak_mib or 0, mib)

    def collect(self, files: Iterable[OutputFile]) -> RenderReport:
        """Check and store what was rendered, the manifest last. Raises NodeError, ComfyError."""
        with self.timed("collect_s"):
            artifacts = outputs.collect(files, self.order, client=self.client, store=self.store)
        size = sum(artifact.bytes for artifact in artifacts)
        logger.info("outputs stored", extra={"files": len(artifacts), "bytes": size})
        report = self.report(Outcome.SUCCEEDED, artifacts=artifacts)
        outputs.write_manifest(report, self.order, self.store)
        return report

    def stored(self) -> RenderReport | None:
        """Return the report that stands in the attempt's folder, None if there is none or it is not ours.

        It comes last, so the files are there. Behind the farm's web side a node cannot read it: None.
        """
        return outputs.read_manifest(self.order, self.store)

    def failed(self, error: ComfyError | NodeError) -> RenderReport:
        """Report a failure that names itself."""
        return self.report(Outcome.FAILED, failure=error.to_failure())

    def broke(self, error: Exception) -> RenderReport:
        """Report a failure nobody foresaw."""
        failure = Failure(
            failure_class=FailureClass.UNKNOWN,
            code="node_error",
            message=f"{type(error).__name__}: {error}",
            exception_type=type(error).__name__,
            detail="".join(traceback.format_exception(error)),
        )
        return self.report(Outcome.FAILED, failure=failure)

    def report(
        self,
        outcome: Outcome,
        *,
        failure: Failure | None = None,
        artifacts: tuple[ArtifactFact, ...] = (),
        reason: str = "",
    ) -> RenderReport:
        """Write and sign the report. Its texts are cleaned, cut to what travels, and hold no secrets."""
        sight = self._node.sight
        order = self.order
        return RenderReport(
            attempt_id=order.attempt_id,
            job_id=order.job_id,
            token=order.token,
            node=self._node.name,
            epoch=self.epoch,
            outcome=outcome,
            failure=_fit_to_travel(failure) if failure else None,
            artifacts=artifacts,
            timings=self._timings,
            prompt_id=self.prompt_id,
            comfyui_version=sight.comfy.version,
            gpu=sight.reading.label,
            simulated=sight.reading.simulated,
            reason=beginning(redacted(reason)),
            log=attempt_lines.of(order.attempt_id),
            peak_mib=self._peak_mib,
        ).signed(order.report_key)


def _fit_to_travel(failure: Failure) -> Failure:
    return replace(
        failure,
        message=beginning(redacted(failure.message)),
        node_id=beginning(failure.node_id, NAME_LIMIT),
        node_type=beginning(failure.node_type, NAME_LIMIT),
        exception_type=beginning(failure.exception_type, NAME_LIMIT),
        detail=ending(redacted(failure.detail)),
    )
