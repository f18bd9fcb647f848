"""A whole simulated farm: the real stack in processes of its own, and a fleet of nodes in this one.

::

    with Simulation(Setting(cards=[24] * 64, seed=7)) as simulation:
        simulation.submit("FILM1", "sim_flux1_fp8", 200)
        simulation.run(until=lambda: simulation.confirmed() == 200, patience_s=60)
        simulation.figures()
"""

from __future__ import annotations

import atexit
import functools
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from farm.contracts import Capabilities
from farm.demo.home import Home
from farm.demo.processes import coordinator_environment
from tests import postgres
from tests.acceptance.farm_database import FarmDatabase, PostgresDatabase, new_database
from tests.acceptance.farm_fixture import Farm
from tests.bench.memory import held_mb
from tests.farmsim.fates import NOTHING, Fates
from tests.farmsim.figures import Figures, figures_of, waits_of
from tests.farmsim.fleet import Fleet
from tests.farmsim.models import FOLDER, Model, models, templates
from tests.farmsim.node import Kind
from tests.farmsim.office import Office
from tests.farmsim.trace import Order
from workflows.bind import classes_needed

CORE: Final = ("broker", "coordinator", "ticker")
LOOK_S: Final = 0.05


class Overdue(AssertionError):
    """What was waited for did not come in time."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is simulated. ``cards``: GB of each node's GPU. ``pace``: seconds here per second of the table.
    ``render_s``: every render takes so long, whatever its model. ``patience_s``: for all nodes to serve.

    ``models``: slugs every node has (all of the table by default). ``server``: a PostgreSQL server of the
    simulation's own, which it may restart; None: what SHOTFARM_TEST_DB names. ``programs``: processes beside
    broker, coordinator and ticker, such as "media".
    """

    cards: Sequence[int]
    seed: int = 0
    pace: float = 0.01
    render_s: float | None = None
    patience_s: float = 90.0
    models: Sequence[str] = ()
    projects: Sequence[str] = ("FILM1", "FILM2")
    fates: Fates = NOTHING
    server: postgres.Server | None = None
    programs: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    keep: Path | None = None


class Simulation:
    """A running farm. Use it from one thread, by ``with``."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.rng = random.Random(setting.seed)
        self.jobs: list[str] = []
        """Ids of all jobs that were ordered, patterns of a backlog left out."""
        self._due: list[tuple[float, Order]] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._open(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, story: TracebackType | None
    ) -> None:
        self._stack.close()

    def _open(self, stack: ExitStack) -> None:
        setting = self.setting
        folder = setting.keep or Path(tempfile.mkdtemp(prefix="shotfarm-sim-"))
        if setting.keep is None:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        database = _database(folder, setting)
        stack.callback(database.remove)
        home = Home.open(folder / "farm", fresh=False)
        stack.callback(home.lock.close)
        more = {"SHOTFARM_SIMULATED": "1", "SHOTFARM_LOG_LEVEL": "WARNING", **setting.env}
        self.farm = Farm(home, database, vram=[], knobs=[], env=more)
        stack.callback(self.farm.supervisor.stop)
        home.logs.mkdir(exist_ok=True)
        self.office = Office(coordinator_environment(self.farm.plan), home.logs / "office.log")
        stack.callback(self.office.close)
        self.farm.start("broker")
        self.office.ask("set_up", projects=list(setting.projects))
        self.farm.start(*CORE, *setting.programs)
        self.fleet = Fleet(
            self._kinds(),
            broker_url=self.farm.plan.broker_url,
            store=home.artifacts,
            seed=setting.seed,
            pace=setting.pace,
            render_s=setting.render_s,
            fates=setting.fates,
        )
        self.fleet.start()
        stack.callback(self.fleet.stop)
        self.until(self._all_serve, "every node serves", patience_s=setting.patience_s)

    def _kinds(self) -> dict[str, Kind]:
        capabilities = library(tuple(self.setting.models))
        return {
            f"sim{number:03}-{gb}": Kind(gb=gb, capabilities=capabilities)
            for number, gb in enumerate(self.setting.cards)
        }

    def _all_serve(self) -> bool:
        return self.fleet.do(lambda: all(node.serve for node in self.fleet.nodes.values()))

    # Work

    def submit(self, project: str, template: str, count: int, **more: Any) -> list[str]:
        """Order jobs through the real submit; return their ids."""
        made: list[str] = self.office.ask("submit", project=project, template=template, count=count, **more)
        self.jobs += made
        return made

    def backlog(self, project: str, sequence: Sequence[str], **more: Any) -> list[str]:
        """Make a job per template named, by bulk insert, in that order; return their ids."""
        made: list[str] = self.office.ask("backlog", project=project, sequence=list(sequence), **more)
        self.jobs += made
        return made

    def play(self, trace: Sequence[Order]) -> None:
        """Order each of a trace when its time has come, while :meth:`run` runs."""
        now = time.monotonic()
        self._due = sorted(((now + order.at, order) for order in trace), key=lambda due: due[0])

    def run(
        self,
        *,
        until: Callable[[], bool],
        patience_s: float,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> float:
        """Let the farm work until a condition holds; return the seconds it took. Raises Overdue."""
        began = time.monotonic()

        def done() -> bool:
            meanwhile()
            self._order_what_is_due()
            return not self._due and until()

        self.until(done, "the simulation is done", patience_s=patience_s)
        return time.monotonic() - began

    def _order_what_is_due(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, order = self._due.pop(0)
            made = self.submit(
                order.project,
                order.template,
                order.count,
                priority=order.priority,
                then=order.then,
                place=dict(order.place),
            )
            if order.seconds is not None:
                self.fleet.do(self.fleet.durations.update, dict.fromkeys(made, order.seconds))

    # Looking

    def confirmed(self) -> int:
        """Jobs whose success the coordinator has confirmed to a node."""
        return len(self.fleet.stats.confirmed)

    def done(self) -> int:
        """Jobs that succeeded, by the database."""
        query = "SELECT count(*) AS n FROM renders_job WHERE state = 'succeeded'"
        return int(self.farm.rows(query)[0]["n"])

    def with_take(self) -> int:
        """Jobs that were ordered here, succeeded and have a take."""
        rows = self.farm.rows(
            "SELECT j.id AS id FROM renders_job j JOIN review_take t ON t.job_id = j.id"
            " WHERE j.state = 'succeeded'"
        )
        return len({row["id"] for row in rows} & {UUID(job).hex for job in self.jobs})

    def with_two_takes(self) -> int:
        """Jobs with more than one take, which the database should forbid."""
        return len(self.farm.rows("SELECT job_id FROM review_take GROUP BY job_id HAVING count(*) > 1"))

    def is_quiet(self) -> bool:
        """Whether no slot is held, no node has anything in hand or to tell, and no order lies in a queue."""
        held = self.farm.rows("SELECT count(*) AS n FROM renders_attempt WHERE holds_slot")[0]["n"]
        return not held and self.fleet.do(self.fleet.is_quiet)

    def attempt_states(self, attempt_ids: Sequence[str]) -> list[str]:
        """How these attempts stand in the database."""
        known = {row["id"]: row["state"] for row in self.farm.rows("SELECT id, state FROM renders_attempt")}
        return [known[UUID(attempt_id).hex] for attempt_id in attempt_ids if UUID(attempt_id).hex in known]

    def waits(self, project: str = "") -> dict[str, float]:
        """Seconds from READY to execution by job id, of jobs that have begun: of one project, or of all."""
        return waits_of(self, project)

    def rest_nodes(self) -> None:
        """The nodes fall silent; the coordinator knows them as they were."""
        self.fleet.do(self.fleet.fall_silent)

    def empty_nodes(self) -> None:
        """Every ComfyUI unloads its models; loads are counted from now."""
        self.fleet.do(self.fleet.unload)

    def cpu_s(self) -> dict[str, float]:
        """Seconds of processor time that each process has used, this one (the nodes) included."""
        children = self.farm.supervisor.children.items()
        pids = {name: child.process.pid for name, child in children if child.process}
        return {name: processor_s(pid) for name, pid in {**pids, "nodes": os.getpid()}.items()}

    def held_mb(self, program: str) -> float:
        """Megabytes that one of the farm's processes holds now."""
        process = self.farm.supervisor.children[program].process
        return held_mb(process.pid) if process else 0.0

    def figures(self, only: Collection[str] = ()) -> Figures:
        """What the run was like, from the database and from the fleet: of all jobs, or of these."""
        return figures_of(self, only)

    def verify(self, **seen: Any) -> list[str]:
        """Let the office look for broken invariants; return a line for each."""
        broken: list[str] = self.office.ask("verify", **seen)
        return broken

    def until(self, condition: Callable[[], Any], what: str, *, patience_s: float) -> Any:
        """Wait for something to become true, and return it. Raises Overdue."""
        deadline = time.monotonic() + patience_s
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise Overdue(f"waited {patience_s:.0f} s in vain until {what}; {self.story()}")
            self.farm.supervisor.tend()
            time.sleep(LOOK_S)
        return found

    def story(self) -> str:
        """What a person would look at first."""
        states = self.farm.rows("SELECT state, count(*) AS n FROM renders_job GROUP BY state")
        counts = dict(self.fleet.stats.counts) if hasattr(self, "fleet") else {}
        return f"jobs {[tuple(row.values()) for row in states]}; nodes counted {counts}; {self.farm.said}"


@functools.cache
def library(slugs: tuple[str, ...] = ()) -> Capabilities:
    """What a node can do that has these models, or all of the table."""
    chosen: list[Model] = [models()[slug] for slug in slugs] or list(models().values())
    classes = {name for template in templates() for name in classes_needed(template)}
    return Capabilities(
        classes=tuple(sorted(classes)), models={FOLDER: tuple(sorted(model.file for model in chosen))}
    )


def processor_s(pid: int) -> float:
    """Seconds of processor time a living process has used (Linux)."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def _database(folder: Path, setting: Setting) -> FarmDatabase:
    (folder / "farm").mkdir(parents=True, exist_ok=True)
    if setting.server is not None:
        made = PostgresDatabase.created(setting.server.url)
        made.keep_every_commit()
        return made
    return new_database(folder / "farm")


def use_postgres() -> None:
    """Serve PostgreSQL for this process's farms, unless SHOTFARM_TEST_DB names a server already."""
    if not os.environ.get("SHOTFARM_TEST_DB", "").startswith("postgresql://"):
        server = postgres.serve()
        atexit.register(server.stop)
        os.environ["SHOTFARM_TEST_DB"] = server.url
