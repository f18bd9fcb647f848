"""How a node stands and what it therefore listens to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from farm.contracts import ComfyFact, NodeState, Stage
from workers.gpu import Reading
from workers.node import LOOK_S, STORE, Node, Sight


def node(tier: int | None = 12, *, reachable: bool = True, reason: str = "") -> Node:
    here = Node("gpu1", "celery@gpu1")
    here.sight = Sight(
        comfy=ComfyFact(reachable=reachable, error="" if reachable else "refused"),
        reading=Reading(tier_gb=tier, reason=reason),
    )
    here.serve = True
    return here


def roads(here: Node) -> list[str]:
    """What it listens to beside its own queue, which always comes first."""
    first, *rest = here.listens()
    assert first == here.own_queue
    return rest


def test_an_idle_node_takes_what_is_to_start_before_what_is_to_stage_largest_tier_first() -> None:
    assert roads(node()) == ["vram.12", "vram.8", "vram.0", "vram.12.next", "vram.8.next", "vram.0.next"]


def test_with_one_order_it_only_takes_another_to_stage() -> None:
    here = node()
    here.hand.receive("a1")

    assert roads(here) == ["vram.12.next", "vram.8.next", "vram.0.next"]
    assert here.standing()[0] is NodeState.BUSY


def test_with_a_staged_order_it_takes_none() -> None:
    here = node()
    here.hand.receive("a1")
    here.hand.receive("a2")

    assert roads(here) == []


def test_an_order_that_is_being_collected_has_left_the_gpu() -> None:
    here = node()
    here.hand.move(here.hand.accept("a1", "t1"), Stage.COLLECTING)

    assert roads(here)[0] == "vram.12"


def test_when_all_is_done_it_is_idle_again() -> None:
    here = node()
    before = here.listens()
    here.hand.receive("a1")
    here.hand.release("a1")

    assert here.listens() == before
    assert here.standing()[0] is NodeState.IDLE


@pytest.mark.parametrize("desired", ["draining", "paused"])
def test_a_node_that_is_not_to_work_listens_to_itself_only(desired: str) -> None:
    here = node()
    here.desired = desired

    assert roads(here) == []


def test_a_node_that_is_not_told_to_serve_listens_to_itself_only() -> None:
    here = node()
    assert not Node("gpu1", "celery@gpu1").serve

    here.serve = False

    assert roads(here) == []


def test_a_stand_in_that_is_not_allowed_listens_to_itself_only() -> None:
    here = node()
    here.sight = replace(here.sight, reading=Reading(tier_gb=None, simulated=True, forbidden=True))

    assert roads(here) == []


def test_a_node_with_an_unknown_gpu_takes_orders_without_vram() -> None:
    here = node(None, reason="ComfyUI gives no VRAM size")

    assert roads(here) == ["vram.0", "vram.0.next"]
    assert here.standing() == (NodeState.IDLE, "ComfyUI gives no VRAM size")


def test_a_node_without_comfyui_is_deaf() -> None:
    here = node(reachable=False)

    assert here.standing() == (NodeState.DEAF, "ComfyUI does not answer: refused")
    assert roads(here) == []


def test_a_node_without_the_farms_store_is_deaf() -> None:
    here = node()
    here.sight = replace(here.sight, store="the artifact store is not the farm's")

    assert here.standing() == (NodeState.DEAF, "the artifact store is not the farm's")
    assert roads(here) == []


def test_a_node_with_a_hanging_comfyui_is_sick() -> None:
    here = node()
    here.sick = "ComfyUI hangs: no progress for 120 s"

    assert here.standing() == (NodeState.SICK, "ComfyUI hangs: no progress for 120 s")
    assert roads(here) == []


def test_a_node_that_has_seen_nothing_is_starting() -> None:
    here = Node("gpu1", "celery@gpu1")

    assert here.standing()[0] is NodeState.STARTING
    assert roads(here) == []


def test_a_new_epoch_cancels_what_is_in_hand_and_has_its_own_queue() -> None:
    here = node()
    order = here.hand.accept("a1", "t1")
    before = here.own_queue

    here.begin_new_epoch()

    assert order.cancelled.is_set()
    assert here.own_queue != before


def test_only_accepted_orders_are_reported_as_running() -> None:
    here = node()
    here.hand.receive("a1")
    assert here.report(()).running == ()

    order = here.hand.accept("a1", "t1")
    here.hand.move(order, Stage.EXECUTING)
    here.hand.progress(order, 0.25, "KSampler")

    (running,) = here.report(()).running
    assert (running.attempt_id, running.token, running.stage) == ("a1", "t1", Stage.EXECUTING)
    assert (running.progress, running.doing) == (0.25, "KSampler")


def test_what_an_order_is_doing_travels_clean_and_short() -> None:
    here = node()
    here.hand.progress(here.hand.accept("a1", "t1"), 0.5, "\0\udcb0" * 500)

    (running,) = here.report(()).running
    assert running.doing == "\ufffd" * 79 + "…"


def test_cancelling_what_is_not_in_hand_is_told() -> None:
    here = node()

    assert not here.hand.cancel("elsewhere")


def test_only_an_order_that_waits_can_be_asked_to_make_way() -> None:
    here = node()
    waits, executes = here.hand.accept("a1", "t1"), here.hand.accept("a2", "t2")
    here.hand.move(waits, Stage.STAGED)
    here.hand.move(executes, Stage.EXECUTING)

    assert [here.hand.unstage(name) for name in ("a1", "a2", "elsewhere")] == [True, False, False]
    assert (waits.unstaged.is_set(), executes.unstaged.is_set()) == (True, False)


def test_an_order_that_was_asked_too_late_is_not_given_up_on_its_second_try() -> None:
    here = node()
    order = here.hand.accept("a1", "t1")
    here.hand.unstage("a1")

    here.hand.move(order, Stage.EXECUTING)
    here.hand.move(order, Stage.STAGED)  # out of memory, once more

    assert not order.unstaged.is_set()


def test_a_node_says_what_it_hears() -> None:
    assert node().report(()).hears == (
        "canary",
        "unstage",
        "probe",
        "unsized",
        "numbered",
        "frames",
        "latents",
    )


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("what", "still_told"), [(STORE, ["runs", "young"]), ("the GPU's driver", None)])
def test_a_look_that_does_not_come_back_makes_deaf_and_gives_back_what_stands_at_the_store(
    what: str, still_told: list[str] | None
) -> None:
    clock = Clock()
    here = Node("gpu1", "celery@gpu1", clock=clock)
    here.sight, here.serve = node().sight, True
    for name, stage in (
        ("staging", Stage.ACCEPTED),
        ("storing", Stage.COLLECTING),
        ("runs", Stage.EXECUTING),
    ):
        here.hand.move(here.hand.accept(name, "t"), stage)

    with here.looking_at(what):
        clock.now = LOOK_S
        here.hand.accept("young", "t")
        assert here.standing()[0] is NodeState.BUSY

        clock.now = LOOK_S + 1
        state, reason = here.standing()
        assert (state, reason) == (NodeState.DEAF, f"{what} has not answered a look for 120 s")
        assert roads(here) == []
        told = [item.attempt_id for item in here.report(()).running]
        assert told == (still_told or ["staging", "storing", "runs", "young"])

    assert here.standing()[0] is NodeState.BUSY
    assert len(here.report(()).running) == 4
