"""A real GPU node for tests: ``celery -A workers worker`` in a process of its own, or what starts quicker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from farm.contracts import STORE_MARKER

ROOT = Path(__file__).parents[3]
STOP_S = 30.0


class WorkerProcess:
    """One worker. Its folder holds artifact store, spool and log."""

    def __init__(
        self,
        folder: Path,
        env: dict[str, str],
        *,
        name: str = "gpu1",
        home: Path = ROOT,
        celery: Path | None = None,
        app: str = "workers",
        mounted: bool = True,
    ) -> None:
        self.name = name
        self._home = home
        quick = [sys.executable, "-m", "farm.demo.worker", app]
        start = [str(celery), "-A", app, "worker"] if celery else quick
        self._command = [*start, "--hostname", self.celery_name, "--loglevel", "INFO"]
        self.artifacts = folder / "artifacts"
        self.spool = folder / "spool"
        self._log = folder / f"{name}.log"
        self.artifacts.mkdir(parents=True, exist_ok=True)
        if mounted:
            self.mount()
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "SHOTFARM_ARTIFACTS": str(self.artifacts),
            "SHOTFARM_SPOOL": str(self.spool),
            "SHOTFARM_NODE": name,
            "SHOTFARM_SIMULATED": "1",
            **env,
        }
        self.start()

    @property
    def celery_name(self) -> str:
        """The name remote control knows it by."""
        return f"celery@{self.name}"

    @property
    def log(self) -> str:
        """All it has logged."""
        return self._log.read_text(errors="replace")

    def mount(self) -> None:
        """Make the folder the farm's artifact store."""
        (self.artifacts / STORE_MARKER).write_text("this farm's\n")

    def start(self) -> None:
        """Start it, also again after a kill."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=self._home, env=self._env, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Stop it gently and return its exit status; what does not stop is killed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
