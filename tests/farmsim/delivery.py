"""How what a node rendered comes home: files, manifest, spool, result, bell; and which of them is lost."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from farm.contracts import (
    BELL,
    MANIFEST_NAME,
    REPORT,
    ArtifactFact,
    Bell,
    NodeReport,
    Outcome,
    RenderReport,
    canonical,
    to_json,
)
from farm.tiers import QUEUE_REPORTS
from tests.farmsim import wire
from tests.farmsim.fates import Fate
from tests.farmsim.hand import Held
from tests.farmsim.pictures import picture_for

if TYPE_CHECKING:
    from tests.farmsim.fleet import Fleet
    from tests.farmsim.node import SimNode

REPEATS: Final = 2
"""How often a duplicate report is said again after it was confirmed."""

TOLD_FORGED: Final = 2
"""In how many node reports a forged report is told: one may be lost on its way."""


class Delivery:
    """The roads by which reports travel, for all nodes. ``manifest_only``: attempts told by nothing else."""

    def __init__(self, fleet: Fleet, root: Path, rng: random.Random) -> None:
        self._fleet = fleet
        self._root = root
        self._rng = rng
        self._to_be_stale: dict[str, bytes] = {}
        self._stale: set[str] = set()
        self._unrung: set[str] = set()
        self._without_files: set[str] = set()
        self.manifest_only: set[str] = set()

    def happened(self, fate: Fate, job_id: str = "") -> None:
        """A fault is proven; with a job, that job was hit by it."""
        self._fleet.fates.happened(fate)
        if job_id:
            self._fleet.stats.struck(str(fate), job_id)

    def is_stale(self, attempt_id: str) -> bool:
        """Whether this attempt's order was delivered again when it had ended."""
        return attempt_id in self._stale

    def store(self, held: Held) -> tuple[ArtifactFact, ...]:
        """Store what was rendered; return the facts for the report."""
        pictures = [picture_for(output) for output in held.order.outputs]
        if held.fate is Fate.MISSING_FILES:
            self.happened(held.fate, held.order.job_id)
            self._without_files.add(held.attempt_id)
        else:
            folder = f"{self._root}/{held.order.artifact_folder}"
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - a tenth of pathlib's time, for every render
            for picture in pictures:
                _write(f"{folder}/{picture.fact.path}", picture.content)
        return tuple(picture.fact for picture in pictures)

    def deliver(self, node: SimNode, held: Held, report: RenderReport) -> None:
        """Bring a report home by every road that its fate leaves open."""
        succeeded = report.outcome is Outcome.SUCCEEDED
        fate = held.fate if succeeded else None
        if succeeded and fate is not Fate.MISSING_FILES:
            manifest = f"{self._root}/{held.order.artifact_folder}/{MANIFEST_NAME}"
            _write(manifest, canonical(to_json(report)))
        self._fleet.stats.outcomes[str(report.outcome)] += 1
        if fate is Fate.LOST_RESULT:
            self._fleet.stats.struck(str(fate), held.order.job_id)  # proven by the take, if one is made of it
            self.manifest_only.add(held.attempt_id)
            return
        node.spool[held.attempt_id] = report
        self._write_result(report)
        if fate is Fate.LOST_BELL:
            self._unrung.add(held.attempt_id)
        else:
            self.ring(held.attempt_id)
        if fate is Fate.DUPLICATE:
            node.reporter.kept[held.attempt_id] = REPEATS
            self.ring(held.attempt_id)
        elif fate is Fate.FORGED:
            node.reporter.extra += [report.signed("not the key")] * TOLD_FORGED
            self._fleet.fates.happened(fate)
        elif fate is Fate.REORDERED:
            node.reporter.reorder = True

    def ring(self, attempt_id: str) -> None:
        """The bell."""
        message = wire.task_message(
            BELL, Bell(attempt_id=attempt_id), queue=QUEUE_REPORTS, ignore_result=True
        )
        self._fleet.words.send("LPUSH", QUEUE_REPORTS, message)

    def confirmed(self, report: RenderReport) -> None:
        """The coordinator has it."""
        if report.outcome is Outcome.SUCCEEDED and report.attempt_id not in self._without_files:
            self._fleet.stats.confirmed[report.job_id] = time.time()
            self._fleet.stats.moved(report.job_id)
        if report.attempt_id in self._unrung:
            self._unrung.remove(report.attempt_id)
            self._fleet.fates.happened(Fate.LOST_BELL)
        if report.attempt_id in self._to_be_stale:
            self._deliver_stale(report)

    def tell_late(self, report: NodeReport) -> None:
        """A node report that arrives behind a newer one."""
        self._fleet.words.send("LPUSH", QUEUE_REPORTS, wire.task_message(REPORT, report, queue=QUEUE_REPORTS))
        self._fleet.fates.happened(Fate.REORDERED)

    def remember_order(self, held: Held, raw: bytes) -> None:
        """Keep an order to deliver it again when it is stale."""
        self._to_be_stale[held.attempt_id] = raw

    def _deliver_stale(self, report: RenderReport) -> None:
        others = [
            node
            for node in self._fleet.nodes.values()
            if node.alive and not node.frozen and node.name != report.node
        ]
        if others:
            self._stale.add(report.attempt_id)
            raw = self._to_be_stale.pop(report.attempt_id)
            self._fleet.words.send("LPUSH", self._rng.choice(others).own_queue, raw)

    def _write_result(self, report: RenderReport) -> None:
        """As Celery's backend does: stored for a week, and published, in one transaction."""
        write = wire.success if report.outcome is Outcome.SUCCEEDED else wire.failure
        content, key = write(report.attempt_id, report), wire.result_key(report.attempt_id)
        self._fleet.words.send("MULTI")
        self._fleet.words.send("SETEX", key, wire.RESULT_EXPIRES_S, content)
        self._fleet.words.send("PUBLISH", key, content)
        self._fleet.words.send("EXEC")


def _write(path: str, content: bytes) -> None:
    """Write a file in three calls of the kernel."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.write(file, content)
    finally:
        os.close(file)
