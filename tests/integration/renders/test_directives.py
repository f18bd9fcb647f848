"""What the coordinator answers a node."""

from __future__ import annotations

from typing import Any

import pytest

from apps.nodes.models import Node
from apps.nodes.states import Desired
from apps.renders.models import Job
from farm.contracts import Capabilities, NodeState
from tests.broker_fixture import Broker
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import next_order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]


def test_a_node_serves_once_its_capabilities_are_known(bus: Broker) -> None:
    hand = Hand("gpu24", tier_gb=24, broker=bus)
    first = hand.reports()
    assert (first.serve, first.want_capabilities) == (False, True)
    second = hand.reports(capabilities=hand.able)
    assert (second.serve, second.want_capabilities) == (True, False)


def test_a_node_whose_capabilities_changed_is_asked_again(node24: Hand) -> None:
    assert not node24.reports().want_capabilities
    node24.able = Capabilities(classes=("KSampler",), models={})
    assert node24.reports().want_capabilities
    assert not node24.reports(capabilities=node24.able).want_capabilities
    assert Node.objects.get().classes == ["KSampler"]


@pytest.mark.parametrize("wish", [Desired.DRAINING, Desired.PAUSED])
def test_a_node_that_is_not_wanted_does_not_serve_and_hears_why(node24: Hand, wish: str) -> None:
    Node.objects.update(desired=wish)
    told = node24.reports()
    assert (told.serve, told.desired) == (False, wish)
    Node.objects.update(desired=Desired.ACTIVE)
    told = node24.reports()
    assert (told.serve, told.desired) == (True, "active")


@pytest.mark.parametrize("state", [NodeState.STARTING, NodeState.DEAF, NodeState.SICK])
def test_a_node_that_cannot_render_does_not_serve(node24: Hand, state: NodeState) -> None:
    assert not node24.reports(state=state).serve
    assert node24.reports().serve


def test_a_simulated_node_does_not_serve_where_simulation_is_not_allowed(node24: Hand, settings: Any) -> None:
    settings.SIMULATED_ALLOWED = False
    assert not node24.reports().serve
    assert node24.reports(simulated=False).serve


def test_a_node_of_unknown_memory_serves_what_needs_none(bus: Broker) -> None:
    assert Hand("unknown", tier_gb=None, broker=bus).arrives().reports().serve


def test_a_busy_node_goes_on_serving(node24: Hand, job: Job) -> None:
    next_order(node24)
    assert node24.reports().serve


def test_work_nobody_gave_it_a_node_must_stop(node24: Hand, job: Job) -> None:
    order = next_order(node24)
    Job.objects.update(token="another")
    assert node24.reports().cancelled == (order.attempt_id,)
    assert node24.reports(
        running=tuple(
            running.__class__(attempt_id=unknown, token="t", stage=running.stage)
            for running in node24.running.values()
            for unknown in ("no id at all", "01890000-0000-7000-8000-000000000000")
        )
    ).cancelled == ("no id at all", "01890000-0000-7000-8000-000000000000")
