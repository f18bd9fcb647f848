"""The supervisor, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farm.demo.processes import ROOT
from farm.demo.supervisor import Program, Supervisor

FOREVER = "import time; time.sleep(600)"
DEAF = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], "w").write("1")
time.sleep(600)
"""
WITH_GRANDCHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2] + ".deaf"])
open(sys.argv[2], "w").write(str(child.pid))
time.sleep(600)
"""
WITH_DIARY = """
import signal, sys, time
def bye(*_):
    open(sys.argv[1], "a").write(sys.argv[2])
    sys.exit()
signal.signal(signal.SIGTERM, bye)
open(sys.argv[3], "w").write("1")
time.sleep(600)
"""


def program(name: str, code: str, *arguments: str) -> Program:
    return Program(name=name, command=(sys.executable, "-c", code, *arguments), env=dict(os.environ))


def is_alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited 20 s in vain"
        time.sleep(0.02)


def number_in(path: Path) -> int:
    wait_until(lambda: path.exists() and path.read_text())
    return int(path.read_text())


class Stage:
    """Supervisors of one test, and what they said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.supervisors: list[Supervisor] = []

    def run(self, *programs: Program) -> Supervisor:
        supervisor = Supervisor(programs, folder=self.folder, logs=self.folder / "logs", say=self.said.append)
        self.supervisors.append(supervisor)
        supervisor.start()
        return supervisor


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    for supervisor in stage.supervisors:
        supervisor.stop(grace_s=0)


def pid_of(supervisor: Supervisor, name: str) -> int:
    process = supervisor.children[name].process
    assert process is not None
    return process.pid


def test_a_child_that_dies_is_started_again(stage: Stage) -> None:
    supervisor = stage.run(program("web", FOREVER))
    first = pid_of(supervisor, "web")
    supervisor.signal("web", signal.SIGKILL)

    def is_another() -> bool:
        supervisor.tend()
        process = supervisor.children["web"].process
        return process is not None and process.pid != first

    wait_until(is_another)
    assert "was killed by SIGKILL" in stage.said[0]


def test_a_child_that_keeps_dying_is_started_less_and_less_often(stage: Stage) -> None:
    supervisor = stage.run(program("web", "raise SystemExit(3)"))
    child = supervisor.children["web"]
    pauses: list[float] = []

    def died_three_times() -> bool:
        supervisor.tend()
        if child.restart_at is not None and len(child.deaths) > len(pauses):
            pauses.append(child.pause)
            child.restart_at = 0.0
        return len(pauses) == 3

    wait_until(died_three_times)
    assert child.deaths == ["exited with 3"] * 3
    assert pauses[0] < pauses[1] < pauses[2]


def test_stopping_leaves_no_grandchild_even_one_that_ignores_sigterm(stage: Stage, tmp_path: Path) -> None:
    note = tmp_path / "grandchild"
    supervisor = stage.run(program("media", WITH_GRANDCHILD, DEAF, str(note)))
    grandchild = number_in(note)
    supervisor.stop(grace_s=5)
    wait_until(lambda: not is_alive(grandchild))
    assert supervisor.children["media"].process is None


def test_a_restart_leaves_no_grandchild_of_the_life_before(stage: Stage, tmp_path: Path) -> None:
    note = tmp_path / "grandchild"
    supervisor = stage.run(program("media", WITH_GRANDCHILD, DEAF, str(note)))
    grandchild = number_in(note)
    os.kill(pid_of(supervisor, "media"), signal.SIGKILL)

    def is_buried() -> bool:
        supervisor.tend()
        return bool(supervisor.children["media"].deaths)

    wait_until(is_buried)
    wait_until(lambda: not is_alive(grandchild))


def test_a_child_that_ignores_sigterm_is_killed_when_the_grace_is_over(stage: Stage, tmp_path: Path) -> None:
    note = tmp_path / "deaf"
    supervisor = stage.run(program("web", DEAF, str(note)))
    number_in(note)
    pid = pid_of(supervisor, "web")
    supervisor.stop(grace_s=0.2)
    assert not is_alive(pid)


def test_a_resting_child_is_not_started_again(stage: Stage) -> None:
    supervisor = stage.run(program("coordinator", FOREVER), program("web", FOREVER))
    supervisor.rest("coordinator")
    supervisor.tend()
    assert supervisor.children["coordinator"].process is None
    assert supervisor.children["web"].process is not None
    supervisor.start("coordinator")
    assert is_alive(pid_of(supervisor, "coordinator"))


def test_the_broker_outlives_the_processes_that_need_it(stage: Stage, tmp_path: Path) -> None:
    book = tmp_path / "book"
    programs = []
    for name, outlives in (("broker", True), ("worker", False)):
        one = program(name, WITH_DIARY, str(book), f"{name} ", str(tmp_path / name))
        programs.append(Program(name=name, command=one.command, env=one.env, outlives=outlives))
    supervisor = stage.run(*programs)
    for name in ("broker", "worker"):
        number_in(tmp_path / name)
    supervisor.stop()
    assert book.read_text() == "worker broker "


def test_what_a_child_writes_stands_in_its_log(stage: Stage, tmp_path: Path) -> None:
    stage.run(program("web", "print('listening', flush=True); " + FOREVER))
    log = tmp_path / "logs" / "web.log"
    wait_until(lambda: log.read_text() == "listening\n")


def test_the_peak_memory_of_a_child_is_noted(stage: Stage, tmp_path: Path) -> None:
    note = tmp_path / "note"
    code = (
        "import sys, time; block = bytearray(64_000_000); open(sys.argv[1], 'w').write('1'); time.sleep(600)"
    )
    supervisor = stage.run(program("web", code, str(note)))
    number_in(note)
    supervisor.sample()
    assert supervisor.children["web"].peak_mb > 60


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with their parent")
def test_killing_the_supervisor_takes_its_children_along(tmp_path: Path) -> None:
    code = f"""
import sys, os, time
from pathlib import Path
from farm.demo.supervisor import Program, Supervisor
forever = Program(name="web", command=(sys.executable, "-c", {FOREVER!r}), env=dict(os.environ))
supervisor = Supervisor([forever], folder=Path("."), logs=Path(sys.argv[1]), say=str)
supervisor.start()
Path(sys.argv[1], "pid").write_text(str(supervisor.children["web"].process.pid))
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT)
    try:
        child = number_in(tmp_path / "pid")
        assert is_alive(child)
    finally:
        parent.kill()
        parent.wait()
    wait_until(lambda: not is_alive(child))
