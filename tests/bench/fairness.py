"""Two equal projects, one floods the farm: how long the other waits, beside half the nodes for itself."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figures import Figure, say
from tests.farmsim.simulation import Setting, Simulation
from tests.farmsim.trace import Order

NODES = 16
CARD_GB = 24
TEMPLATE = "sim_flux1_fp8"
RENDER_S = 1.0
FLOOD = 10_000
FLOODER, OTHER = "FILM1", "FILM2"
BURST, BURSTS, EVERY_S = 240, 2, 40.0
"""Jobs that the other project orders at once, how often: three quarters of what half the nodes can do."""
AIM = 1.2


def fairness() -> Iterator[Figure]:
    """Measure the other project on half the nodes alone, then beside a flood on all of them."""
    alone = _wait_s(NODES // 2, flood=0)
    beside = _wait_s(NODES, flood=FLOOD)
    yield Figure(
        figure=f"wait beside a project that floods {FLOOD} jobs / wait on half the nodes alone",
        value=beside,
        unit="s",
        against=alone,
        goal=AIM,
    )


def _wait_s(nodes: int, *, flood: int) -> float:
    """Mean seconds from READY to execution of the other project's jobs."""
    setting = Setting(cards=[CARD_GB] * nodes, seed=7, pace=0.0, render_s=RENDER_S, projects=(FLOODER, OTHER))
    with Simulation(setting) as simulation:
        if flood:
            simulation.backlog(FLOODER, [TEMPLATE] * flood)
            simulation.run(until=lambda: simulation.confirmed() >= nodes, patience_s=60)
        ordered = [
            Order(at=number * EVERY_S, project=OTHER, template=TEMPLATE, count=BURST)
            for number in range(BURSTS)
        ]
        simulation.play(ordered)
        simulation.run(until=lambda: len(simulation.waits(OTHER)) >= BURST * BURSTS, patience_s=300)
        waits = simulation.waits(OTHER)
    mean = sum(waits.values()) / len(waits)
    say(f"{nodes} nodes, {flood} flooded: {mean:.2f} s of {len(waits)}")
    return mean
