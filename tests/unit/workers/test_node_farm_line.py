"""What the line to the farm says of a network that fails, and what it does not say."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest

from tests.comfysim_fixture import free_port
from tests.unit.workers.facts import order
from workers import farm_line
from workers.attempt import Attempt
from workers.errors import StoreUnavailable
from workers.farm_line import FarmLine
from workers.node import Node


def test_the_words_of_a_broken_line_hold_no_grant(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(farm_line, "PATIENCE_S", 0.0)
    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(time, "monotonic", lambda: 20.0 * len(pauses))  # a pause and its patience
    line = FarmLine(f"http://127.0.0.1:{free_port()}", attempt_id="a1", key="k")
    grant = "g" * 40

    with caplog.at_level(logging.INFO), pytest.raises(StoreUnavailable, match="refused") as failed:
        list(line.download("input", {"key": "refs/a.png", "grant": grant}, size=1))

    assert pauses, "it was tried again, and said so"
    assert grant not in str(failed.value)
    assert grant not in "".join(
        str(vars(record)) for record in caplog.records if record.name == farm_line.__name__
    )
    # What the library itself says travels as the failure's detail.
    assert grant in failed.value.to_failure().detail
    report = attempt().failed(failed.value)
    assert grant not in str(report)


def attempt() -> Attempt:
    none: Any = None
    return Attempt(order(), node=Node("gpu1", "celery@gpu1"), client=none, store=none)
