"""A farm to measure: real processes, nodes without waiting times of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from farm.demo.home import Home
from farm.demo.processes import ROOT, plain_environment
from tests.acceptance.farm_database import new_database
from tests.acceptance.farm_fixture import SETUP, Farm

CORE = ("broker", "coordinator", "media", "ticker")
STEP = "template='sd15_t2i', width=256, height=256"
SIZES_GB = (8, 12)
STEPS_OF_STEP = 20
"""Sampling steps of that template: a render of s seconds has s / 20 seconds per step."""

SUBMIT = """
import uuid
from apps.accounts.models import User
from apps.productions.models import Shot
from apps.renders.services.submit import Step, submit
film = Shot.objects.select_related("sequence", "project").order_by("sequence__code", "code")
shots = list(film[{begin}:][:{shots}])
user = User.objects.get(username="admin")
def press():
    return submit(
        user=user, project=shots[0].project, shots=shots,
        steps=[Step({step}, takes={takes})], idempotency_key=str(uuid.uuid4()),
    ).batch
"""


@contextmanager
def farm(*, nodes: int, render_s: float) -> Iterator[Farm]:
    """Start a farm of one or two nodes whose renders take ``render_s`` seconds; all is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="shotfarm-bench-") as folder:
        home = Home.open(Path(folder) / "farm", fresh=False)
        database = new_database(home.folder)
        knobs = ("--seconds-per-step", str(render_s / STEPS_OF_STEP), "--model-load-seconds", "0")
        made = Farm(home, database, vram=SIZES_GB[:nodes], knobs=knobs)
        try:
            made.coordinate(SETUP)
            made.start(*CORE, *node_processes(made))
            made.wait_until(lambda: _serving(made) == nodes, "every node serves")
            yield made
        finally:
            made.close()


def node_processes(farm: Farm) -> list[str]:
    """Each node's worker and its stand-in."""
    return [name for node in farm.plan.nodes for name in (f"comfyui-{node.name}", node.name)]


def press(farm: Farm, *, shots: int, takes: int, begin: int = 0) -> None:
    """Submit one batch of shots × takes jobs, of the shots from number ``begin``."""
    farm.coordinate(SUBMIT.format(begin=begin, shots=shots, takes=takes, step=STEP) + "press()")


def succeeded(farm: Farm) -> int:
    """How many jobs have their take."""
    return int(farm.rows("SELECT count(*) AS n FROM renders_job WHERE state = 'succeeded'")[0]["n"])


def await_jobs(farm: Farm, count: int, *, patience_s: float) -> None:
    """Wait until ``count`` jobs have succeeded."""
    farm.wait_until(lambda: succeeded(farm) >= count, f"{count} jobs have succeeded", patience_s=patience_s)


def _serving(farm: Farm) -> int:
    query = "SELECT count(*) AS n FROM nodes_node WHERE observed = 'idle' AND capabilities_of <> ''"
    return int(farm.rows(query)[0]["n"])


@contextmanager
def bare_worker(farm: Farm) -> Iterator[dict[str, str]]:
    """A Celery worker that does nothing, on the farm's broker; gives the environment to reach it."""
    env = plain_environment() | {"REDIS_URL": farm.plan.broker_url}
    command = [sys.executable, "-m", "celery", "-A", "tests.bench.bare", "worker", "-P", "threads", "-c", "2"]
    worker = _quiet([*command, "-n", f"bare-{os.getpid()}@%h", "-Q", "bench.bare"], env)
    try:
        yield env
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(20)


def _quiet(command: Sequence[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        env=env,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
