"""Which finished reports travel with the next node report: all that nobody has confirmed, within bounds.

None keeps the others back: not one that is never confirmed, and not one that the coordinator cannot read.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection
from typing import Final

from farm.contracts import RenderReport
from workers.spool import Spool

logger = logging.getLogger(__name__)

MAX_FINISHED: Final = 50
"""Reports per message, so that a long outage does not make one message of everything."""

NEWEST: Final = 25
"""Of these, always the newest; the rest takes turns."""

WITHHELD_S: Final = 600.0
"""How long a report rests that the coordinator cannot read, or does not confirm: that may be mended."""

IN_VAIN: Final = 60
"""How often a report is told and answered without being confirmed before it rests: five minutes at least."""


class Outbox:
    """The unconfirmed reports of a spool. For one thread."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._most = MAX_FINISHED
        self._turn = 0
        self._rests: dict[str, float] = {}  # attempt -> until when its report is not told
        self._in_vain: Counter[str] = Counter()
        self._told: tuple[RenderReport, ...] = ()

    def choose(self) -> tuple[RenderReport, ...]:
        """Choose what travels now, oldest first: all, or the newest and some of the others in turn."""
        now = time.monotonic()
        self._told = self._in_turn(
            [report for report in self._spool.finished() if self._rests.get(report.attempt_id, now) <= now]
        )
        return self._told

    def answered(self, confirmed: Collection[str]) -> None:
        """The coordinator has read what was told, and has these: forget them."""
        self._spool.confirm(confirmed)
        self._most = min(2 * self._most, MAX_FINISHED)
        told, self._told = self._told, ()
        for attempt_id in confirmed:
            self._rests.pop(attempt_id, None)
            self._in_vain.pop(attempt_id, None)
        for report in told:
            if report.attempt_id not in confirmed:
                self._was_told_in_vain(report.attempt_id)

    def refused(self, why: str) -> bool:
        """The coordinator could not read the message: narrow down which report it was, and let it rest.

        One of an older version may not know a word in it. False: there was none in the message.
        """
        told, self._told = self._told, ()
        if len(told) == 1:
            logger.error(
                "coordinator cannot read a report", extra={"attempt": told[0].attempt_id, "error": why}
            )
            self._rest(told[0].attempt_id)
        self._most = max(1, len(told) // 2)
        return bool(told)

    def _was_told_in_vain(self, attempt_id: str) -> None:
        self._in_vain[attempt_id] += 1
        if self._in_vain[attempt_id] % IN_VAIN == 0:
            logger.error("report not confirmed, told more rarely", extra={"attempt": attempt_id})
            self._rest(attempt_id)

    def _rest(self, attempt_id: str) -> None:
        self._rests[attempt_id] = time.monotonic() + WITHHELD_S

    def _in_turn(self, finished: list[RenderReport]) -> tuple[RenderReport, ...]:
        if len(finished) <= self._most or self._most <= NEWEST:
            return tuple(finished[: self._most])
        others = finished[:-NEWEST]
        begin = self._turn % len(others)
        self._turn = begin + self._most - NEWEST
        chosen = {number % len(others) for number in range(begin, self._turn)}
        return (*(report for number, report in enumerate(others) if number in chosen), *finished[-NEWEST:])
