"""What strikes nodes and processes while a simulation runs: one function per fault, each proven.

Attempts have fates (:mod:`tests.farmsim.fates`); this is what happens to everything around them. A strike is
due when a share of the jobs is done, so that it falls into work, however fast the farm is.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psycopg
from redis import Redis
from redis.exceptions import OutOfMemoryError

from farm.demo.supervisor import FIRST_PAUSE_S
from tests.farmsim import operators
from tests.farmsim.unstruck import NobodyBusy, Unstruck

if TYPE_CHECKING:
    from tests.farmsim.hand import Held
    from tests.farmsim.node import SimNode
    from tests.farmsim.simulation import Simulation

RETURN_S: Final = 1.0
GIVE_UP_S: Final = 100.0
"""A lease of 30 s, and the graces that other strikes bring about."""
AWAY_S: Final = 3.0
SKEW_S: Final = 86_400.0
PATIENCE_S: Final = 30.0


LASTING: Final = ("clock jump", "node death", "node pause")
"""Strikes whose effect is seen, or undone, only with work that comes later."""


@dataclass(frozen=True)
class Strike:
    """A fault, due when ``share`` of the jobs is done."""

    name: str
    share: float


def plan(names: Iterable[str], *, seed: int, first: float = 0.1, last: float = 0.7) -> list[Strike]:
    """Spread strikes over a run, in an order of the seed's choice; those that last come first."""
    order = sorted(names)
    random.Random(seed).shuffle(order)
    order.sort(key=lambda name: name not in LASTING)
    step = (last - first) / max(len(order) - 1, 1)
    return [Strike(name, first + number * step) for number, name in enumerate(order)]


class Striker:
    """Strikes when it is time, and undoes what is to be undone later."""

    def __init__(self, simulation: Simulation, strikes: Sequence[Strike], *, jobs: int) -> None:
        self.simulation = simulation
        self.fleet = simulation.fleet
        self.rng = random.Random(simulation.setting.seed)
        self._due = sorted(strikes, key=lambda strike: strike.share)
        self._jobs = jobs
        self._later: list[tuple[float, Callable[[], None]]] = []

    @property
    def finished(self) -> bool:
        """Whether everything was struck and undone."""
        return not self._due and not self._later

    def tend(self) -> None:
        """Strike what is due; called again and again while the simulation runs."""
        now = time.monotonic()
        for item in [item for item in self._later if item[0] <= now]:
            self._later.remove(item)
            item[1]()
        if self._due and self.simulation.confirmed() >= self._due[0].share * self._jobs:
            strike = self._due.pop(0)
            try:
                STRIKES[strike.name](self)
            except NobodyBusy:
                self._due.append(strike)  # again at the next turn, others first

    # Nodes

    def node_death(self) -> None:
        """A machine loses its power with work in hand, and comes back long after its lease."""
        self._die("node death", comes_back_at_once=False)

    def node_return(self) -> None:
        """A worker is killed with work in hand, and comes back at once: a new epoch."""
        self._die("node return", comes_back_at_once=True)

    def _die(self, name: str, *, comes_back_at_once: bool) -> None:
        node = self.busy_node()
        epoch = node.epoch

        def kill() -> list[str]:
            held = [held for held in node.hand.values() if held.granted]
            self._struck(name, held)
            node.die(disk=comes_back_at_once)
            return [each.attempt_id for each in held]

        def come_back() -> None:
            self.fleet.do(node.start)
            if node.epoch == epoch:
                raise Unstruck(f"{node.name} came back in the same epoch")
            self.proven(name)

        attempts = self.fleet.do(kill)
        if not attempts:
            raise NobodyBusy
        if comes_back_at_once:
            self.after(RETURN_S, come_back)
        else:
            self._when_given_up(attempts, come_back)

    def node_pause(self) -> None:
        """SIGSTOP past the lease: its ComfyUI finishes, and the success comes late."""
        node = self.busy_node()

        def freeze() -> list[str]:
            node.freeze()
            held = [held for held in node.hand.values() if held.granted]
            self._struck("node pause", held)
            return [each.attempt_id for each in held]

        def resume() -> None:
            self.fleet.do(node.thaw)
            self.proven("node pause")

        self._when_given_up(self.fleet.do(freeze), resume)

    def _struck(self, name: str, held: Sequence[Held]) -> None:
        """Nothing else happens to these jobs any more."""
        for each in held:
            self.fleet.fates.again(each.fate)
            each.fate = None
            self.fleet.stats.struck(name, each.order.job_id)
        self.fleet.fates.strike([each.order.job_id for each in held])

    def _when_given_up(self, attempts: Sequence[str], then: Callable[[], None]) -> None:
        """Go on when the coordinator has given these attempts up, or one of them."""
        deadline = time.monotonic() + GIVE_UP_S

        def look() -> None:
            if set(self.simulation.attempt_states(attempts)) & {"lost", "superseded"}:
                then()
            elif time.monotonic() > deadline:
                raise Unstruck(f"attempts {attempts} of a silent node were not given up in {GIVE_UP_S:g} s")
            else:
                self.after(1.0, look)

        self.after(1.0, look)

    def clock_jump(self) -> None:
        """A node's clock is a day ahead from now on."""
        node = self.busy_node()
        node.clock_ahead_s = SKEW_S
        deadline = time.monotonic() + PATIENCE_S

        def told() -> None:
            query = "SELECT count(*) AS n FROM renders_attempt WHERE clock_ahead_s > 80000"
            if self.simulation.farm.rows(query)[0]["n"]:
                self.proven("clock jump")
            elif time.monotonic() < deadline:
                self.after(1.0, told)

        self.after(1.0, told)

    def busy_node(self) -> SimNode:
        def busy() -> list[SimNode]:
            return [
                node
                for node in self.fleet.nodes.values()
                if node.alive and not node.frozen and not node.deaf and not node.clock_ahead_s
                if any(
                    held.granted and not self.fleet.fates.is_struck(held.order.job_id)
                    for held in node.hand.values()
                )
            ]

        found = self.fleet.do(busy)
        if not found:
            raise NobodyBusy
        return self.rng.choice(sorted(found, key=lambda node: node.name))

    # Broker

    def broker_flushed(self) -> None:
        """FLUSHALL: queues, results and bindings are gone."""
        with self._redis() as broker:
            held = broker.dbsize()
            broker.flushall()
        self._struck_all("broker flushed", bool(held))

    def broker_restarted(self) -> None:
        """kill -9; what its append-only file holds comes back with it."""
        self._kill("broker", "broker restarted")

    def broker_full(self) -> None:
        """Out of memory: every write is refused for a while."""
        with self._redis() as broker:
            broker.config_set("maxmemory-policy", "noeviction")
            broker.config_set("maxmemory", "1")
            try:
                broker.set("shotfarm-sim", "x")
                refused = False
            except OutOfMemoryError:
                refused = True

        def back() -> None:
            with self._redis() as broker:
                broker.config_set("maxmemory", "0")
            self._struck_all("broker full", refused)

        self.after(AWAY_S, back)

    def connections_cut(self) -> None:
        """Every TCP connection to the broker is reset."""
        with self._redis() as broker:
            cut = sum(int(broker.client_kill_filter(_type=kind)) for kind in ("normal", "pubsub"))
        self._struck_all("connections cut", cut > 0)

    def _redis(self) -> Redis:
        return self.simulation.farm.redis

    # Processes

    def database_restarted(self) -> None:
        """PostgreSQL is stopped at once, as by a crash, and started again."""
        server = self.simulation.setting.server
        if server is None:
            raise Unstruck("the database server is not the simulation's own, so it cannot be restarted")
        before = _postmaster_started(server.url)
        server.crash_and_recover()
        self._struck_all("database restarted", _postmaster_started(server.url) != before)

    def coordinator_killed(self) -> None:
        """kill -9; the supervisor starts another one."""
        self._kill("coordinator", "coordinator killed")

    def ticker_killed(self) -> None:
        """kill -9; the supervisor starts another one."""
        self._kill("ticker", "ticker killed")

    def _kill(self, program: str, name: str) -> None:
        child = self.simulation.farm.supervisor.children[program]
        deaths = len(child.deaths)
        child.pause = FIRST_PAUSE_S  # an accident of its own, no crash loop
        self.simulation.farm.supervisor.signal(program, signal.SIGKILL)
        self.simulation.until(lambda: len(child.deaths) > deaths, f"{program} is dead", patience_s=PATIENCE_S)
        self._struck_all(name, child.deaths[-1] == "was killed by SIGKILL")

    # Bookkeeping

    def _struck_all(self, name: str, proven: bool) -> None:
        if not proven:
            raise Unstruck(f"{name}: no effect was seen")
        self.proven(name)
        self.fleet.do(self.fleet.stats.struck_all, name)

    def again(self, name: str) -> None:
        """It came to nothing, as what was struck had ended a moment before: strike somebody else."""
        self._due.append(Strike(name, 0.0))

    def proven(self, name: str) -> None:
        self.fleet.fates.happened(name)

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        self._later.append((time.monotonic() + seconds, act))


def _postmaster_started(url: str) -> str:
    with psycopg.connect(url) as database:
        row = database.execute("SELECT pg_postmaster_start_time()::text").fetchone()
    return str(row[0]) if row else ""


STRIKES: Final[dict[str, Callable[[Striker], None]]] = {
    "node death": Striker.node_death,
    "node return": Striker.node_return,
    "node pause": Striker.node_pause,
    "clock jump": Striker.clock_jump,
    "broker flushed": Striker.broker_flushed,
    "broker restarted": Striker.broker_restarted,
    "broker full": Striker.broker_full,
    "connections cut": Striker.connections_cut,
    "database restarted": Striker.database_restarted,
    "coordinator killed": Striker.coordinator_killed,
    "ticker killed": Striker.ticker_killed,
    **operators.DEEDS,
}
