"""A shot list of ten thousand rows: seconds and memory of its dry run, and what openpyxl alone takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.figures import Figure, say

AIM_S = 20.0
AIM_MB = 300.0


def sheets() -> Iterator[Figure]:
    """Plan a workbook of 5 000 shots and as many castings on a film that has them all, a tenth of the shots
    changed; then write it.
    """
    child = [sys.executable, "-m", "tests.bench.sheets.measuring"]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen(child, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.read() or "{}")
    if process.returncode:
        raise RuntimeError(f"the sheets could not be measured (exit status {process.returncode}); see above")
    say(f"{told['bytes'] / 1e6:.1f} MB of XLSX, {told['rows']} rows, {told['changed']} changed")
    say(f"{told['rows'] / told['plan_s']:.0f} rows/s; exported in {told['export_s']:.1f} s")
    yield Figure(
        figure=f"dry run of {told['rows']} rows", value=told["plan_s"], unit="s", against=AIM_S, goal=1.0
    )
    yield Figure(
        figure="memory at its peak during the dry run",
        value=told["peak_mb"],
        unit="MB",
        against=AIM_MB,
        goal=1.0,
    )
    yield Figure(
        figure="dry run ÷ reading the workbook raw with openpyxl",
        value=told["plan_s"],
        unit="s",
        against=told["raw_s"],
    )
    yield Figure(
        figure=f"writing {told['changed']} changed shots ÷ the dry run",
        value=told["apply_s"],
        unit="s",
        against=told["plan_s"],
    )
