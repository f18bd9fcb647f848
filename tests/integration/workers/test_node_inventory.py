"""A real worker tells which model files it sees, by content, as far as it is asked."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from farm.contracts import NodeDirectives, NodeReport
from farm.contracts.inventory import PARTS, part_of
from tests.integration.workers.node_farm import StartFarm


def test_a_worker_hashes_what_it_sees_and_says_of_the_rest_that_it_does_not(
    farm: StartFarm, tmp_path: Path
) -> None:
    base, seen = tmp_path / "comfyui", tmp_path / "seen"
    for models in (base / "models", seen):  # ComfyUI's own folder, and where the worker sees it
        (models / "loras").mkdir(parents=True)
        real = models / "loras" / "gerda.safetensors"
        real.write_bytes(b"weights")
        os.utime(real, (1_000_000, 1_000_000))
    here = farm(env={"SHOTFARM_MODELS": str(seen)}, base_dir=base)
    here.coordinator.directives = NodeDirectives(serve=True, inventory=tuple(range(PARTS)))

    def told(report: NodeReport) -> bool:
        return report.inventory is not None and bool(report.inventory.parts) and not report.inventory.waiting

    report = here.coordinator.hears(told)
    assert report.inventory is not None
    assert len(report.inventory.marks) == PARTS
    facts = {f"{one.folder}/{one.name}": one for part in report.inventory.parts for one in part.files}
    gerda = facts.pop("loras/gerda.safetensors")
    assert (gerda.size, gerda.sha256) == (7, hashlib.sha256(b"weights").hexdigest())
    assert facts
    assert {(one.sha256, one.why) for one in facts.values()} == {("", "elsewhere")}
    assert part_of(gerda.folder, gerda.name) in [part.number for part in report.inventory.parts]
