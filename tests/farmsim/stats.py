"""What a simulation saw: counts, times, and how soon work went on after each strike."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Strike:
    """A fault that hit a job (``job_id``), or everything ("")."""

    what: str
    job_id: str
    at: float
    recovered_s: float | None = None


@dataclass
class Stats:
    """Written by the event loop. Times are seconds since 1970, by job id."""

    counts: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    started: dict[str, float] = field(default_factory=dict)
    executions: Counter[str] = field(default_factory=Counter)
    """How often each job executed, to its end or not."""
    confirmed: dict[str, float] = field(default_factory=dict)
    strikes: list[Strike] = field(default_factory=list)
    loads: int = 0
    deepest: int = 0
    samples: int = 0
    too_deep: list[tuple[int, int]] = field(default_factory=list)
    """Depth of the queues and free places, where the first was larger."""

    def struck(self, what: str, job_id: str) -> None:
        """Something hit a job; it has recovered when that job gets on."""
        self.strikes.append(Strike(what, job_id, time.time()))

    def struck_all(self, what: str) -> None:
        """Something hit the whole farm; it has recovered when a job that was sent later is claimed."""
        self.struck(what, "")

    def moved(self, job_id: str, *, sent_at: float = 0.0) -> None:
        """This job was claimed, by an attempt that was ``sent_at``; or its success is confirmed."""
        now = time.time()
        for strike in self.strikes:
            everything = not strike.job_id and sent_at > strike.at
            if strike.recovered_s is None and (everything or strike.job_id == job_id):
                strike.recovered_s = now - strike.at

    def sampled(self, depth: int, places: int) -> None:
        """Note how much lay in the queues beside the nodes' free places."""
        self.samples += 1
        self.deepest = max(self.deepest, depth)
        if depth > places:
            self.too_deep.append((depth, places))
