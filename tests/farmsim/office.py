"""The coordinator's office: Django in a process of its own, that does what the simulation asks for.

The simulation itself never opens the farm's database, and so can drive one farm after another. Requests and
answers are JSON, a line each: ``{"call": "submit", "with": {…}}`` → ``{"answer": …}`` or ``{"error": "…"}``.
"""

from __future__ import annotations

import importlib
import json
import logging
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import django
from django.db import close_old_connections

from farm.demo.processes import ROOT

logger = logging.getLogger(__name__)


class OfficeError(RuntimeError):
    """What was asked for could not be done; the words are the office's."""


class Office:
    """A running office. ``log`` gets what it says beside its answers."""

    def __init__(self, env: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.farmsim.office"],
                env=dict(env),
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
        self._log = log

    def ask(self, call: str, **arguments: Any) -> Any:
        """Let the office call this function of :mod:`tests.farmsim.clerk`. Raises OfficeError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"call": call, "with": arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise OfficeError(f"the office has closed; its last words:\n{self._log.read_text()[-2000:]}")
        told = json.loads(line)
        if "error" in told:
            raise OfficeError(told["error"])
        return told["answer"]

    def close(self) -> None:
        """End it."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)


def main() -> None:
    """Answer until nobody asks any more."""
    django.setup()
    # It needs Django's apps, which are there only now.
    clerk = importlib.import_module("tests.farmsim.clerk")
    for line in sys.stdin:
        request = json.loads(line)
        close_old_connections()
        try:
            told: dict[str, Any] = {"answer": clerk.CALLS[request["call"]](**request["with"])}
        except Exception:  # the outermost edge: whoever asked is told
            logger.exception("not done")
            told = {"error": traceback.format_exc()}
        sys.stdout.write(json.dumps(told, default=str) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
