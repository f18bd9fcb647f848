"""Somebody else's prompts in a node's ComfyUI are waited for, and not without end."""

from __future__ import annotations

from typing import Any

import pytest

from farm.contracts import ComfyFact, FailureClass, NodeState, Stage
from workers.comfy.errors import BehindHang, BehindOthers
from workers.gpu import Reading
from workers.hand import InHand
from workers.node import Node, Sight
from workers.others import REMEMBERED, Others
from workers.render import _Stop


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def others(limit_s: float = 600) -> tuple[Others, Clock]:
    clock = Clock()
    return Others(limit_s, clock=clock), clock


def test_who_has_comfyui_is_said_and_how_long_that_is_waited_for() -> None:
    here, clock = others()
    assert here.reason == ""

    here.look(["theirs"])
    assert "orders wait behind it for 600 s at most (SHOTFARM_OTHERS_SECONDS)" in here.reason
    too_long = []
    for seconds in (600, 1):
        clock.now += seconds
        too_long.append(here.too_long)

    assert too_long == [False, True]
    assert here.reason.startswith("somebody else's prompts have had ComfyUI for more than 600 s")


def test_one_of_theirs_after_the_other_is_one_wait_until_ours_executes() -> None:
    here, clock = others()
    here.ours("ours")
    for prompt_id in ("first", "second", "third"):
        here.look([prompt_id])
        clock.now += 250
    assert here.too_long

    here.look(["ours"])

    assert (here.too_long, here.reason) == (False, "")


def test_a_comfyui_that_is_nobodys_is_ours_again() -> None:
    here, clock = others()
    here.look(["theirs"])
    clock.now += 1000
    here.look([])

    assert (here.too_long, here.reason) == (False, "")


def test_no_limit_is_no_limit_and_says_so() -> None:
    here, clock = others(limit_s=0)
    here.look(["theirs"])
    clock.now += 1e6

    assert not here.too_long
    assert "without end" in here.reason


def test_only_so_many_prompts_of_ours_are_remembered() -> None:
    here, _ = others()
    for number in range(REMEMBERED + 1):
        here.ours(f"p{number}")

    here.look(["p1"])
    assert here.reason == ""
    here.look(["p0"])
    assert here.reason


def node(**sight: Any) -> Node:
    here = Node("gpu1", "celery@gpu1")
    here.sight = Sight(
        comfy=ComfyFact(reachable=True), reading=Reading(tier_gb=24, reason="tier 32 lowered to 24"), **sight
    )
    here.serve = True
    return here


def test_a_node_in_company_takes_work_and_says_in_whose() -> None:
    here = node(others="somebody else's prompt executes")

    assert here.standing() == (NodeState.IDLE, "tier 32 lowered to 24; somebody else's prompt executes")
    assert "vram.24" in here.listens()


def test_a_crowded_node_takes_nothing_and_says_why() -> None:
    here = node(others="they have had it for long", crowded=True)

    assert here.standing() == (NodeState.DEAF, "they have had it for long")
    assert here.listens() == (here.own_queue,)


@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.EXECUTING])
def test_only_what_waits_in_comfyuis_queue_is_given_back(stage: Stage) -> None:
    stop = _Stop(InHand("a1", stage=stage), node(others="they", crowded=True))

    assert (stop(), stop.behind) == (False, None)


def test_what_waits_in_a_crowd_is_given_back_for_no_fault_of_its_own() -> None:
    stop = _Stop(InHand("a1", stage=Stage.STAGED), node(others="they", crowded=True))

    assert stop()
    assert isinstance(stop.behind, BehindOthers)
    assert (stop.behind.failure_class, stop.behind.code) == (FailureClass.INFRASTRUCTURE, "behind_others")


def test_why_it_was_given_back_is_not_forgotten_when_the_node_is_well_a_moment_later() -> None:
    here = node()
    here.sick = "ComfyUI hangs"
    stop = _Stop(InHand("a1", stage=Stage.STAGED), here)
    assert stop()
    here.sick = ""

    assert stop()
    assert isinstance(stop.behind, BehindHang)
