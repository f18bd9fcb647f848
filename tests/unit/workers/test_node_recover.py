"""What a former life left is settled attempt by attempt, whatever each of them brings."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from farm.contracts import ComfyFact, Outcome, RenderReport, to_json
from tests.unit.workers.facts import order, report
from workers import recover as recover_module
from workers.comfy.errors import Interrupted, Unreachable
from workers.comfy.standing import RUNNING, UNKNOWN, Ending, Standing, State
from workers.errors import StoreUnavailable
from workers.gpu import Reading
from workers.logs import attempt_lines
from workers.node import Node, Sight
from workers.recover import recover
from workers.spool import Started
from workers.station import Station

Lookup = Callable[[str], Standing]


class FakeStation:
    """A station whose ComfyUI answers lookups as told."""

    def __init__(self, lookup: Lookup, cancel: Callable[[str], bool] = lambda _: True) -> None:
        self.node = Node("gpu1", "celery@gpu1")
        self.node.sight = Sight(comfy=ComfyFact(reachable=True), reading=Reading(tier_gb=8))
        self.kept: list[str] = []
        self.away = 0
        self.manifests: dict[str, RenderReport] = {}
        store = SimpleNamespace(
            write=lambda _, key: self.kept.append(key), require=self._require, reading=self._reading
        )
        self.store = SimpleNamespace(of=lambda _order: store)
        self.full_disk = 0
        self.reports: list[RenderReport] = []
        self._lookup = lookup
        self._cancel = cancel

    def _require(self) -> None:
        if self.away:
            self.away -= 1
            raise StoreUnavailable("is it mounted?")

    @contextmanager
    def _reading(self, key: str) -> Iterator[io.BytesIO]:
        if key not in self.manifests:
            raise FileNotFoundError(key)
        yield io.BytesIO(json.dumps(to_json(self.manifests[key])).encode())

    def client(self, _client_id: str) -> Any:
        return SimpleNamespace(lookup=self._lookup, cancel=self._cancel, close=lambda: None)

    def remember(self, report: RenderReport) -> bool:
        if self.full_disk:
            self.full_disk -= 1
            return False
        self.reports.append(report)
        return True

    def changed(self) -> None: ...

    def settles(self, *attempt_ids: str) -> list[tuple[str, str]]:
        """Recover these attempts and return each one with the code of its failure, as they were settled."""
        left = [Started(order=order(name), prompt_id=f"p-{name}", epoch="e7") for name in attempt_ids]
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

    assert station.settles("a0", "a1") == [("a1", "node_error"), ("a0", "worker_restarted")]
    broken = station.reports[0]
    assert broken.failure is not None
    assert broken.failure.message == "ZeroDivisionError: odd \ufffd"
    assert broken.is_signed_with("key")
    assert {report.epoch for report in station.reports} == {"e7"}, "the life in which the order came"


def test_one_that_cannot_be_settled_now_keeps_no_other_waiting() -> None:
    asked: list[str] = []

    def lookup(prompt_id: str) -> Standing:
        asked.append(prompt_id)
        if asked == ["p-a2"]:
            raise Unreachable("connection refused")
        return UNKNOWN

    assert [name for name, _ in FakeStation(lookup).settles("a1", "a2")] == ["a1", "a2"]


def test_what_waits_in_comfyui_is_taken_out_before_what_runs_so_that_it_never_starts() -> None:
    assert [name for name, _ in FakeStation(lambda _: UNKNOWN).settles("runs", "waits")] == ["waits", "runs"]


def test_a_report_that_the_disk_did_not_take_is_tried_again() -> None:
    station = FakeStation(lambda _: UNKNOWN)
    station.full_disk = 2

    assert [name for name, _ in station.settles("a1")] == ["a1"]


def test_a_prompt_that_still_runs_is_stopped_before_its_attempt_is_reported() -> None:
    answers = [False, False, True]
    station = FakeStation(lambda _: RUNNING, lambda _: answers.pop(0))

    assert station.settles("a1") == [("a1", "worker_restarted")]
    assert (answers, station.node.sick) == ([], "")


def test_a_prompt_that_succeeds_although_it_was_to_stop_is_finished_work() -> None:
    standings = [RUNNING, Standing(state=State.DONE, ending=Ending.SUCCEEDED, executed_s=2.0)]
    station = FakeStation(lambda _: standings.pop(0))

    assert station.settles("a1") == [("a1", "")]
    assert station.reports[0].outcome == Outcome.SUCCEEDED
    assert station.kept == ["attempts/a1/manifest.json"]


DONE = Standing(state=State.DONE, ending=Ending.SUCCEEDED, executed_s=2.0)


def test_what_was_rendered_waits_for_a_store_that_is_away_and_is_not_thrown_away() -> None:
    station = FakeStation(lambda _: DONE)
    station.away = 3

    assert station.settles("a1") == [("a1", "")]
    assert (station.away, station.reports[0].outcome) == (0, Outcome.SUCCEEDED)


def test_what_was_rendered_waits_for_room_on_the_nodes_own_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    station, looks = FakeStation(lambda _: DONE), list[float]()
    station.node.sight = replace(station.node.sight, disks="the scratch disk is full")

    def pause(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            station.node.sight = replace(station.node.sight, disks="")

    monkeypatch.setattr(time, "sleep", pause)
    assert station.settles("a1") == [("a1", "")]
    assert len(looks) == 3


def test_a_report_that_the_disk_does_not_take_is_not_collected_again_for_it() -> None:
    station = FakeStation(lambda _: DONE)
    station.full_disk = 5

    assert station.settles("a1") == [("a1", "")]
    assert (station.full_disk, len(station.kept)) == (0, 1)


def test_a_prompt_that_was_interrupted_is_the_restarts_fault() -> None:
    stopped = Standing(state=State.DONE, ending=Ending.INTERRUPTED, error=Interrupted("stopped"))
    standings = [RUNNING, stopped]

    assert FakeStation(lambda _: standings.pop(0)).settles("a1") == [("a1", "worker_restarted")]


def test_a_prompt_that_cannot_be_stopped_makes_the_node_sick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recover_module, "INTERRUPT_S", 0)
    station = FakeStation(lambda _: RUNNING, lambda _: False)

    assert station.settles("a1") == [("a1", "worker_restarted")]
    assert station.node.sick == "ComfyUI is still busy with attempt a1 of a former life"


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


@pytest.mark.parametrize("standing", [UNKNOWN, DONE])
def test_what_the_former_life_had_stored_whole_counts_whatever_comfyui_has_forgotten(
    standing: Standing,
) -> None:
    station = FakeStation(lambda _: standing)
    stored = report("a1").signed("key")
    station.manifests["attempts/a1/manifest.json"] = stored

    assert station.settles("a1") == [("a1", "")]
    assert station.reports == [stored]
    assert station.kept == [], "it is not collected again"


def test_a_manifest_that_this_order_did_not_sign_counts_nothing() -> None:
    station = FakeStation(lambda _: UNKNOWN)
    station.manifests["attempts/a1/manifest.json"] = report("a1").signed("another key")

    assert station.settles("a1") == [("a1", "worker_restarted")]
