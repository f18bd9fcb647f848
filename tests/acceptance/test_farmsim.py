"""A small simulated farm, so that every change is struck a little: real processes, twenty simulated nodes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from farm.demo.processes import ROOT

pytestmark = [pytest.mark.timeout(300), pytest.mark.production]  # it brings its own PostgreSQL

FAULTS = (
    "lost bell, duplicate report, reordered reports, forged report, stale order, out of memory, comfy crash,"
    " invalid output, node return, connections cut"
)


@pytest.mark.long
def test_a_farm_of_twenty_nodes_survives_a_handful_of_faults() -> None:
    command = [sys.executable, "-m", "tests.farmsim", "--nodes", "20", "--jobs", "120", "--over", "6"]
    done = subprocess.run(
        [*command, "--faults", FAULTS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    (verdict,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert verdict["ok"], done.stdout + done.stderr
    assert verdict["faults_injected"] >= 10
    assert (verdict["jobs"], verdict["lost"], verdict["doubled"]) == (120, 0, 0)
    assert done.returncode == 0


def test_what_is_no_fault_is_refused_by_name() -> None:
    command = [sys.executable, "-m", "tests.farmsim", "--faults", "earthquake"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'earthquake' is no fault" in done.stderr
