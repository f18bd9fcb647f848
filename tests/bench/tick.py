"""The dispatcher's tick with a thousand and with a million jobs queued."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tests.bench.figures import Figure, say, spread
from tests.farmsim.simulation import Setting, Simulation
from tests.farmsim.trace import MIXED

NODES = 16
CARD_GB = 24
FEW, MANY = 1_000, 1_000_000
AT_ONCE = 100_000
"""Jobs per bulk insert."""
TICKS = 40
AIM = 1.5
KINDS = {"sends": "that fills every place", "looks": "with every place taken"}


def tick() -> Iterator[Figure]:
    """Measure one after the other, on the same farm."""
    with Simulation(Setting(cards=[CARD_GB] * NODES, seed=7, pace=0.0)) as simulation:
        simulation.rest_nodes()  # they stay known, and take nothing
        simulation.farm.rest("ticker")
        least = _fill(simulation, 0, FEW)
        few = simulation.office.ask("ticks", count=TICKS)
        for kind, times in few.items():
            say(f"{least} queued, tick {KINDS[kind]}: {spread(times)}")
        most = _fill(simulation, least, MANY)
        many = simulation.office.ask("ticks", count=TICKS)
        for kind, times in many.items():
            say(f"{most} queued, tick {KINDS[kind]}: {spread(times)}")
    for kind, words in KINDS.items():
        yield Figure(
            figure=f"dispatch tick {words}, {most} queued / {least} queued",
            value=statistics.median(many[kind]),
            unit="ms",
            against=statistics.median(few[kind]),
            goal=AIM,
        )


def _fill(simulation: Simulation, there: int, wanted: int) -> int:
    """Queue jobs of all templates in two projects until about so many wait; return how many do."""
    projects = simulation.setting.projects
    for project in projects:
        left = (wanted - there) // len(projects)
        while left > 0:
            count = min(left, AT_ONCE)
            simulation.office.ask("flood", project=project, templates=list(MIXED), count=count)
            left -= count
    return int(simulation.office.ask("count", state="ready"))
