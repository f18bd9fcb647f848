"""When a node restarts its ComfyUI, by a command that leaves its mark."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from workers import restart as restart_module
from workers.restart import AFTER_S, PAUSE_S, Restart


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def restart(tmp_path: Path, clock: Clock) -> Restart:
    leave_a_mark = "import sys; open(sys.argv[1], 'a').write('restarted\\n')"
    return Restart((sys.executable, "-c", leave_a_mark, str(tmp_path / "mark")), clock=clock)


def restarts(tmp_path: Path) -> int:
    mark = tmp_path / "mark"
    return len(mark.read_text().splitlines()) if mark.exists() else 0


def test_comfyui_is_restarted_once_it_has_been_sick_for_long(
    restart: Restart, clock: Clock, tmp_path: Path
) -> None:
    restart.consider(sick=True)
    clock.now += AFTER_S - 1
    restart.consider(sick=True)
    assert restarts(tmp_path) == 0

    clock.now += 1
    restart.consider(sick=True)
    restart.consider(sick=True)
    assert restarts(tmp_path) == 1


def test_a_node_that_got_well_in_time_is_left_alone(restart: Restart, clock: Clock, tmp_path: Path) -> None:
    for _ in range(3):
        restart.consider(sick=True)
        clock.now += AFTER_S - 1
        restart.consider(sick=False)

    assert restarts(tmp_path) == 0


def test_a_restart_that_did_not_help_is_repeated_after_a_pause(
    restart: Restart, clock: Clock, tmp_path: Path
) -> None:
    for _ in range(2 + int(PAUSE_S / AFTER_S)):
        restart.consider(sick=True)
        clock.now += AFTER_S

    assert restarts(tmp_path) == 2


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("/nowhere/restart-comfyui",), "No such file"),
        ((sys.executable, "-c", "import sys; sys.exit('no rights')"), "no rights"),
    ],
)
def test_a_command_that_fails_is_told_and_does_no_more_harm(
    command: tuple[str, ...], said: str, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    restart = Restart(command, clock=clock)
    restart.consider(sick=True)
    clock.now += AFTER_S
    with caplog.at_level(logging.ERROR):
        restart.consider(sick=True)

    (record,) = caplog.records
    assert record.message == "ComfyUI not restarted"
    assert said in str(vars(record))


def test_a_comfyui_left_running_by_the_command_is_not_waited_for(
    clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restart_module, "PATIENCE_S", 10)
    restart = Restart(("sh", "-c", "sleep 20 &"), clock=clock)
    restart.consider(sick=True)
    clock.now += AFTER_S
    with caplog.at_level(logging.WARNING):
        restart.consider(sick=True)

    assert [record.message for record in caplog.records] == ["restarting ComfyUI"]


def test_without_a_command_nothing_is_run(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    restart = Restart((), clock=clock)
    restart.consider(sick=True)
    clock.now += AFTER_S
    with caplog.at_level(logging.WARNING):
        restart.consider(sick=True)

    assert caplog.records == []
