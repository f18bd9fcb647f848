"""What a broker may do to a node while it has work in hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis import Redis
from redis.exceptions import OutOfMemoryError

from farm.contracts import Outcome
from tests.integration.workers.coordinator import order, slow_picture
from tests.integration.workers.node_farm import StartFarm
from tests.integration.workers.waiting import until


def fills_up(broker: Redis) -> None:
    """Every write is refused, until :func:`has_room_again`."""
    broker.config_set("maxmemory-policy", "noeviction")
    broker.config_set("maxmemory", "1")
    with pytest.raises(OutOfMemoryError):
        broker.set("proof", "that it takes nothing")


def cuts_every_line(broker: Redis) -> None:
    """TCP connections are reset."""
    cut = sum(int(broker.client_kill_filter(_type=kind)) for kind in ("normal", "pubsub"))
    assert cut > 2


@pytest.mark.parametrize("fault", [fills_up, cuts_every_line])
def test_a_render_in_hand_survives_its_broker_and_the_worker_works_on(
    farm: StartFarm, fault: Callable[[Redis], None]
) -> None:
    here = farm(vram=8)
    born = here.worker.process.pid
    what = order(slow_picture("in hand", 4))
    here.coordinator.send(what, "vram.8")
    here.executing(what)
    with here.broker.client() as broker:
        # An order that lies there is read by the node, which has a place to stage it, in the midst of it.
        fault(broker)
        until((here.worker.artifacts / what.artifact_folder / "manifest.json").exists)
        broker.config_set("maxmemory", "0")

    here.coordinator.hears(lambda report: any(one.attempt_id == what.attempt_id for one in report.finished))
    assert here.render(order()).outcome is Outcome.SUCCEEDED
    assert here.worker.process.poll() is None
    assert here.worker.process.pid == born
