"""Two GPUs of one machine are two nodes: two workers, two ComfyUIs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from farm.contracts import NodeReport, NodeState, Outcome, Stage
from farm.tiers import node_queue
from tests.broker_fixture import Broker
from tests.comfysim_fixture import StartSim
from tests.integration.workers.coordinator import Coordinator, coordinator, order, slow_picture
from tests.integration.workers.node_farm import BRISK, result_of
from tests.integration.workers.worker_process import WorkerProcess

StartWorker = Callable[[str, str], WorkerProcess]


@pytest.fixture
def here(broker: Broker) -> Iterator[Coordinator]:
    """A coordinator at work."""
    me = coordinator(broker.url)
    with me.at_work():
        yield me


@pytest.fixture
def worker(broker: Broker, tmp_path: Path) -> Iterator[StartWorker]:
    """Start workers of one machine: ``worker(name, comfyui_url)``."""
    with ExitStack() as ends:

        def start(name: str, url: str) -> WorkerProcess:
            env = {"REDIS_URL": broker.url, "COMFYUI_URL": url}
            process = WorkerProcess(tmp_path, env, name=name, app=BRISK)
            ends.callback(process.kill)
            return process

        yield start


def of(name: str, state: NodeState) -> Callable[[NodeReport], bool]:
    return lambda report: (report.node, report.state) == (name, state)


def test_two_workers_with_a_comfyui_each_render_side_by_side(
    here: Coordinator, worker: StartWorker, comfysim: StartSim
) -> None:
    for name in ("gpu0", "gpu1"):
        worker(name, comfysim().url)
    reports = [here.hears(of(name, NodeState.IDLE)) for name in ("gpu0", "gpu1")]

    results = [here.send(order(), node_queue(report.node, report.epoch)) for report in reports]

    ended = [result_of(result) for result in results]
    assert [(report.node, report.outcome) for report in ended] == [
        ("gpu0", Outcome.SUCCEEDED),
        ("gpu1", Outcome.SUCCEEDED),
    ]
    assert len({report.comfy.address for report in reports}) == 2


def test_a_worker_that_was_given_anothers_comfyui_takes_no_work_and_says_whose_it_is(
    here: Coordinator, worker: StartWorker, comfysim: StartSim
) -> None:
    url = comfysim().url
    first = worker("gpu0", url)
    here.hears(of("gpu0", NodeState.IDLE))

    worker("gpu1", url.replace("127.0.0.1", "localhost"))
    told = here.hears(of("gpu1", NodeState.DEAF))
    assert told.reason.startswith("node gpu0 of this machine renders with the ComfyUI at")

    first.kill()
    here.hears(of("gpu1", NodeState.IDLE))


def test_a_second_worker_of_the_same_name_says_so_and_touches_nothing_the_first_has_in_hand(
    here: Coordinator, worker: StartWorker, comfysim: StartSim
) -> None:
    url = comfysim().url
    worker("gpu0", url)
    report = here.hears(of("gpu0", NodeState.IDLE))
    what = order(slow_picture("first", 4))
    result = here.send(what, "vram.8")
    here.hears(lambda heard: any(item.stage is Stage.EXECUTING for item in heard.running))

    second = worker("gpu0", url)
    assert second.process.wait(30) == 1
    assert "another worker of this machine has the spool" in second.log
    assert "give each worker a SHOTFARM_NODE" in second.log

    assert result_of(result).outcome is Outcome.SUCCEEDED
    assert {heard.epoch for heard in here.reports} == {report.epoch}
