"""The farm's one clock, in the hand of a test: it stands still until the test lets time pass."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

import pytest

from apps.common import clock


class FarmTime:
    """Stands in for :func:`apps.common.clock.database_now`; each look at it takes a millisecond."""

    def __init__(self) -> None:
        self.start = self._now = clock.database_now()

    def __call__(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now

    def passes(self, seconds: float) -> None:
        """Let this much time pass at once."""
        self._now += timedelta(seconds=seconds)

    def begins_again(self) -> None:
        """Go back to the beginning, for the next example."""
        self._now = self.start


@pytest.fixture
def farm_time(db: None, monkeypatch: pytest.MonkeyPatch) -> FarmTime:
    """Every module that asks the database for the time hears this clock instead."""
    real, farm_time = clock.database_now, FarmTime()
    loaded = list(sys.modules.values())
    askers = [module for module in loaded if getattr(module, "database_now", None) is real]
    assert len(askers) > 10, "nobody asks for the time: the fake would change nothing"
    for module in askers:
        monkeypatch.setattr(module, "database_now", farm_time)
    return farm_time
