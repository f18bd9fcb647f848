"""Two equal projects, one floods the farm: how long the other waits, beside half the nodes for itself.

The other's work has two shapes: one press of Render for a whole sequence, and people who press now and then
for a shot list, which is what a coordinator feels all day. Both order three quarters of what half the nodes
can do.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.bench.figures import Figure, say
from tests.farmsim.simulation import Setting, Simulation
from tests.farmsim.trace import Order

NODES = 16
CARD_GB = 24
TEMPLATE = "sim_flux1_fp8"
RENDER_S = 1.0
FLOOD = 10_000
FLOODER, OTHER = "FILM1", "FILM2"
AIM = 1.2


@dataclass(frozen=True)
class Presses:
    """``count`` presses of Render for ``jobs`` jobs each, ``every_s`` seconds."""

    jobs: int
    count: int
    every_s: float


SHAPES: Final = {
    "one press of 240 jobs": Presses(240, 1, 40.0),
    "presses of 24 jobs, every 4 s": Presses(24, 10, 4.0),
}


def fairness() -> Iterator[Figure]:
    """Measure the other project on half the nodes alone, then beside a flood on all of them."""
    alone = _waits_s(NODES // 2, flood=0)
    beside = _waits_s(NODES, flood=FLOOD)
    for shape in SHAPES:
        yield Figure(
            figure=f"wait beside a project that floods {FLOOD} jobs / on half the nodes alone: {shape}",
            value=beside[shape],
            unit="s",
            against=alone[shape],
            goal=AIM,
        )


def _waits_s(nodes: int, *, flood: int) -> dict[str, float]:
    """Mean seconds from READY to execution of the other project's jobs, by the shape of its work."""
    setting = Setting(cards=[CARD_GB] * nodes, seed=7, pace=0.0, render_s=RENDER_S, projects=(FLOODER, OTHER))
    told: dict[str, float] = {}
    with Simulation(setting) as simulation:
        if flood:
            simulation.backlog(FLOODER, [TEMPLATE] * flood)
            simulation.run(until=lambda: simulation.confirmed() >= nodes, patience_s=60)
        for shape, presses in SHAPES.items():
            waits = _play(simulation, presses)
            told[shape] = statistics.mean(waits)
            say(f"{nodes} nodes, {flood} flooded, {shape}: {told[shape]:.2f} s of {len(waits)}")
    return told


def _play(simulation: Simulation, presses: Presses) -> list[float]:
    """Let the other project order, and wait until all of it is done; how long each job waited."""
    before = len(simulation.jobs)
    simulation.play(
        [
            Order(at=number * presses.every_s, project=OTHER, template=TEMPLATE, count=presses.jobs)
            for number in range(presses.count)
        ]
    )
    stats = simulation.fleet.stats

    def ours() -> set[str]:
        return set(simulation.jobs[before:])

    simulation.run(until=lambda: ours() <= stats.confirmed.keys(), patience_s=300)
    waits = simulation.waits(OTHER)
    return [waits[job_id] for job_id in ours()]
