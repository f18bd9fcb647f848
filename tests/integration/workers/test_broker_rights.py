"""A node with the broker rights of docs/operations.md: it works, and can do no more than its work."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from farm.contracts import Outcome
from tests.broker_fixture import Broker
from tests.integration.workers.coordinator import order
from tests.integration.workers.node_farm import StartFarm
from tests.integration.workers.waiting import until

OPERATIONS: Final = Path(__file__).parents[3] / "docs" / "operations.md"
PASSWORD: Final = "a-password-for-gpu1"


def documented_rights(user: str) -> list[str]:
    """The words of the ACL line for this user, as the handbook prints it."""
    lines = re.findall(rf"^user {user} .*$", OPERATIONS.read_text(), re.MULTILINE)
    assert len(lines) == 1
    return shlex.split(lines[0].replace("PASSWORD", PASSWORD))[2:]


@pytest.fixture
def gpu1(broker: Broker) -> Redis:
    """The broker as gpu1's node sees it."""
    with broker.client() as client:
        client.execute_command("ACL", "SETUSER", "gpu1", "reset", *documented_rights("gpu1"))
    return Redis.from_url(as_gpu1(broker), decode_responses=True)


def as_gpu1(broker: Broker) -> str:
    return re.sub(r"//:[^@]+@", f"//gpu1:{PASSWORD}@", broker.url)


def test_a_node_renders_reports_and_is_steered_with_the_rights_of_the_handbook(
    farm: StartFarm, broker: Broker, gpu1: Redis
) -> None:
    here = farm(env={"REDIS_URL": as_gpu1(broker)})
    what = order()
    assert here.render(what).outcome is Outcome.SUCCEEDED
    assert until(lambda: here.coordinator.bells) == [what.attempt_id]
    answered = here.coordinator.app.control.inspect(timeout=5, destination=[here.worker.celery_name]).ping()
    assert answered == {here.worker.celery_name: {"ok": "pong"}}
    with broker.client() as client:
        assert client.acl_whoami() == "default"
        refused = [entry for entry in client.acl_log() if entry["username"] == "gpu1"]
    assert refused == []
    assert "NOPERM" not in here.worker.log
    here.worker.stop()
    with broker.client() as client:
        assert [entry for entry in client.acl_log() if entry["username"] == "gpu1"] == []


FORBIDDEN: Final[dict[str, Callable[[Any], Any]]] = {
    "put an order into a tier's queue": lambda it: it.lpush("vram.24", "{}"),
    "put an order into another node's queue": lambda it: it.lpush("node.gpu2.life", "{}"),
    "read another node's queue": lambda it: it.brpop(["node.gpu2.life"], timeout=1),
    "take reports": lambda it: it.brpop(["reports"], timeout=1),
    "look at claims": lambda it: it.lrange("claims", 0, -1),
    "take media work": lambda it: it.rpop("media"),
    "put media work": lambda it: it.lpush("media", "{}"),
    "read what else lies in the broker": lambda it: it.get("a secret"),
    "list keys": lambda it: it.keys("*"),
    "walk keys": lambda it: it.scan(0),
    "read the configuration": lambda it: it.config_get("requirepass"),
    "read who has which rights": lambda it: it.acl_list(),
    "change its rights": lambda it: it.acl_setuser("gpu1", enabled=True),
    "empty the broker": lambda it: it.flushall(),
    "listen to everything": lambda it: it.execute_command("MONITOR"),
    "stop the broker": lambda it: it.execute_command("SHUTDOWN", "NOSAVE"),
    "get around it all by a script": lambda it: it.eval("return redis.call('GET', KEYS[1])", 1, "a secret"),
}


@pytest.mark.parametrize("deed", FORBIDDEN)
def test_a_node_may_not(broker: Broker, gpu1: Redis, deed: str) -> None:
    assert gpu1.ping(), "it is let in"
    with broker.client() as client:
        client.set("a secret", "of the farm")
    with pytest.raises(Exception, match=r"(?i)permission|NOPERM|ACL failure") as refused:
        FORBIDDEN[deed](gpu1)
    assert isinstance(refused.value, NoPermissionError) or "ACL" in str(refused.value)
    with broker.client() as client:
        assert client.get("a secret") == "of the farm"
