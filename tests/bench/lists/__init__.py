"""Every list of pages and API over 100 000 shots and 500 000 takes: queries, and the database's time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.figures import Figure, say

AIM_MS = 300.0
"""What the database may take for one page (docs/figures.md)."""


def lists() -> Iterator[Figure]:
    """Ask for every list, of a film of several pages and of a full one; give the slowest of each kind."""
    child = [sys.executable, "-m", "tests.bench.lists.measuring"]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen(child, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        asked = [json.loads(line) for line in process.stdout]
    if process.returncode:
        raise RuntimeError(f"the lists could not be measured (exit status {process.returncode}); see above")
    for one in sorted(asked, key=lambda one: -float(one["full_ms"])):
        say(
            f"{one['full_ms']:8.1f} ms {one['full_queries']:3d} queries"
            f" (small film {one['small_ms']:.1f} ms, {one['small_queries']}): {one['name']}"
        )
    for kind in ("page", "api"):
        slowest = max((one for one in asked if one["kind"] == kind), key=lambda one: float(one["full_ms"]))
        yield Figure(
            figure=f"{kind}: the database's time for the slowest list, 100 000 shots ({slowest['name']})",
            value=slowest["full_ms"],
            unit="ms",
            against=AIM_MS,
            goal=1.0,
        )
    grown = [one for one in asked if one["full_queries"] != one["small_queries"]]
    yield Figure(
        figure=f"lists whose queries grow with the film {[one['name'] for one in grown]} + 1",
        value=float(len(grown) + 1),
        unit="lists",
        against=1.0,
        goal=1.0,
    )
