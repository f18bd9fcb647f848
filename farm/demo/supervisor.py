"""Keep a set of processes alive: start them, restart what dies, leave nothing behind.

Every child leads a process group of its own, so that Ctrl-C in the terminal reaches only the
supervisor, and so that stopping a child stops its children too. Should the supervisor itself be
killed (kill -9), Linux kills the children (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from farm.demo.memory import peaks_mb

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
STEADY_S: Final = 30.0
"""A child that lived this long starts again with the first pause."""
SAMPLE_S: Final = 2.0
PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


@dataclass(frozen=True, kw_only=True)
class Program:
    """One process to keep alive. ``outlives``: it stops after all others have (the broker)."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    outlives: bool = False


@dataclass
class Child:
    """A program's present life. ``restart_at`` is a monotonic time, None while it runs or rests."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE_S
    restart_at: float | None = None
    deaths: list[str] = field(default_factory=list)
    peak_mb: float = 0.0


class Supervisor:
    """Runs programs in ``folder``, one log file each. Call :meth:`tend` about every second, and from one
    thread only: the children's lives are tied to the thread that starts them.
    """

    def __init__(
        self, programs: Iterable[Program], *, folder: Path, logs: Path, say: Callable[[str], None]
    ) -> None:
        self.children = {program.name: Child(program) for program in programs}
        self._folder = folder
        self._logs = logs
        self._say = say
        self._sampled = 0.0

    def start(self, *names: str) -> None:
        """Start these programs, or all that do not run."""
        for name in names or self.children:
            if self.children[name].process is None:
                self._spawn(self.children[name])

    def tend(self) -> None:
        """Restart what died and is due, after a pause that doubles; note how much memory is held."""
        now = time.monotonic()
        for child in self.children.values():
            if child.process is not None and _has_ended(child.process.pid):
                self._bury(child, now)
            if child.restart_at is not None and child.restart_at <= now:
                self._spawn(child)
        if now - self._sampled >= SAMPLE_S:
            self.sample()

    def sample(self) -> None:
        """Note the memory held now."""
        self._sampled = time.monotonic()
        pids = {child.process.pid: child for child in self.children.values() if child.process}
        for pid, peak in peaks_mb(set(pids)).items():
            pids[pid].peak_mb = max(pids[pid].peak_mb, peak)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a child's whole group; :meth:`tend` will restart it if it dies."""
        process = self.children[name].process
        if process is not None:
            _signal_group(process.pid, number)

    def rest(self, name: str, *, grace_s: float = 5.0) -> None:
        """Stop one child and leave it stopped until :meth:`start`."""
        self._stop([self.children[name]], grace_s)

    def stop(self, *, grace_s: float = 8.0, hurry: Callable[[], bool] = lambda: False) -> None:
        """Stop every child: politely, after ``grace_s`` seconds (or when ``hurry()``) by force."""
        self.sample()
        self._stop([child for child in self.children.values() if not child.program.outlives], grace_s, hurry)
        self._stop([child for child in self.children.values() if child.program.outlives], grace_s, hurry)

    def _spawn(self, child: Child) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        with (self._logs / f"{child.program.name}.log").open("ab") as log:
            child.process = subprocess.Popen(  # noqa: S603 - our own commands
                child.program.command,
                env=dict(child.program.env),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with(os.getpid()),  # noqa: PLW1509 - does one system call
            )
        child.started, child.restart_at = time.monotonic(), None

    def _bury(self, child: Child, now: float) -> None:
        code = self._reap(child)
        child.pause = FIRST_PAUSE_S if now - child.started > STEADY_S else child.pause
        child.deaths.append(_how_it_ended(code))
        child.restart_at = now + child.pause
        log = self._logs / f"{child.program.name}.log"
        self._say(
            f"{child.program.name} {child.deaths[-1]}; starting it again in {child.pause:g} s (see {log})"
        )
        child.pause = min(child.pause * 2, LONGEST_PAUSE_S)

    def _stop(self, children: list[Child], grace_s: float, hurry: Callable[[], bool] = lambda: False) -> None:
        deadline = time.monotonic() + grace_s
        for child in children:
            child.restart_at = None
            if child.process is not None:
                _signal_group(child.process.pid, signal.SIGTERM)
        running = [child for child in children if child.process is not None]
        while running:
            late = time.monotonic() > deadline or hurry()
            for child in list(running):
                assert child.process is not None  # noqa: S101 - a child in this list has one
                if late:
                    _signal_group(child.process.pid, signal.SIGKILL)
                if late or _has_ended(child.process.pid):
                    self._reap(child)
                    running.remove(child)
            time.sleep(0.05 if running else 0)

    def _reap(self, child: Child) -> int:
        """Kill what is left of an ended child's group, then let go of it."""
        assert child.process is not None  # noqa: S101 - callers checked
        _signal_group(child.process.pid, signal.SIGKILL)
        code = child.process.wait()
        child.process = None
        return code


def _has_ended(pid: int) -> bool:
    """Look without reaping: until it is reaped, its group's number belongs to nobody else."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return  # nobody is left in it


def _how_it_ended(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"


def die_with(parent: int) -> Callable[[], None] | None:
    """For ``preexec_fn``: make the kernel kill the child when ``parent`` is gone. Only Linux can."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)  # the supervisor died between fork and here

    return ask
