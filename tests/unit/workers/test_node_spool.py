"""The node's memory on disk."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from farm.contracts import ContractError
from tests.unit.workers.facts import order, report
from workers.errors import SpoolTaken, SpoolUnavailable
from workers.spool import Spool, Started


def test_a_started_attempt_is_known_to_the_next_life(tmp_path: Path) -> None:
    Spool(tmp_path).start(Started(order=order(), prompt_id="p1"))

    (started,) = Spool(tmp_path).started()

    assert (started.order, started.prompt_id) == (order(), "p1")


def test_a_report_ends_the_start_and_stays_until_confirmed(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.start(Started(order=order(), prompt_id="p1"))

    spool.finish(report())
    assert (spool.started(), spool.finished()) == ((), (report(),))

    spool.confirm(["a1", "unknown"])
    assert spool.finished() == ()


def test_an_attempt_is_known_from_its_start_until_its_report_is_confirmed(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    assert not spool.knows("a1")

    spool.start(Started(order=order(), prompt_id="p1"))
    assert spool.knows("a1")

    spool.finish(report())
    assert spool.knows("a1")

    spool.confirm(["a1"])
    assert not spool.knows("a1")
    assert not spool.knows("../a1")


def test_reports_are_listed_oldest_first(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for age, name in enumerate(["new", "middle", "old"]):
        spool.finish(report(name))
        os.utime(tmp_path / f"finished/{name}.json", ns=(0, 1_000_000 - age))

    assert [done.attempt_id for done in spool.finished()] == ["old", "middle", "new"]


def test_a_file_of_another_version_is_set_aside_and_hides_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.finish(report("good"))
    (tmp_path / "finished/odd.json").write_text('{"version": 99}')
    (tmp_path / "finished/torn.json").write_text('{"attempt')

    assert [done.attempt_id for done in spool.finished()] == ["good"]
    assert sorted(path.name for path in (tmp_path / "finished").glob("*.unreadable")) == [
        "odd.unreadable",
        "torn.unreadable",
    ]


def test_a_half_written_file_is_never_read(tmp_path: Path) -> None:
    (Spool(tmp_path).folder / "finished/a1.draft").write_text("{")

    assert Spool(tmp_path).finished() == ()


@pytest.mark.parametrize("attempt_id", ["../../etc/passwd", "", "a/b", ".hidden"])
def test_an_attempt_id_that_is_a_path_is_refused(tmp_path: Path, attempt_id: str) -> None:
    with pytest.raises(ContractError, match="attempt_id"):
        Spool(tmp_path / "spool").finish(report(attempt_id))

    Spool(tmp_path / "spool").confirm([attempt_id])
    assert [path for path in (tmp_path / "spool").rglob("*") if path.is_file()] == []


def test_report_keys_lie_in_a_private_folder(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")

    assert (spool.folder / "started").stat().st_mode & 0o077 == 0


def test_a_report_outlives_a_death_before_its_start_was_ended(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.start(Started(order=order(), prompt_id="p1"))
    begun = (tmp_path / "started/a1.json").read_bytes()
    spool.finish(report())
    (tmp_path / "started/a1.json").write_bytes(begun)  # killed between the two

    next_life = Spool(tmp_path)

    assert (next_life.started(), next_life.finished()) == ((), (report(),))
    assert not (tmp_path / "started/a1.json").exists()


def test_the_next_life_knows_in_which_one_an_order_came_and_reads_what_an_older_version_wrote(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path)
    spool.start(Started(order=order(), prompt_id="p1", epoch="e7"))
    assert [one.epoch for one in spool.started()] == ["e7"]

    path = tmp_path / "started/a1.json"
    older = json.loads(path.read_bytes())
    del older["epoch"]
    path.write_text(json.dumps(older))

    assert [(one.prompt_id, one.epoch) for one in spool.started()] == [("p1", "")]


def test_a_spool_belongs_to_one_process(tmp_path: Path) -> None:
    first, second = Spool(tmp_path), Spool(tmp_path)
    first.own()
    first.own()

    with pytest.raises(SpoolTaken, match="SHOTFARM_NODE"):
        second.own()

    first.close()
    second.own()
    second.close()


def test_what_a_killed_worker_had_half_written_is_cleared_away(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.finish(report())
    (tmp_path / "finished/a2.draft").write_text("{")

    spool.own()
    spool.close()

    assert [path.name for path in (tmp_path / "finished").iterdir()] == ["a1.json"]


def test_a_report_that_cannot_be_read_keeps_no_other_from_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    spool.finish(report("bad"))
    spool.finish(report("good"))
    read, failed = Path.read_bytes, list[str]()

    def read_bytes(path: Path) -> bytes:
        if path.name == "bad.json":
            failed.append(path.name)
            raise OSError(errno.EIO, "Input/output error")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    assert [done.attempt_id for done in spool.finished()] == ["good"]
    assert failed == ["bad.json"]

    monkeypatch.undo()
    assert {done.attempt_id for done in spool.finished()} == {"bad", "good"}, "a disk may recover"


def test_a_disk_that_removes_nothing_is_no_error_of_the_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    spool.start(Started(order=order(), prompt_id="p1"))
    kept: list[str] = []

    def unlink(path: Path, missing_ok: bool = False) -> None:
        kept.append(path.name)
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", unlink)
    spool.finish(report())
    spool.confirm(["a1"])

    assert kept == ["a1.json", "a1.json"]
    assert spool.finished() == (report(),)


def test_a_spool_that_cannot_be_made_is_told_with_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SpoolUnavailable, match="set SHOTFARM_SPOOL to another disk"):
        Spool(tmp_path / "file" / "spool")
