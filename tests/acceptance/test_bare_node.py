"""A GPU node needs ``workers/requirements.txt`` and nothing else: no Django, no database."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from farm.contracts import NodeState, Outcome
from tests.broker_fixture import Broker
from tests.comfysim_fixture import StartSim
from tests.integration.workers.coordinator import coordinator, order
from tests.integration.workers.node_farm import result_of
from tests.integration.workers.worker_process import WorkerProcess

pytestmark = pytest.mark.once  # a node knows no database

ROOT = Path(__file__).parents[2]
NODES_FILES = (
    "workers",
    "workflows",
    "farm/__init__.py",
    "farm/tiers.py",
    "farm/contracts",
    "farm/latents.py",
    "farm/transfer.py",
    "farm/logs.py",
    "farm/transport.py",
    "celeryconfig.py",
)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder with a node's files and a fresh environment made from its requirements alone."""
    home = tmp_path / "node"
    for name in NODES_FILES:
        source, target = ROOT / name, home / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "comfysim"))
        else:
            shutil.copy(source, target)
    python = home / ".venv/bin/python"
    needs = ["-r", str(home / "workers/requirements.txt")]
    # pip, not uv: it heeds the machine's own pip settings, and what installed the farm installs the node.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home / ".venv")], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*pip, *needs], check=True)
    return home


@pytest.mark.timeout(600)
def test_a_node_without_django_takes_an_order_and_renders_it(
    bare: Path, broker: Broker, comfysim: StartSim, tmp_path: Path
) -> None:
    python = bare / ".venv/bin/python"
    django = subprocess.run([str(python), "-c", "import django"], cwd=bare, capture_output=True, check=False)
    assert b"ModuleNotFoundError" in django.stderr

    sim, here = comfysim(vram=24), coordinator(broker.url)
    env = {"REDIS_URL": broker.url, "COMFYUI_URL": sim.url}
    with here.at_work():
        worker = WorkerProcess(tmp_path, env, home=bare, celery=python.with_name("celery"))
        try:
            here.hears(lambda report: report.state is NodeState.IDLE)
            report = result_of(here.send(order(), "vram.24"))
        finally:
            status = worker.stop()

    assert (report.outcome, status) == (Outcome.SUCCEEDED, 0)


@pytest.mark.parametrize("missing", ["REDIS_URL", "SHOTFARM_ARTIFACTS"])
def test_a_node_that_is_not_told_enough_says_what_to_set(missing: str) -> None:
    env = {"PATH": os.environ["PATH"], "REDIS_URL": "redis://x", "SHOTFARM_ARTIFACTS": "/tmp/x"}  # noqa: S108
    del env[missing]
    celery = Path(sys.executable).with_name("celery")

    said = subprocess.run(
        [celery, "-A", "workers", "worker"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )

    assert said.returncode != 0
    assert f"{missing} is not set; set it to" in said.stderr
