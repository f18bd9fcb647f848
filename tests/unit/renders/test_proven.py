"""Among nodes that fit, those that have proven a version come first, and those that failed it last."""

from __future__ import annotations

import pytest

from apps.nodes.models import Node
from apps.renders.scheduling.demand import Waiting
from apps.renders.scheduling.match import Pick
from apps.renders.scheduling.proven import Proven
from tests.unit.renders.farm_on_paper import Farm, in_hand, lane, node


def said(work: Waiting, *, yes: tuple[Node, ...] = (), no: tuple[Node, ...] = ()) -> Proven:
    version = work.lane.template_version_id
    return Proven.of([(version, one.pk, True) for one in yes] + [(version, one.pk, False) for one in no])


def names(picks: list[Pick]) -> list[str]:
    return [pick.seat.name for pick in picks]


@pytest.mark.parametrize("proven", ["a", "b", "c"])
def test_of_idle_nodes_the_one_that_has_proven_it_is_given_it_by_its_own_queue(proven: str) -> None:
    nodes = {name: node(24, name) for name in "abc"}
    work = lane()
    [pick] = Farm(list(nodes.values()), [work], proven=said(work, yes=(nodes[proven],))).match()
    assert (pick.seat.name, pick.road.node_id) == (proven, nodes[proven].pk)


def test_work_is_not_kept_waiting_for_a_node_that_has_proven_it() -> None:
    idle, proven = node(24, "a"), node(24, "b")
    work = lane()
    farm = Farm([idle, proven], [work], held=[in_hand(proven, lane())], proven=said(work, yes=(proven,)))
    assert names(farm.match()) == ["a"]


def test_loaded_models_count_more() -> None:
    warm, proven = node(24, "a", resident=["unet/x"]), node(24, "b")
    work = lane(models=["unet/x"])
    assert names(Farm([warm, proven], [work], proven=said(work, yes=(proven,))).match()) == ["a"]


def test_a_card_that_larger_work_waits_for_is_not_taken_for_having_proven_small_work() -> None:
    small, large = node(8, "small"), node(24, "large")
    work, larger = lane(8, age_s=60), lane(24)
    picks = Farm([small, large], [work, larger], proven=said(work, yes=(large,))).match()
    assert {(pick.waiting is larger, pick.seat.name) for pick in picks} == {(False, "small"), (True, "large")}


def test_where_it_failed_for_good_it_does_not_go_while_another_node_is_there_be_that_one_busy() -> None:
    failed, other = node(24, "a"), node(24, "b")
    work = lane()
    busy = [in_hand(other, lane()), in_hand(other, lane())]
    assert names(Farm([failed, other], [work], held=busy, proven=said(work, no=(failed,))).match()) == []
    assert names(Farm([failed, other], [work], proven=said(work, no=(failed,))).match()) == ["b"]


def test_where_it_failed_everywhere_it_is_tried_all_the_same() -> None:
    failed = node(24, "a")
    work = lane()
    assert names(Farm([failed], [work], proven=said(work, no=(failed,))).match()) == ["a"]


def test_another_version_says_nothing() -> None:
    failed, other = node(24, "a"), node(24, "b")
    work = lane()
    assert names(Farm([failed, other], [work], proven=said(lane(), no=(failed,), yes=(other,))).match()) == [
        "a"
    ]
