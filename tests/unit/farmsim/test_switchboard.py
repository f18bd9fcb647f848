from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.farmsim.node import SimNode
from tests.farmsim.switchboard import Switchboard


@dataclass(eq=False)
class Listener:
    """As much of a node as the switchboard sees."""

    name: str
    tier_gb: int
    tier_kind: str = "both"
    alive: bool = True
    frozen: bool = False
    took_frozen: bool = False
    changes: list[int] = field(default_factory=list)

    @property
    def own_queue(self) -> str:
        return f"node.{self.name}.e1"


class Board:
    """A switchboard, and how often it said that something changed."""

    def __init__(self) -> None:
        self.changes = 0
        self.board = Switchboard(self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def place(self, listener: Listener, **state: Any) -> Listener:
        for name, value in state.items():
            setattr(listener, name, value)
        self.board.place(cast(SimNode, listener))
        return listener

    def taker(self, queue: str) -> object:
        return self.board.taker(queue)


@pytest.fixture
def board() -> Board:
    return Board()


def test_an_idle_node_hears_its_tier_and_all_below_the_largest_first(board: Board) -> None:
    board.place(Listener("a", 16))
    assert board.board.queues() == (
        "node.a.e1",
        *("vram.16", "vram.16.next", "vram.12", "vram.12.next", "vram.8", "vram.8.next"),
        *("vram.0", "vram.0.next"),
    )


def test_a_busy_node_takes_what_is_to_be_staged_only(board: Board) -> None:
    node = board.place(Listener("a", 8), tier_kind="next")
    assert board.board.queues() == ("node.a.e1", "vram.8.next", "vram.0.next")
    assert board.taker("vram.8") is None
    assert board.taker("vram.8.next") is node


def test_a_node_with_an_order_staged_hears_its_own_queue_only(board: Board) -> None:
    node = board.place(Listener("a", 8), tier_kind="")
    assert board.board.queues() == ("node.a.e1",)
    assert board.taker("node.a.e1") is node


def test_who_has_listened_longest_takes_the_order(board: Board) -> None:
    large, small = board.place(Listener("large", 48)), board.place(Listener("small", 8))
    assert board.taker("vram.8") is large
    board.place(large, tier_kind="next")
    board.place(large, tier_kind="both")
    assert board.taker("vram.8") is small
    assert board.taker("vram.48") is large


def test_a_small_node_takes_nothing_that_needs_more(board: Board) -> None:
    board.place(Listener("small", 8))
    assert board.taker("vram.12") is None


def test_a_dead_node_hears_nothing(board: Board) -> None:
    node = board.place(Listener("a", 8))
    board.place(node, alive=False, tier_kind="")
    assert board.board.queues() == ()
    assert board.taker("node.a.e1") is None


def test_a_stopped_node_has_one_read_in_flight(board: Board) -> None:
    node = board.place(Listener("a", 8), frozen=True, tier_kind="")
    assert board.taker("node.a.e1") is node
    board.place(node, took_frozen=True)
    assert board.taker("node.a.e1") is None


def test_only_changes_are_told(board: Board) -> None:
    node = board.place(Listener("a", 8))
    board.place(node)
    assert board.changes == 1
