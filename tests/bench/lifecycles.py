"""500 simulated nodes and 100 000 queued jobs: lifecycles per second, waits, and the coordinator's memory."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.figures import Figure, say
from tests.farmsim.figures import quantile
from tests.farmsim.simulation import Setting, Simulation
from tests.farmsim.trace import MIXED, Order, mixed

NODES = 500
CARD_GB = 24
QUEUED = 100_000
RENDER_S = 3.0
"""Seconds of each render: 500 nodes would finish 166 a second, more than the farm is asked for."""
WARM_S = 20.0
MEASURED_S = 60.0
AIM_PER_S = 100.0
AIM_WAIT_S = 1.0
AIM_MB = 300.0
TRICKLE = 60
"""Single jobs, one each half second, for nodes that have nothing else to do."""


def lifecycles() -> Iterator[Figure]:
    """Measure the full farm first, then the empty one."""
    yield from _full()
    yield from _with_capacity_free()


def _full() -> Iterator[Figure]:
    with Simulation(_setting()) as simulation:
        began = time.monotonic()
        simulation.backlog("FILM1", mixed(jobs=QUEUED, seed=7))
        say(f"{QUEUED} jobs wait, after {time.monotonic() - began:.0f} s")
        _let_run(simulation, WARM_S)
        done, cpu = simulation.done(), simulation.cpu_s()
        began = time.monotonic()
        _let_run(simulation, MEASURED_S)
        took = time.monotonic() - began
        rate = (simulation.done() - done) / took
        for name, seconds in simulation.cpu_s().items():
            say(f"{name}: {(seconds - cpu[name]) / took:.0%} of a core")
        say(f"{simulation.fleet.stats.counts}")
        memory = {name: simulation.held_mb(name) for name in ("coordinator", "ticker")}
    yield Figure(
        figure=f"lifecycles per second, {NODES} simulated nodes, {QUEUED} queued / aim",
        value=rate,
        unit="1/s",
        against=AIM_PER_S,
        goal=1.0,
        at_least=True,
    )
    for name, megabytes in memory.items():
        yield Figure(
            figure=f"memory of {name} at {QUEUED} queued / aim",
            value=megabytes,
            unit="MB",
            against=AIM_MB,
            goal=1.0 if name == "coordinator" else None,
        )


def _with_capacity_free() -> Iterator[Figure]:
    with Simulation(_setting()) as simulation:
        simulation.submit("FILM1", MIXED[0], 1)  # whatever is loaded once is loaded
        simulation.run(until=lambda: simulation.confirmed() >= 1, patience_s=60)
        trace = [Order(at=number * 0.5, project="FILM1", template=MIXED[0]) for number in range(TRICKLE)]
        simulation.play(trace)
        simulation.run(until=lambda: simulation.confirmed() >= TRICKLE + 1, patience_s=180)
        waits = sorted(simulation.waits().values())
    say(f"READY to started: p50 {quantile(waits, 0.5):.3f} s of {len(waits)}")
    yield Figure(
        figure=f"READY to started, capacity free, {NODES} simulated nodes, p99 / aim",
        value=quantile(waits, 0.99),
        unit="s",
        against=AIM_WAIT_S,
        goal=1.0,
    )


def _setting() -> Setting:
    # No time for loading, and the dispatcher knows: what is measured is the coordinator.
    env = {"SHOTFARM_LOAD_SECONDS": "0"}
    return Setting(cards=[CARD_GB] * NODES, pace=0.0, render_s=RENDER_S, seed=7, patience_s=240, env=env)


def _let_run(simulation: Simulation, seconds: float) -> None:
    end = time.monotonic() + seconds
    simulation.run(until=lambda: time.monotonic() > end, patience_s=seconds + 30)
