"""An order that this node already knows is refused before Celery counts, announces or stores anything."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from workers import deliveries, station


class Door:
    """Celery's own way in, and what came through it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *known: str) -> None:
        self.taken: list[Any] = []
        self.acknowledged: list[str] = []
        monkeypatch.setattr(
            deliveries, "default", lambda *_: lambda message, *_rest: self.taken.append(message)
        )
        monkeypatch.setattr(station, "current", lambda: SimpleNamespace(knows=lambda name: name in known))
        self._receive = deliveries.once(None, None, SimpleNamespace(connection_errors=()))

    def deliver(self, attempt_id: str) -> Any:
        message = SimpleNamespace(headers={"id": attempt_id, "task": "shotfarm.render"})
        self._receive(message, None, lambda *_: self.acknowledged.append(attempt_id), None, ())
        return message


def test_a_new_order_is_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(monkeypatch, "other")

    message = door.deliver("a1")

    assert (door.taken, door.acknowledged) == ([message], [])


def test_an_order_that_is_known_is_acknowledged_and_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(monkeypatch, "a1")

    door.deliver("a1")

    assert (door.taken, door.acknowledged) == ([], ["a1"])
