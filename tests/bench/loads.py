"""A mixed trace on empty nodes: how often models are loaded, and what that costs in time; FIFO beside it."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.bench.figures import Figure, say
from tests.farmsim import fifo
from tests.farmsim.simulation import Setting, Simulation
from tests.farmsim.trace import MIXED, mixed, seconds_for

NODES = 64
CARD_GB = 24
JOBS = 5_000
SEED = 7
PACE = 0.1
"""A render of a minute takes 6 s here, and loading of 20 s takes 2."""
LOAD_S = 2
SEEN = 30
"""Renders of each template before the nodes are emptied. Of six, each on an empty node, a farm learns what
they take with loading, and shares its nodes out by that."""
AIM_LOADS = 1.2
AIM_MAKESPAN = 1.1
PATIENCE_S = 900.0


def loads() -> Iterator[Figure]:
    """Measure both in one run; replay the same jobs first in, first out."""
    rng = random.Random(SEED)
    jobs = [(each, seconds_for(each, pace=PACE, rng=rng)) for each in mixed(jobs=JOBS, seed=SEED)]
    cards = [CARD_GB] * NODES
    env = {"SHOTFARM_LOAD_SECONDS": str(LOAD_S)}
    with Simulation(Setting(cards=cards, seed=SEED, pace=PACE, models=MIXED, env=env)) as simulation:
        _render_each_kind(simulation)
        simulation.empty_nodes()
        made = simulation.backlog("FILM1", [template for template, _ in jobs], patterns_wait=True)
        simulation.fleet.do(
            simulation.fleet.durations.update,
            dict(zip(made, (seconds for _, seconds in jobs), strict=True)),
        )
        simulation.office.ask("release")
        done = set(made)
        confirmed = simulation.fleet.stats.confirmed
        makespan = simulation.run(until=lambda: done <= confirmed.keys(), patience_s=PATIENCE_S)
        figures = simulation.figures(done)
    replay = fifo.fifo(jobs, cards=cards, pace=PACE)
    least = fifo.least_loads(jobs, cards=cards, pace=PACE, makespan_s=makespan)
    bound = fifo.least_makespan_s(jobs, cards=cards, pace=PACE)
    say(f"{figures}; {dict(simulation.fleet.stats.counts)}")
    yield Figure(
        figure=f"model loads, {len(MIXED)} models, {NODES} nodes, {JOBS} jobs / the least in its time",
        value=figures.loads,
        unit="loads",
        against=least,
        goal=AIM_LOADS,
    )
    yield Figure(
        figure="makespan of the same run / its lower bound",
        value=makespan,
        unit="s",
        against=bound,
        goal=AIM_MAKESPAN,
    )
    yield Figure(
        figure="model loads, the same trace first in, first out / the least of the run above",
        value=replay.loads,
        unit="loads",
        against=least,
    )
    yield Figure(
        figure="makespan, the same trace first in, first out / its lower bound",
        value=replay.makespan_s,
        unit="s",
        against=bound,
    )


def _render_each_kind(simulation: Simulation) -> None:
    """A farm knows how long its templates take; on its first day it does not."""
    for template in MIXED:
        simulation.submit("FILM2", template, SEEN)
    simulation.run(until=lambda: simulation.confirmed() >= SEEN * len(MIXED), patience_s=PATIENCE_S)
    simulation.until(simulation.is_quiet, "the nodes have nothing in hand", patience_s=60)
