"""The coordinator's own code, run for a test in one process beside the farm, which starts once.

    python -m tests.acceptance.hand

Requests and answers are JSON, a line each: a text of Python → ``{"answer": …}`` or ``{"error": "…"}``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import django
from django.db import connections

from farm.demo.processes import ROOT


class Hand:
    """The process, as the test sees it. ``log`` gets what it says beside its answers."""

    def __init__(self, env: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.acceptance.hand"],
                env=dict(env),
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
        self._log = log

    def run(self, code: str) -> Any:
        """Run this code; return what it gave to ``answer()``. Raises AssertionError with what went wrong."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the coordinator's code ended its process:\n{self._log.read_text()[-2000:]}"
        told = json.loads(line)
        assert "error" not in told, told["error"]
        return told["answer"]

    def close(self) -> None:
        """End it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(60)
        if self._process.stdout is not None:
            self._process.stdout.close()


def main() -> None:
    """Answer until nobody asks any more."""
    django.setup()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_told(json.loads(line))) + "\n")
        sys.stdout.flush()


def _told(code: str) -> dict[str, Any]:
    answers: list[Any] = [None]
    try:
        with redirect_stdout(sys.stderr):
            exec(code, {"json": json, "sys": sys, "answer": answers.append})  # noqa: S102 - a test's own
    except Exception:  # noqa: BLE001 - the outermost edge: the test is told
        return {"error": traceback.format_exc()}
    finally:
        connections.close_all()  # what a test looks at next is held by the farm alone
    return {"answer": answers[-1]}


if __name__ == "__main__":
    main()
