"""Nodes of other versions, and two of one name: what the farm makes of them, and what its operator sees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from apps.accounts.models import User
from apps.nodes.models import Node
from apps.nodes.standing import MISHEARD_FOR, reasons
from apps.nodes.states import Observed
from apps.projects.models import Project
from apps.renders import tasks
from apps.renders.models import Job, Priority
from apps.renders.services import bus as farm_bus
from apps.renders.services.dispatch import dispatch
from apps.renders.services.reports import answer_all
from apps.renders.services.steering import prioritise
from apps.renders.services.sweep import sweep
from apps.renders.states import AttemptState, JobState
from farm.contracts import (
    ComfyFact,
    ContractError,
    FailureClass,
    GpuFact,
    NodeDirectives,
    NodeReport,
    RenderOrder,
    Source,
    Stage,
    from_json,
    to_json,
)
from tests.broker_fixture import Broker
from tests.earlier import contracts as earlier
from tests.farm_time import FarmTime
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, attempt_of, executing, next_order, press

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]


def hear(report: dict[str, Any]) -> NodeDirectives:
    """What the coordinator's door answers to a node's report, as it comes from the broker."""
    return from_json(NodeDirectives, tasks.hear_nodes([report])[0])


def said_of(name: str, at: Any) -> list[str]:
    return reasons(Node.objects.get(name=name), at)


# Another version of the protocol


def test_a_node_of_another_version_is_refused_and_shown_to_the_operator(
    node24: Hand, farm_time: FarmTime
) -> None:
    told = to_json(node24.writes()) | {"version": 2}
    before = Node.objects.get()

    with pytest.raises(ContractError, match="version is 2; this side speaks 1"):
        tasks.hear_nodes([told])

    (shown,) = said_of("gpu24", farm_time())
    assert shown == (
        "what it says cannot be read, is it of another version? NodeReport.version is 2; this side speaks 1"
    )
    after = Node.objects.get()
    assert (after.observed, after.reported_at) == (before.observed, before.reported_at)
    farm_time.passes(MISHEARD_FOR.total_seconds() + 1)
    assert said_of("gpu24", farm_time()) == [], "it is brought up to date, or gone"


def test_one_that_never_spoke_otherwise_is_shown_too(bus: Broker, farm_time: FarmTime) -> None:
    told = to_json(Hand("new", tier_gb=24, broker=bus).writes()) | {"version": 2}

    for _ in range(2):
        with pytest.raises(ContractError):
            tasks.hear_nodes([told])

    assert Node.objects.get().observed == Observed.OFFLINE
    assert "version is 2" in said_of("new", farm_time())[0]
    sweep()

    node = Hand("new", tier_gb=24, broker=bus).arrives()
    assert not node.reports().new_epoch, "once it is brought up to date it is a node like any other"
    assert Node.objects.get().observed == Observed.IDLE


@pytest.mark.parametrize("name", ["", 7, None, "n" * 121, "\0"])
def test_what_names_no_node_makes_none(name: object) -> None:
    with pytest.raises(ContractError):
        tasks.hear_nodes([{"version": 2, "node": name}])

    assert not Node.objects.exists()


def test_a_finished_report_with_an_unknown_word_costs_neither_the_others_nor_the_lease(
    node24: Hand, job: Job, film: Project, coordinator: User, farm_time: FarmTime
) -> None:
    runs = executing(node24)
    other = press(film, coordinator, "sd15_t2i")
    odd_order = next_order(node24)
    odd = to_json(node24.failure(odd_order, FailureClass.UNKNOWN))
    odd["failure"]["failure_class"] = "struck_by_lightning"
    node24.running.pop(odd_order.attempt_id)
    lease = attempt_of(runs).lease_until
    farm_time.passes(10)

    answer = hear(to_json(node24.writes()) | {"finished": [odd]})

    assert (answer.confirmed, answer.cancelled, answer.new_epoch) == ((), (), False)
    renewed = attempt_of(runs).lease_until
    assert lease is not None
    assert renewed is not None
    assert renewed > lease
    assert "struck_by_lightning" in said_of("gpu24", farm_time())[0]
    for _ in range(5):
        farm_time.passes(8)
        node24.reports()
    sweep()
    assert again(other).state == JobState.READY, "and the job is not lost either"
    assert attempt_of(odd_order).state == AttemptState.LOST
    assert again(job).state == JobState.RUNNING


# A node of the first landed version


def earlier_words(node: Hand, **changes: Any) -> dict[str, Any]:
    """The node's report as a node of that version writes it."""
    known = earlier.NodeReport.__dataclass_fields__
    told = {name: value for name, value in to_json(node.writes()).items() if name in known}
    told["comfy"] = {
        name: value for name, value in told["comfy"].items() if name in earlier.ComfyFact.__dataclass_fields__
    }
    read = earlier.from_json(earlier.NodeReport, told | changes)
    return earlier.to_json(read)


def test_a_node_of_the_first_version_renders_for_the_present_coordinator(node24: Hand, job: Job) -> None:
    heard = earlier.from_json(earlier.NodeDirectives, tasks.hear_nodes([earlier_words(node24)])[0])
    assert heard.serve
    dispatch()
    order = node24.order()
    assert order is not None
    read = earlier.from_json(earlier.RenderOrder, to_json(order))
    request = earlier.ClaimRequest(
        attempt_id=read.attempt_id, token=read.token, node="gpu24", epoch=node24.epoch
    )
    reply = earlier.from_json(earlier.ClaimReply, tasks.hear_claims([earlier.to_json(request)])[0])
    assert reply.granted
    node24.works_on(order, Stage.EXECUTING)
    hear(earlier_words(node24))
    assert again(job).state == JobState.RUNNING
    assert attempt_of(order).state == AttemptState.EXECUTING

    finished = as_told_then(node24, order, read.report_key)
    node24.running.clear()
    answer = hear(earlier_words(node24, finished=[finished]))

    assert answer.confirmed == (order.attempt_id,)
    assert again(job).state == JobState.SUCCEEDED


def as_told_then(node: Hand, order: RenderOrder, key: str) -> dict[str, Any]:
    """The report of a success, written and signed by a node of that version."""
    told = to_json(node.success(order))
    del told["peak_mib"]
    return earlier.to_json(earlier.from_json(earlier.RenderReport, told).signed(key))


def test_a_node_that_does_not_know_how_is_not_asked_to_give_a_place_up(
    node24: Hand, film: Project, coordinator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[UUID] = []
    monkeypatch.setattr(farm_bus, "send_unstage", lambda attempt: asked.append(attempt.pk))
    for key in "ab":
        press(film, coordinator, "sd15_t2i", key)
    dispatch()
    running, staged = node24.claimed(), node24.claimed()
    node24.works_on(running, Stage.EXECUTING)
    node24.works_on(staged, Stage.STAGED)
    hear(earlier_words(node24))
    urgent = press(film, coordinator, "sd15_t2i", "c")
    prioritise(urgent, priority=Priority.URGENT, user=coordinator)

    dispatch()
    assert asked == []

    node24.reports()
    dispatch()
    assert asked == [UUID(staged.attempt_id)], "one of this version is"


# Two workers of one name


def at(node: Hand, machine: str) -> dict[str, Any]:
    comfy = ComfyFact(reachable=True, version="0.27.0", device_type="cuda", address=f"{machine}:8188")
    return to_json(replace(node.writes(), comfy=comfy))


def another_machine(node: Hand) -> Hand:
    """A worker that was given the name of this one, as a cloned disk gives it."""
    rival = Hand(node.name, tier_gb=node.tier_gb, broker=node.broker)
    rival.epoch = "of-another-machine"
    return rival


def test_a_second_machine_of_the_same_name_ends_nobodys_work_and_is_shown(
    node24: Hand, job: Job, farm_time: FarmTime
) -> None:
    hear(at(node24, "rack1"))
    order = next_order(node24)
    node24.works_on(order, Stage.EXECUTING)
    hear(at(node24, "rack1"))
    rival = another_machine(node24)

    for _ in range(3):
        farm_time.passes(5)
        refused = hear(at(rival, "rack2"))
        assert (refused.serve, refused.new_epoch) == (False, False)
        assert "rack2:8188; give it a SHOTFARM_NODE of its own" in refused.refused
        kept = hear(at(node24, "rack1"))
        assert (kept.cancelled, kept.new_epoch, kept.refused) == ((), False, "")

    assert said_of("gpu24", farm_time()) == [
        "another worker uses this name, with the ComfyUI at rack2:8188; give it a SHOTFARM_NODE of its own"
    ]
    assert Node.objects.get().epoch == node24.epoch
    assert (again(job).state, attempt_of(order).state) == (JobState.RUNNING, AttemptState.EXECUTING)


def test_it_has_the_name_once_the_first_is_silent_or_has_said_that_it_stops(
    node24: Hand, farm_time: FarmTime
) -> None:
    hear(at(node24, "rack1"))
    rival = another_machine(node24)
    assert hear(at(rival, "rack2")).refused
    farm_time.passes(31)
    assert not hear(at(rival, "rack2")).refused
    assert Node.objects.get().epoch == rival.epoch

    third = another_machine(node24)
    third.epoch = "of-a-third"
    assert hear(at(third, "rack3")).refused
    hear(at(rival, "rack2") | {"state": "deaf", "reason": "the worker is shutting down"})
    assert not hear(at(third, "rack3")).refused


def test_a_worker_that_was_started_anew_is_no_rival(node24: Hand) -> None:
    hear(at(node24, "rack1"))
    node24.epoch = "e2"

    assert not hear(at(node24, "rack1")).refused
    assert Node.objects.get().epoch == "e2"


# Two workers on one card


def on_card(node: Hand, uuid: str, source: Source = Source.NVML) -> dict[str, Any]:
    card = GpuFact(index=0, name="RTX 4090", uuid=uuid, source=source, total_mib=24_564, free_mib=24_000)
    return to_json(replace(node.writes(), gpus=(card,)))


def test_a_second_worker_on_a_card_is_refused_until_the_first_is_gone(
    node24: Hand, bus: Broker, farm_time: FarmTime
) -> None:
    second = Hand("gpu25", tier_gb=24, broker=bus)
    assert not hear(on_card(node24, "GPU-aaaa")).refused

    refused = hear(on_card(second, "GPU-aaaa"))

    assert (refused.serve, refused.new_epoch) == (False, False)
    assert refused.refused.startswith("its card GPU-aaaa is that of node gpu24; start each ComfyUI on a card")
    assert said_of("gpu25", farm_time()) == [refused.refused]
    assert not hear(on_card(node24, "GPU-aaaa")).refused
    farm_time.passes(31)
    assert not hear(on_card(second, "GPU-aaaa")).refused
    assert hear(on_card(node24, "GPU-aaaa")).refused, "whoever is there has it"


def test_two_that_come_at_once_do_not_both_get_it(node24: Hand, bus: Broker) -> None:
    first, second = (Hand(name, tier_gb=24, broker=bus) for name in ("one", "two"))
    reports = [from_json(NodeReport, on_card(hand, "GPU-aaaa")) for hand in (first, second)]

    assert [bool(told.refused) for told in answer_all(reports)] == [False, True]


@pytest.mark.parametrize(
    ("uuid", "source"), [("GPU-bbbb", Source.NVML), ("", Source.NVML), ("GPU-aaaa", Source.SIMULATED)]
)
def test_what_is_no_measured_card_of_another_accuses_nobody(
    node24: Hand, bus: Broker, uuid: str, source: Source
) -> None:
    hear(on_card(node24, "GPU-aaaa" if uuid else ""))

    assert not hear(on_card(Hand("gpu25", tier_gb=24, broker=bus), uuid, source)).refused
