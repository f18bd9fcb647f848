"""The node's memory on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from farm.contracts import ContractError
from tests.unit.workers.facts import order, report
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
