"""A few of the scenarios of ``make chaos``, so that every change is struck a little."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from farm.demo.processes import ROOT

pytestmark = [pytest.mark.timeout(300), pytest.mark.production]


CHOSEN = (
    "kill gpu-worker @ stored",
    "kill broker @ executing",
    "malformed items in reports",
)


@pytest.mark.long
def test_work_goes_on_after_a_fault_and_nothing_is_lost_or_doubled() -> None:
    only = [word for name in CHOSEN for word in ("--only", name)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *only], cwd=ROOT, capture_output=True, text=True, check=False
    )
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert {verdict["scenario"] for verdict in verdicts} == set(CHOSEN), done.stderr
    assert all(verdict["ok"] for verdict in verdicts), done.stdout + done.stderr
    assert done.returncode == 0
