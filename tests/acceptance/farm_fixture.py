"""A whole farm of real processes for acceptance tests, in a folder of the test's own."""

from __future__ import annotations

import base64
import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import redis

from farm.demo import broker
from farm.demo.home import Home
from farm.demo.ports import any_free
from farm.demo.processes import (
    ROOT,
    Plan,
    coordinator_environment,
    plain_environment,
    programs,
    simulated_nodes,
)
from farm.demo.supervisor import Supervisor
from tests import postgres
from tests.acceptance.farm_database import FarmDatabase, Row, found_database, new_database
from tests.made_once import folder_of_this_run, made_once

SETUP: Final = """
import json, os
from pathlib import Path
from farm.demo import stage
from farm.demo.home import Secrets
stage.set_up(Secrets(**json.loads(Path(os.environ["SHOTFARM_VAR"], "secrets.json").read_text())))
"""
SUBMIT: Final = """
from apps.accounts.models import User
from apps.productions.models import Shot
from apps.renders.services.submit import Step, submit
shots = list(Shot.objects.filter(sequence__code="SQ010").order_by("code")[:{shots}])
user = User.objects.get(username="admin")
batch = submit(
    user=user, project=shots[0].project, shots=shots, steps=[Step({step})], idempotency_key={key!r}
).batch
answer(batch.code)
"""


class Farm:
    """Processes under a supervisor. The test looks at the database read-only, and acts through the
    coordinator's own code in a process of its own, so nothing is shared but the farm itself.
    Its database is what ``SHOTFARM_TEST_DB`` says: sqlite or postgres.
    """

    def __init__(
        self,
        home: Home,
        database: FarmDatabase,
        *,
        vram: Sequence[int],
        knobs: Sequence[str],
        store: str = "",
        node_store: Callable[[int], str] = lambda _web_port: "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        taken: set[int] = set()
        redis_port, web, flower = (any_free(taken=taken) for _ in range(3))
        self.home, self.database = home, database
        self.plan = Plan(
            home=home,
            broker_url=broker.url(redis_port, home.secrets.broker),
            web_port=web,
            flower_port=flower,
            database_url=database.url,
            nodes=simulated_nodes(vram, [any_free(taken=taken) for _ in vram], knobs=knobs),
            store=store,
            node_store=node_store(web),
            more=env or {},
        )
        own = broker.program(
            home.folder / "broker",
            port=redis_port,
            password=home.secrets.broker,
            env=plain_environment(),
        )
        self.said: list[str] = []
        self.supervisor = Supervisor(
            [own, *programs(self.plan)], folder=ROOT, logs=home.logs, say=self.said.append
        )

    @property
    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.plan.broker_url, decode_responses=True)

    def start(self, *names: str) -> None:
        """Start these processes, or all. The broker answers when this returns."""
        self.supervisor.start(*names)
        broker.await_answer(self.plan.broker_url)

    def rest(self, *names: str) -> None:
        """Stop these processes, or all, until they are started again."""
        if not names:
            self.supervisor.stop()
        for name in names:
            self.supervisor.rest(name)

    def kill(self, name: str) -> None:
        """kill -9; the supervisor starts it again."""
        self.supervisor.signal(name, signal.SIGKILL)

    def runs(self, name: str) -> bool:
        """Whether a process lives, as far as the supervisor has noticed."""
        return self.supervisor.children[name].process is not None

    def wait_until(self, condition: Callable[[], Any], what: str, *, patience_s: float = 90) -> Any:
        """Wait for something to become true, and return it."""
        deadline = time.monotonic() + patience_s
        while True:
            self.supervisor.tend()
            found = condition()
            if found:
                return found
            if time.monotonic() > deadline:
                pytest.fail(f"waited {patience_s:.0f} s in vain until {what}\n{self._story()}")
            hopeless = [name for name, child in self.supervisor.children.items() if len(child.deaths) > 3]
            if hopeless:
                pytest.fail(f"{', '.join(hopeless)} cannot live; waited until {what}\n{self._story()}")
            time.sleep(0.1)

    def serve(self) -> None:
        """Start the broker and the web side, and wait until it answers."""
        self.start("broker", "web")
        self.wait_until(self._answers, "the web side answers")

    def rows(self, query: str, *values: object) -> list[Row]:
        """Read the farm's database; ``%s`` in the query stands for a value, on SQLite too."""
        return self.database.rows(query, *values)

    def states(self, table: str = "renders_job") -> list[str]:
        """Every row's state, oldest row first."""
        return [row["state"] for row in self.rows(f"SELECT state FROM {table} ORDER BY created_at")]  # noqa: S608

    def coordinate(self, code: str) -> Any:
        """Run code with the coordinator's environment; what it gives to ``answer()`` comes back."""
        prelude = (
            "import json, sys, django\ndjango.setup()\n"
            "def answer(value): sys.stdout.write(json.dumps(value))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", prelude + code],
            env=coordinator_environment(self.plan),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    def submit(self, *, shots: int, step: str, key: str) -> str:
        """Submit a step (arguments of Step, as written) for the first shots; return the batch's code."""
        return str(self.coordinate(SUBMIT.format(shots=shots, step=step, key=key)))

    def get(self, url: str, *, login: str = "") -> Any:
        """Fetch JSON, with basic authentication if ``login`` (user:password) is given."""
        request = urllib.request.Request(url)
        if login:
            request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def comfyui(self, index: int, path: str) -> Any:
        """Ask a node's stand-in ComfyUI."""
        return self.get(self.plan.nodes[index].comfyui_url + path)

    def arm(self, index: int, *faults: str) -> None:
        """Let a node's stand-in (knob ``--faults``) suffer these faults and no others; none: it goes on."""
        request = urllib.request.Request(
            f"{self.plan.nodes[index].comfyui_url}/simulated/knobs",
            data=json.dumps({"faults": faults}).encode(),
            headers={"Content-Type": "application/json"},
        )

        def armed() -> bool:
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return len(json.load(answer)["faults"]) == len(faults)
            except urllib.error.URLError:  # it does not listen yet
                return False

        self.wait_until(armed, "the stand-in takes its faults")

    def _answers(self) -> bool:
        try:
            return bool(self.get(f"{self.plan.web_url}/readyz"))
        except OSError:  # nobody listens yet
            return False

    def _story(self) -> str:
        """What a person would look at first."""
        jobs = [
            tuple(row.values())
            for row in self.rows("SELECT code, state, wait_code, failure_message FROM renders_job")
        ]
        tails = [
            f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-8:])
            for log in sorted(self.home.logs.glob("*.log"))
        ]
        return "\n".join([*map(str, jobs), *self.said, *tails])


@dataclass(frozen=True)
class Prepared:
    """What every farm begins with."""

    folder: Path
    database: FarmDatabase


def prepare(folder: Path) -> Prepared:
    """Make a farm's folder and database, with tables, the demo production and people."""
    home = Home.open(folder, fresh=False)
    home.lock.close()
    database = new_database(folder)
    Farm(home, database, vram=[], knobs=[]).coordinate(SETUP)
    shutil.rmtree(folder / "broker")
    return Prepared(folder, database)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """What every farm is a copy of, made once for all that share a database server, or need none."""
    own, shared = tmp_path_factory.getbasetemp(), folder_of_this_run(tmp_path_factory)
    place = made_once((own if postgres.is_own() else shared) / "prepared", _prepare)
    return Prepared(place / "farm", found_database(place / "farm", (place / "database").read_text()))


def _prepare(place: Path) -> None:
    made = prepare(place / "farm")
    (place / "database").write_text(made.database.url)


@pytest.fixture
def farm(prepared: Prepared, tmp_path: Path) -> Iterator[Callable[..., Farm]]:
    """Make a farm: ``farm(vram=[8, 24], knobs=["--seconds-per-step", "0.2"])``; start it by ``.start()``.

    ``store=`` is its artifact store, ``node_store=lambda web_port: …`` the address its nodes are given,
    ``env=`` further variables of all processes.
    """
    made: list[Farm] = []

    def make(*, vram: Sequence[int] = (8, 24), knobs: Sequence[str] = (), **stores: Any) -> Farm:
        folder = Path(shutil.copytree(prepared.folder, tmp_path / f"farm{len(made)}"))
        database = prepared.database.copied_to(folder)
        home = Home.open(folder, fresh=False)
        made.append(Farm(home, database, vram=vram, knobs=knobs, **stores))
        return made[-1]

    yield make
    for farm in made:
        farm.supervisor.stop()
        farm.home.lock.close()
        farm.database.remove()
