"""Disks that are really full: whose it is stands in the report, nothing is half-written, and it passes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from farm.contracts import STORE_MARKER, FailureClass, NodeState, Outcome, RenderReport
from tests.integration.workers.coordinator import order, slow_picture
from tests.integration.workers.node_farm import Farm, StartFarm, result_of
from tests.small_disk_fixture import SmallDisk, fill
from workers.errors import StoreFull
from workers.store import ArtifactStore

MIB = 1024**2
LITTLE = {"SHOTFARM_MIN_FREE_MB": "4"}


def filled_while_executing(here: Farm, disk: Path) -> tuple[Path, RenderReport]:
    """Render an order, fill the disk while ComfyUI works; return what fills it, and how the order ended."""
    what = order(slow_picture("a", 6.0))
    sent = here.coordinator.send(what, "vram.8")
    here.executing(what)
    ballast = fill(disk)
    assert os.statvfs(disk).f_bavail == 0, "the disk is not full"
    return ballast, result_of(sent)


def takes_no_work_until_there_is_room(here: Farm, ballast: Path, *words: str) -> None:
    """The node says why it stands still, and goes on by itself once the disk has room."""
    report = here.coordinator.hears(lambda report: report.state is NodeState.DEAF)
    for word in words:
        assert word in report.reason
    waiting = here.coordinator.send(order(), "vram.8")
    here.coordinator.hears(lambda later: later is not report and later.state is NodeState.DEAF)
    assert here.waiting_in("vram.8") == 1, "a node with a full disk took an order"
    ballast.unlink()
    assert result_of(waiting).outcome is Outcome.SUCCEEDED


def test_a_full_scratch_disk(farm: StartFarm, small_disk: SmallDisk) -> None:
    disk = small_disk(16)
    here = farm(env={"TMPDIR": str(disk), **LITTLE})
    ballast, report = filled_while_executing(here, disk)
    assert report.failure is not None
    assert (report.outcome, report.failure.failure_class) == (Outcome.FAILED, FailureClass.INFRASTRUCTURE)
    assert report.failure.code == "scratch_unavailable"
    assert report.failure.message == (
        f"this node's scratch disk at {disk} is full; make room there, or set TMPDIR to a larger disk"
    )
    assert not list((here.worker.artifacts).rglob("*.png"))
    assert [path.name for path in disk.iterdir() if path.name.startswith("shotfarm-")] == []
    takes_no_work_until_there_is_room(here, ballast, "scratch disk", str(disk), "make room")


def test_a_full_shared_folder(farm: StartFarm, small_disk: SmallDisk) -> None:
    disk = small_disk(16)
    (disk / STORE_MARKER).write_text("this farm's\n")
    here = farm(env={"SHOTFARM_ARTIFACTS": str(disk), **LITTLE})
    ballast, report = filled_while_executing(here, disk)
    assert report.failure is not None
    assert (report.outcome, report.failure.failure_class) == (Outcome.FAILED, FailureClass.INFRASTRUCTURE)
    assert report.failure.code == "store_full"
    assert f"the artifact store at {disk} is full; make room there" in report.failure.message
    assert sorted(path.name for path in disk.rglob("*") if path.is_file()) == [STORE_MARKER, ballast.name]
    takes_no_work_until_there_is_room(here, ballast, "artifact store", str(disk), "make room")


def test_with_a_full_spool_the_report_still_travels(farm: StartFarm, small_disk: SmallDisk) -> None:
    disk = small_disk(16)
    here = farm(env={"SHOTFARM_SPOOL": str(disk), **LITTLE})
    ballast, report = filled_while_executing(here, disk)
    assert report.outcome is Outcome.SUCCEEDED
    assert list(disk.rglob("finished/*")) == [], "the spool took the report, or half of it"
    refused = result_of(here.coordinator.send(order(), here.own_queue()))
    assert refused.failure is not None
    assert refused.failure.failure_class is FailureClass.INFRASTRUCTURE
    assert f"spool at {disk}" in refused.failure.message
    assert "No space left on device" in refused.failure.message
    assert "make room there" in refused.failure.message
    takes_no_work_until_there_is_room(here, ballast, "spool disk", "make room")


@pytest.mark.parametrize("leave", [0, 2 * MIB])
def test_a_file_that_does_not_fit_leaves_nothing_behind(
    small_disk: SmallDisk, tmp_path: Path, leave: int
) -> None:
    disk = small_disk(8)
    (disk / STORE_MARKER).write_text("this farm's\n")
    ballast = fill(disk, leave=leave)
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(os.urandom(4 * MIB))
    store = ArtifactStore(str(disk))
    with pytest.raises(StoreFull, match="is full; make room there"):
        store.put(clip, "attempts/a1/clip.mp4")
    assert [path for path in (disk / "attempts").rglob("*") if path.is_file()] == []
    ballast.unlink()
    store.put(clip, "attempts/a1/clip.mp4")
    assert (disk / "attempts/a1/clip.mp4").read_bytes() == clip.read_bytes()
