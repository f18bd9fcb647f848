"""Items in a queue that are no messages cost a line in the log, never the worker that reads them."""

from __future__ import annotations

import pytest

from farm.contracts import Outcome
from tests.chaos.poison import ITEMS, TAG
from tests.integration.workers.coordinator import order
from tests.integration.workers.node_farm import StartFarm
from tests.integration.workers.waiting import until


@pytest.mark.parametrize("queue", ["vram.8", "its own"])
def test_a_node_reads_past_what_is_no_message_and_renders_on(farm: StartFarm, queue: str) -> None:
    here = farm(vram=8)
    place = here.own_queue() if queue == "its own" else queue
    born = here.worker.process.pid
    with here.broker.client() as broker:
        broker.rpush(place, *ITEMS)

    until(lambda: here.waiting_in(place) == 0)

    assert here.render(order()).outcome is Outcome.SUCCEEDED
    assert here.worker.process.poll() is None
    assert here.worker.process.pid == born
    assert "item in a queue is no message, dropped" in here.worker.log
    with here.broker.client() as broker:
        left = [tag for tag in broker.hkeys("unacked") if tag.startswith(TAG)]
    assert not left, "it waits to be put back when the worker stops"
    assert here.coordinator.hears(lambda report: report.state == "idle").running == ()
