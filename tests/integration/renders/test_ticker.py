"""The loop around dispatch and sweep goes on, whatever happens inside."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.db import OperationalError

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.projects.models import Project
from apps.renders import tasks
from apps.renders.models import Job, Lane
from apps.renders.services import bus, sweep, ticker
from apps.renders.services.dispatch import dispatch
from apps.renders.services.record import Recorded
from apps.renders.states import JobState
from farm.contracts import STORE_MARKER, ClaimRequest, to_json
from tests.farm_time import FarmTime
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import (
    again,
    dispatched,
    executing,
    lease_runs_out,
    node_falls_silent,
    press,
    store_away,
)

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("bus", "templates"),
]


def stale(*_: object) -> bool:
    raise OSError(116, "Stale file handle")


def run_ticker(monkeypatch: pytest.MonkeyPatch, turns: int) -> None:
    """Let a ticker run for this many turns, without its pauses."""
    monkeypatch.setattr(ticker, "BEAT_SECONDS", 0.0)
    left = iter(range(turns))
    ticker.Ticker(lambda: next(left, None) is None).run()


def test_the_ticker_survives_a_store_that_is_away(
    node24: Hand, film: Project, coordinator: User, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease_runs_out(executing(node24))
    monkeypatch.setattr(ticker, "give_grace", lambda now: None)
    waiting = press(film, coordinator, "plain_slate")
    with store_away():
        run_ticker(monkeypatch, turns=3)
    assert (again(waiting).state, again(waiting).free_retries) == (JobState.READY, 1)
    assert again(job).state == JobState.RUNNING
    Job.objects.filter(start_after__isnull=False).update(start_after=database_now())
    run_ticker(monkeypatch, turns=1)
    assert again(waiting).state == JobState.DISPATCHED


def test_a_ticker_that_leads_marks_the_store_as_soon_as_it_answers(
    artifact_root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ticker, "BEAT_SECONDS", 0.0)
    seen: list[bool] = []

    def turn() -> bool:
        seen.append((artifact_root / STORE_MARKER).exists())
        if len(seen) == 3:
            store.undo()
        return len(seen) > 4

    store = pytest.MonkeyPatch()
    store.setattr(FileSystemStorage, "exists", stale)
    try:
        ticker.Ticker(turn).run()
    finally:
        store.undo()

    assert seen == [False, False, False, True, True]
    said = [record.getMessage() for record in caplog.records]
    assert said.count("artifact store not marked, trying again") == 1, "said once, not every turn"
    assert "tick failed" not in said


def test_a_marker_that_goes_while_a_ticker_leads_is_not_replaced(
    artifact_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticker, "BEAT_SECONDS", 0.0)
    seen: list[bool] = []

    def turn() -> bool:
        seen.append((artifact_root / STORE_MARKER).exists())
        (artifact_root / STORE_MARKER).unlink(missing_ok=True)
        return len(seen) > 3

    ticker.Ticker(turn).run()

    assert seen == [False, True, False, False]


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), ValueError("nobody thought of this")])
def test_the_ticker_survives_a_tick_that_fails(
    node24: Hand, job: Job, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubles = [error]

    def sweep_later() -> int:
        if troubles:
            raise troubles.pop()
        return sweep.sweep()

    order = executing(node24)
    node24.writes_manifest(order)
    monkeypatch.setattr(ticker, "sweep", sweep_later)
    monkeypatch.setattr(ticker, "give_grace", lambda now: None)
    node_falls_silent()
    run_ticker(monkeypatch, turns=1)
    assert again(job).state == JobState.RUNNING
    run_ticker(monkeypatch, turns=1)
    assert again(job).state == JobState.SUCCEEDED


def turn(ticker_: ticker.Ticker) -> None:
    """Let a second pass for the ticker, and let it have its turn."""
    ticker_._swept = float("-inf")
    ticker_.tick()


def test_a_database_whose_clock_is_put_forward_gives_up_no_work(
    node24: Hand, job: Job, farm_time: FarmTime, caplog: pytest.LogCaptureFixture
) -> None:
    leading = ticker.Ticker(lambda: False)
    turn(leading)
    farm_time.passes(settings.LEASE_SECONDS + 1)  # the grace of a ticker that begins to lead
    node24.reports()
    order = executing(node24)
    turn(leading)
    caplog.clear()
    farm_time.passes(3_600)
    turn(leading)
    assert "the database's clock jumped" in caplog.text
    assert again(job).state == JobState.RUNNING
    node24.reports()
    farm_time.passes(settings.LEASE_SECONDS - 1)
    node24.reports()
    turn(leading)
    assert node24.finishes(order) is Recorded.DONE


def test_a_database_whose_clock_is_put_back_still_misses_a_node_that_dies(
    node24: Hand, job: Job, farm_time: FarmTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    leading = ticker.Ticker(lambda: False)
    turn(leading)
    executing(node24)
    farm_time.passes(-3_600)
    turn(leading)
    monkeypatch.setattr(ticker, "JUMP_SECONDS", 1e9)  # from here on time passes as it should
    farm_time.passes(settings.SILENCE_SECONDS + settings.LEASE_SECONDS + 1)
    turn(leading)
    assert again(job).state == JobState.READY


def test_the_ticker_waits_for_a_database_that_is_away(
    node24: Hand, job: Job, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away = [OperationalError("server closed the connection"), OperationalError("connection refused")]

    def dispatch_later(*_: object) -> int:
        if away:
            raise away.pop()
        return dispatch()

    monkeypatch.setattr(ticker, "dispatch", dispatch_later)
    run_ticker(monkeypatch, turns=3)
    assert not away
    said = [record.getMessage() for record in caplog.records if record.name == ticker.__name__]
    assert said.count("database is away, waiting for it") == 1, "said once, not every second"
    assert "tick failed" not in said
    assert again(job).state == JobState.DISPATCHED


def test_a_tick_that_takes_long_says_which_part_of_it_did(
    job: Job, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ticker, "LONG_SECONDS", 0.05)
    monkeypatch.setattr(ticker, "sweep", lambda: time.sleep(0.06))
    run_ticker(monkeypatch, turns=1)
    slow = [vars(record)["part"] for record in caplog.records if record.getMessage() == "tick is slow"]
    assert "_sweep" in slow


def test_a_granted_claim_wakes_the_ticker(node24: Hand, film: Project, coordinator: User, job: Job) -> None:
    order = dispatched(node24)
    pokes = bus.listen_for_pokes()
    assert pokes.get_message(timeout=5) is None, "the word that we listen"
    request = ClaimRequest(
        attempt_id=order.attempt_id, token=order.token, node=node24.name, epoch=node24.epoch
    )
    assert tasks.hear_claims([to_json(request)])[0]["granted"]
    assert pokes.get_message(timeout=5), "the claim woke nobody"


def test_what_goes_wrong_in_one_part_of_a_tick_keeps_no_other_from_its_work(
    node24: Hand, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease_runs_out(executing(node24))
    monkeypatch.setattr(ticker, "give_grace", lambda now: None)
    met: list[str] = []

    def fails(part: str) -> Callable[..., int]:
        def fail(*_: object) -> int:
            met.append(part)
            raise RuntimeError(part)

        return fail

    monkeypatch.setattr(ticker, "dispatch", fails("dispatch"))
    monkeypatch.setattr(ticker, "explain_waiting", fails("explain"))
    Lane.objects.update(active=False)
    run_ticker(monkeypatch, turns=1)
    assert {"dispatch", "explain"} <= set(met)
    assert again(job).state == JobState.READY, "its lease ran out"
    assert Lane.objects.get().active
