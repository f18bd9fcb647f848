"""Scenarios: a farm, a trace and faults, played to the end and judged by every invariant."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests import postgres
from tests.chaos.line import LONGEST_RECOVERY_S, Verdict
from tests.farmsim import strikes, trace
from tests.farmsim.fates import Fate, Fates
from tests.farmsim.figures import Figures, figures_of, seconds
from tests.farmsim.simulation import Overdue, Setting, Simulation
from tests.farmsim.strikes import STRIKES, Striker
from tests.farmsim.unstruck import Unstruck

CARDS: Final = (12, 16, 24, 24, 32, 48)
"""GB of the nodes' cards, over and over."""
QUIET_S: Final = 40.0
"""How long slots and spools may take to empty when every job is done."""
LOOK_S: Final = 0.5
FITS_ALL_GB: Final = 24
"""A card on which every model of the trace runs."""
RULED: Final = (Fate.LOST_BELL, Fate.LOST_CLAIM_REPLY, Fate.STALE_ORDER, Fate.COMFY_CRASH, Fate.DUPLICATE)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """``over_s``: the jobs are ordered over so many seconds; 0: all wait at once. ``fates``: how many
    attempts meet each. ``longest_s``: how soon work must go on after any fault. ``rules``: with a dedicated
    pool, tags, pins, a limit and chains.
    """

    name: str
    nodes: int = 16
    jobs: int = 200
    over_s: float = 50.0
    seed: int = 7
    pace: float = 0.01
    fates: Mapping[Fate, int] = field(default_factory=dict)
    strikes: Sequence[str] = ()
    longest_s: float = LONGEST_RECOVERY_S
    patience_s: float = 240.0
    rules: bool = False

    @property
    def restarts_database(self) -> bool:
        return "database restarted" in self.strikes


SCENARIOS: Final = (
    Scenario(
        name="simulated farm, every fault of attempts",
        fates=dict.fromkeys(Fate, 3),
        strikes=("clock jump",),
    ),
    Scenario(
        name="simulated farm, nodes die, return and are stopped",
        strikes=("node death", "node return", "node pause", "clock jump"),
    ),
    Scenario(
        name="simulated farm, broker flushed, restarted, full and cut",
        strikes=("broker flushed", "broker restarted", "broker full", "connections cut"),
    ),
    Scenario(
        name="simulated farm, database, coordinator and ticker die",
        strikes=("database restarted", "coordinator killed", "ticker killed"),
    ),
    Scenario(
        name="simulated farm, rules of the house, deeds of operators",
        rules=True,
        fates=dict.fromkeys(RULED, 2),
        strikes=("node drained", "job cancelled", "project paused", "ticker killed"),
    ),
)


class Play:
    """One scenario on a farm of its own."""

    def __init__(self, scenario: Scenario, *, keep: Path | None = None) -> None:
        self.scenario = scenario
        self.wrong: list[str] = []
        self.recoveries: list[tuple[float, str]] = []
        """Seconds until work went on after each fault."""
        self.figures: Figures | None = None
        self._keep = keep
        arrivals = int(scenario.jobs * 0.8)
        self.fates = Fates(scenario.fates, arrivals=arrivals, seed=scenario.seed)

    def verdict(self) -> Verdict:
        """Play it and judge; :attr:`wrong` has a sentence for everything that is."""
        # One that is restarted is shared with nobody.
        shared = os.environ.get("SHOTFARM_TEST_DB", "").startswith("postgresql://")
        server = None if shared and not self.scenario.restarts_database else postgres.serve()
        try:
            with Simulation(self._setting(server)) as simulation:
                try:
                    self._run(simulation)
                except (Overdue, Unstruck) as error:
                    self.wrong.append(str(error))
                return self._judged(simulation)
        finally:
            if server is not None:
                server.stop()

    def _setting(self, server: postgres.Server | None) -> Setting:
        scenario = self.scenario
        return Setting(
            cards=[CARDS[number % len(CARDS)] for number in range(scenario.nodes)],
            seed=scenario.seed,
            pace=scenario.pace,
            fates=self.fates,
            server=server,
            keep=self._keep,
        )

    def _run(self, simulation: Simulation) -> None:
        scenario = self.scenario
        orders = trace.arrivals(
            jobs=scenario.jobs,
            over_s=scenario.over_s,
            seed=scenario.seed,
            pace=scenario.pace,
            projects=simulation.setting.projects,
        )
        if scenario.rules:
            orders = self._with_rules(simulation, orders)
        striker = Striker(simulation, strikes.plan(scenario.strikes, seed=scenario.seed), jobs=scenario.jobs)
        simulation.play(orders)
        simulation.run(
            until=now_and_then(lambda: striker.finished and simulation.done() >= scenario.jobs),
            meanwhile=striker.tend,
            patience_s=scenario.patience_s,
        )
        simulation.until(
            now_and_then(lambda: simulation.is_quiet() and striker.finished),
            "slots, spools and queues are empty",
            patience_s=QUIET_S,
        )

    def _with_rules(self, simulation: Simulation, orders: Sequence[trace.Order]) -> list[trace.Order]:
        """Lay down the house's rules, and let the orders ask for what they are about."""
        large = [name for name, node in simulation.fleet.nodes.items() if node.tier_gb >= FITS_ALL_GB]
        pinned, tagged, pool = large[0], large[1:4], large[4:6]
        limited = trace.MIXED[0]
        simulation.office.ask("lay_down_rules", pool=pool, tagged=tagged, limited=limited)
        places: list[dict[str, Any]] = [{"pool": trace.POOL}, {"tags": [trace.TAG]}, {"pinned_to": pinned}]
        return trace.with_wishes(orders, places=places, then=trace.MIXED[1])

    def _judged(self, simulation: Simulation) -> Verdict:
        stats = simulation.fleet.stats
        if self.scenario.rules:
            met = simulation.office.ask("rules_met")
            say(f"rules met: {met}")
            self.wrong += [f"rule {name} was met by nothing" for name, count in met.items() if not count]
        self._manifests_alone(simulation)
        self.wrong += simulation.verify(
            jobs=simulation.jobs,
            forged=self.fates.proven[Fate.FORGED],
            struck=bool(self.scenario.strikes),
            too_deep=stats.too_deep,
            busy_took=stats.counts["orders taken by a busy node"],
        )
        wanted = [*map(str, self.scenario.fates), *self.scenario.strikes]
        self.wrong += [f"{name} was not proven" for name in wanted if not self.fates.proven[name]]
        recovery = self._recovery_s(simulation)
        if recovery is not None and recovery >= self.scenario.longest_s:
            self.wrong.append(f"recovery took {recovery} s, below {self.scenario.longest_s:g} s expected")
        if simulation.done():
            self.figures = figures_of(simulation)
        return Verdict(
            scenario=self.scenario.name,
            faults_injected=self.fates.proven.total(),
            jobs=len(simulation.jobs),
            lost=len(simulation.jobs) - simulation.with_take(),
            doubled=simulation.with_two_takes(),
            rerendered=sum(count - 1 for count in stats.executions.values()),
            recovery_s_max=recovery,
            ok=not self.wrong,
        )

    def _manifests_alone(self, simulation: Simulation) -> None:
        """A take whose attempt nothing but a manifest told of proves a lost result."""
        alone = simulation.fleet.delivery.manifest_only
        for row in simulation.farm.rows("SELECT attempt_id FROM review_take"):
            if any(row["attempt_id"] == attempt_id.replace("-", "") for attempt_id in alone):
                self.fates.happened(Fate.LOST_RESULT)

    def _recovery_s(self, simulation: Simulation) -> float | None:
        """The longest time until work went on after a fault; None where nothing was to recover."""
        takes = {
            row["job_id"]: seconds(row["created_at"])
            for row in simulation.farm.rows("SELECT job_id, created_at FROM review_take")
        }
        longest: float | None = None
        for strike in simulation.fleet.stats.strikes:
            took = strike.recovered_s
            if took is None and strike.job_id:
                taken = takes.get(strike.job_id.replace("-", ""))
                took = None if taken is None else taken - strike.at
            if took is None:
                self.wrong.append(f"work did not go on after: {strike.what} {strike.job_id}")
            else:
                self.recoveries.append((round(took, 1), strike.what))
                longest = round(max(longest or 0.0, took), 1)
        return longest


def play_named(names: Sequence[str]) -> int:
    """Play the scenarios of these names; return how many were ok."""
    return play_all([scenario for scenario in SCENARIOS if scenario.name in names])


def play_all(scenarios: Sequence[Scenario], *, keep: Path | None = None, figures: bool = False) -> int:
    """Play scenarios one after another and print a line for each; return how many were ok."""
    good = 0
    for number, scenario in enumerate(scenarios):
        began = time.monotonic()
        say(f"{scenario.name} …")
        play = Play(scenario, keep=keep / str(number) if keep else None)
        verdict = play.verdict()
        for sentence in play.wrong:
            say(f"{scenario.name}: {sentence}")
        sys.stdout.write(verdict.line + "\n")
        sys.stdout.flush()
        proven = dict(sorted(play.fates.proven.items()))
        say(f"{scenario.name}: {time.monotonic() - began:.0f} s; proven {proven}")
        say(f"slowest to recover: {sorted(play.recoveries, reverse=True)[:5]}")
        if figures and play.figures:
            say(str(play.figures))
        good += verdict.ok
    return good


def now_and_then(condition: Callable[[], bool]) -> Callable[[], bool]:
    """Ask a condition that costs something every half second only; False between."""
    next_look = 0.0

    def asked() -> bool:
        nonlocal next_look
        if time.monotonic() < next_look:
            return False
        next_look = time.monotonic() + LOOK_S
        return condition()

    return asked


def say(words: str) -> None:
    """Tell the person at the terminal; stdout is for verdicts."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {words}\n")
    sys.stderr.flush()


def known_faults() -> list[str]:
    """Every fault by name, of attempts and of everything around them."""
    return [*map(str, Fate), *STRIKES]
