"""Nodes, pools, schedules and blocked pairs over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db.models import F
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.nodes.models import Node, Pool, Schedule
from apps.nodes.states import Health, Observed
from apps.renders.models import Job, NodeBlock
from apps.renders.states import BlockState, JobState
from tests.factories import JobFactory, NodeFactory, WorkflowTemplateFactory
from tests.integration.api.conftest import Client, only_error, problem_of

NIGHTS = [{"days": [4, 0], "from": "19:00", "to": "8:00"}]


@pytest.fixture
def operator(client_of: Client, people: dict[str, User]) -> APIClient:
    """Somebody who may steer nodes and sort them."""
    names = (
        "change_node",
        "delete_node",
        *(f"{verb}_{what}" for verb in ("add", "change", "delete") for what in WHAT),
    )
    people["coordinator"].user_permissions.add(*Permission.objects.filter(codename__in=names))
    return client_of("coordinator")


WHAT = ("pool", "schedule")


@pytest.fixture
def node(db: None) -> Node:
    return NodeFactory.create(name="gpu-a", drift=[{"code": "model_came", "params": {"name": "vae/y"}}])


def at(node: Node, what: str = "") -> str:
    return f"/api/v1/nodes/{node.pk}{what and '/'}{what}"


def now(node: Node) -> dict[str, int]:
    """The version that somebody who reads the node now would name."""
    return {"row_version": Node.objects.get(pk=node.pk).row_version}


def test_a_node_is_put_in_its_place(operator: APIClient, node: Node, people: dict[str, User]) -> None:
    Pool.objects.create(name="day")
    Schedule.objects.create(name="nights", windows=NIGHTS)
    sent = {"pool": "day", "schedule": "nights", "tags": ["Fast", "4090"], "note": "new fan"}
    body = operator.patch(at(node), sent | now(node)).json()
    assert (body["pool"], body["schedule"], body["tags"]) == ("day", "nights", ["4090", "fast"])
    assert (body["note"], body["note_by"]) == ("new fan", people["coordinator"].username)
    body = operator.patch(at(node), {"pool": None, **now(node)}).json()
    assert (body["pool"], body["schedule"], body["note"]) == (None, "nights", "new fan")
    nowhere = operator.patch(at(node), {"pool": "moon", **now(node)})
    assert only_error(nowhere, 400) == ("pool", "moon", "does_not_exist")
    assert only_error(operator.patch(at(node), {"name": "x", **now(node)}), 400)[2] == "unknown_field"
    assert only_error(operator.patch(at(node), {"tags": ["a b"], **now(node)}), 400)[0] == "tags"


def test_what_a_node_reports_makes_no_edit_stale_and_what_somebody_set_does(
    operator: APIClient, node: Node
) -> None:
    read = now(node)
    Node.objects.update(row_version=F("row_version") + 3, observed=Observed.BUSY)  # as its reports do
    assert operator.patch(at(node), {"note": "new fan", **read}).json()["note"] == "new fan"
    assert operator.patch(at(node), {"tags": ["fast"], **read}).status_code == 200, "another field"
    stale = operator.patch(at(node), {"note": "old fan", **read})
    assert stale.status_code == 409
    [changed] = stale.json()["changed"]
    assert (changed["field"], changed["was"], changed["now"]) == ("note", "", "new fan")
    assert Node.objects.get().note == "new fan"


def test_a_node_is_drained_for_a_reason(operator: APIClient, node: Node, people: dict[str, User]) -> None:
    body = operator.post(at(node, "desired"), {"desired": "draining", "reason": "new fan"}).json()
    told = (body["desired"], body["desired_reason"], body["desired_by"])
    assert told == ("draining", "new fan", people["coordinator"].username)


def test_a_node_off_hours_is_let_work(operator: APIClient, node: Node) -> None:
    never = [{"days": [(database_now().weekday() + 3) % 7], "from": "00:00", "to": "00:01"}]
    Schedule.objects.create(name="rare", windows=never)
    assert operator.patch(at(node), {"schedule": "rare", **now(node)}).json()["off_hours"] is True
    until = (database_now() + timedelta(hours=2)).isoformat()
    assert operator.post(at(node, "work-until"), {"until": until}).json()["off_hours"] is False
    assert operator.post(at(node, "work-until"), {"until": None}).json()["off_hours"] is True
    past = (database_now() - timedelta(hours=2)).isoformat()
    assert only_error(operator.post(at(node, "work-until"), {"until": past}), 400)[0] == "until"


def test_an_operator_calls_a_node_well_and_accepts_its_software(operator: APIClient, node: Node) -> None:
    Node.objects.update(health=Health.SICK, sick_reason="its probe failed: CUDA error")
    body = operator.get(at(node)).json()
    assert (body["health"], body["health_reason"]) == ("sick", "its probe failed: CUDA error")
    assert body["drift"][0]["sentence"] == "model vae/y came"
    assert operator.post(at(node, "well")).json()["health"] == "well"
    assert only_error(operator.post(at(node, "accept-software")), 400)[0] == "software"


def test_blocked_pairs_are_listed_and_cleared(operator: APIClient, node: Node) -> None:
    block = NodeBlock.objects.create(
        node=node,
        template=WorkflowTemplateFactory.create(),
        state=BlockState.BLOCKED,
        failures=3,
        until=database_now() + timedelta(hours=5),
    )
    listed = operator.get("/api/v1/blocks", {"node": "gpu-a", "state": "blocked"}).json()
    assert [(row["node"], row["template"], row["failures"]) for row in listed["results"]] == [
        ("gpu-a", "test_t2i", 3)
    ]
    body = operator.post(f"/api/v1/blocks/{block.pk}/clear").json()
    assert (body["state"], body["until"]) == ("clear", None)
    assert operator.get("/api/v1/blocks").json()["count"] == 0


def test_a_node_that_is_gone_is_taken_off_the_books(operator: APIClient, node: Node) -> None:
    Node.objects.update(observed=Observed.IDLE)
    read = now(node)
    assert only_error(operator.delete(at(node), read), 400)[2] == "reports"
    Node.objects.update(observed=Observed.OFFLINE)
    pinned = JobFactory.create(pinned_to=node)
    assert only_error(operator.delete(at(node), read), 400)[2] == "pinned"
    Job.objects.filter(pk=pinned.pk).update(state=JobState.CANCELLED)
    assert operator.delete(at(node), read).status_code == 204
    assert operator.delete(at(node), read).status_code == 404
    assert not Node.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "artist", "coordinator", "admin"])
def test_whoever_may_not_remove_nodes_removes_none(client_of: Client, node: Node, role: str) -> None:
    Node.objects.update(observed=Observed.OFFLINE)
    assert "nodes.delete_node" in problem_of(client_of(role).delete(at(node)), 403)["detail"]
    assert Node.objects.exists()


def test_pools_are_made_changed_and_removed(operator: APIClient, node: Node) -> None:
    made = operator.post("/api/v1/pools", {"name": "day", "dedicated": True}).json()
    address = f"/api/v1/pools/{made['id']}"
    read = operator.get(address)["ETag"]
    changed = operator.patch(address, {"note": "stage"}, headers={"If-Match": read})
    assert changed.json() == made | {"note": "stage", "row_version": 1}
    assert (read, changed["ETag"]) == ('"0"', '"1"')
    stale = operator.patch(address, {"note": "studio"}, headers={"If-Match": read})
    assert (stale.status_code, stale["ETag"]) == (409, '"1"')
    assert only_error(operator.post("/api/v1/pools", {"name": "day"}), 400)[:2] == ("name", "day")
    operator.patch(at(node), {"pool": "day", **now(node)})
    assert operator.get("/api/v1/nodes", {"pool": "day"}).json()["count"] == 1
    assert only_error(operator.delete(address, {"row_version": 1}), 400)[2] == "in_use"
    operator.patch(at(node), {"pool": None, **now(node)})
    assert operator.delete(address, {"row_version": 1}).status_code == 204


def test_what_is_new_has_no_version_and_whoever_sends_one_is_told(operator: APIClient) -> None:
    sent = {"name": "day", "row_version": 3}
    nights = {"timezone": "Asia/Seoul", "windows": [{"days": [1], "from": "19:00", "to": "08:00"}]}
    for told in (operator.post("/api/v1/pools", sent), operator.post("/api/v1/schedules", sent | nights)):
        assert only_error(told, 400) == ("row_version", "3", "no_version")
    assert not Pool.objects.exists()
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"windows": []}, "windows"),
        ({"windows": [{"days": [9], "from": "19:00", "to": "08:00"}]}, "windows[0].days"),
        ({"windows": [{"days": [1], "from": "late", "to": "08:00"}]}, "windows[0].from"),
        ({"name": "two words"}, "name"),
    ],
)
def test_a_schedule_that_is_none_is_refused_by_field(
    operator: APIClient, changes: dict[str, Any], field: str
) -> None:
    sent = {"name": "nights", "timezone": "UTC", "windows": NIGHTS} | changes
    assert only_error(operator.post("/api/v1/schedules", sent), 400)[0] == field


def test_schedules_are_made_changed_and_removed(operator: APIClient) -> None:
    sent = {"name": "nights", "timezone": "Asia/Seoul", "windows": NIGHTS}
    made = operator.post("/api/v1/schedules", sent).json()
    assert made["windows"] == [{"days": [0, 4], "from": "19:00", "to": "08:00"}]
    address = f"/api/v1/schedules/{made['id']}"
    assert operator.patch(address, {"timezone": "UTC", "row_version": 0}).json()["timezone"] == "UTC"
    assert operator.delete(address, {"row_version": 1}).status_code == 204
    assert operator.get("/api/v1/schedules").json()["count"] == 0


def test_members_read_all_this_and_change_nothing(client_of: Client, node: Node) -> None:
    member = client_of("coordinator")
    for name in ("nodes", "pools", "schedules", "blocks"):
        assert member.get(f"/api/v1/{name}").status_code == 200
    assert member.patch(at(node), {"note": "mine"}).status_code == 403
    assert member.post("/api/v1/pools", {"name": "mine"}).status_code == 403
    assert (Node.objects.get().note, Pool.objects.count()) == ("", 0)
