"""What a former life left is settled attempt by attempt, whatever each of them brings."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from farm.contracts import ComfyFact, RenderReport
from tests.unit.workers.facts import order
from workers import recover as recover_module
from workers.comfy.errors import Unreachable
from workers.comfy.standing import UNKNOWN, Standing
from workers.gpu import Reading
from workers.logs import attempt_lines
from workers.node import Node, Sight
from workers.recover import recover
from workers.spool import Started
from workers.station import Station

Lookup = Callable[[str], Standing]


class FakeStation:
    """A station whose ComfyUI answers lookups as told."""

    def __init__(self, lookup: Lookup) -> None:
        self.node = Node("gpu1", "celery@gpu1")
        self.node.sight = Sight(comfy=ComfyFact(reachable=True), reading=Reading(tier_gb=8))
        self.store = None
        self.full_disk = 0
        self.reports: list[RenderReport] = []
        self._lookup = lookup

    def client(self, _client_id: str) -> Any:
        return SimpleNamespace(lookup=self._lookup, close=lambda: None)

    def remember(self, report: RenderReport) -> bool:
        if self.full_disk:
            self.full_disk -= 1
            return False
        self.reports.append(report)
        return True

    def changed(self) -> None: ...

    def settles(self, *attempt_ids: str) -> list[tuple[str, str]]:
        """Recover these attempts and return each one with the code of its failure, as they were settled."""
        left = [Started(order=order(name), prompt_id=f"p-{name}") for name in attempt_ids]
        recover(cast(Station, self), left)
        return [(report.attempt_id, report.failure.code if report.failure else "") for report in self.reports]


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recover_module, "PAUSE_S", 0)


def test_an_error_nobody_foresaw_is_reported_and_the_next_attempt_has_its_turn() -> None:
    def lookup(prompt_id: str) -> Standing:
        if prompt_id == "p-a1":
            raise ZeroDivisionError("odd \udcb0")
        return UNKNOWN

    station = FakeStation(lookup)

    assert station.settles("a1", "a2") == [("a1", "node_error"), ("a2", "worker_restarted")]
    broken = station.reports[0]
    assert broken.failure is not None
    assert broken.failure.message == "ZeroDivisionError: odd \ufffd"
    assert broken.is_signed_with("key")


def test_one_that_cannot_be_settled_now_keeps_no_other_waiting() -> None:
    asked: list[str] = []

    def lookup(prompt_id: str) -> Standing:
        asked.append(prompt_id)
        if asked == ["p-a1"]:
            raise Unreachable("connection refused")
        return UNKNOWN

    assert [name for name, _ in FakeStation(lookup).settles("a1", "a2")] == ["a2", "a1"]


def test_a_report_that_the_disk_did_not_take_is_tried_again() -> None:
    station = FakeStation(lambda _: UNKNOWN)
    station.full_disk = 2

    assert [name for name, _ in station.settles("a1")] == ["a1"]


def test_what_could_not_be_logged_is_said_in_the_report_of_a_former_life() -> None:
    logger = logging.getLogger("workers")
    logger.addHandler(attempt_lines)
    try:
        station = FakeStation(lambda _: UNKNOWN)
        station.settles("a1")
    finally:
        logger.removeHandler(attempt_lines)

    (line,) = station.reports[0].log
    assert "former life" in line.message
    assert station.reports[0].is_signed_with("key")
