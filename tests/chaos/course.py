"""The course of one scenario: jobs stand at an edge, a fault strikes there, work goes on, and is judged."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from uuid import UUID

from apps.renders.states import AttemptState
from tests.chaos import verdict
from tests.chaos.edges import Standing
from tests.chaos.line import LONGEST_RECOVERY_S, Verdict
from tests.chaos.plan import Scenario
from tests.chaos.studio import Overdue, Studio

TRIES: Final = 3
"""Edges that are not held are quick: a strike beside one is tried again, and never counts."""

ON_GPU: Final = (AttemptState.EXECUTING, AttemptState.COLLECTING, AttemptState.SUCCEEDED)


class Missed(AssertionError):
    """No job stood at the edge when the fault struck."""


@dataclass
class Course:
    """``attempts``: the jobs that were struck in flight, and the number of the attempt that was."""

    studio: Studio
    scenario: Scenario
    jobs: list[UUID] = field(default_factory=list)
    attempts: dict[UUID, int] = field(default_factory=dict)
    struck_at: float = 0.0
    faults: int = 0
    misses: int = 0
    recovery_s: float | None = None

    def strike(self, bring: Callable[[], Standing], fault: Callable[[], None]) -> None:
        """Inject a fault while jobs stand at an edge, before and after. Raises Missed."""
        for _ in range(TRIES):
            standing = bring()
            self.jobs += standing.jobs
            if not standing.still():
                self._overcome()
                continue
            self.is_struck()
            fault()
            if standing.still():
                return
            self.misses += 1
            self._overcome()
        raise Missed(f"no job stood at {self.scenario.edge} when the fault struck, {TRIES} times")

    def is_struck(self) -> None:
        """Recovery counts from now."""
        newest = filter(None, map(self.studio.attempt, self.jobs))
        self.attempts = {attempt.job_id: attempt.number for attempt in newest}
        self.struck_at = time.monotonic()

    def moves(self) -> None:
        """Wait until everything that was struck has got on."""
        for job in self.attempts:
            self.studio.until(partial(self._has_moved, job), "the struck jobs get on", patience_s=120)
        self._recovered(self.struck_at)

    def work_goes_on(self) -> None:
        """Wait until what was struck gets on, and until it and a fresh job are done."""
        asked = time.monotonic()
        self.jobs += self.studio.submit(1)
        if self.recovery_s is None:
            self.moves()
        for job in self.jobs:
            self.studio.until(partial(self.studio.is_done, job), "the jobs are done", patience_s=120)
        self._recovered(asked)

    def judged(self, trouble: str) -> Verdict:
        """Count, and say what was wrong on stderr."""
        rerendered = verdict.rerendered(self.studio, self.jobs)
        lost, doubled = verdict.lost(self.jobs), verdict.doubled(self.jobs)
        wrong = [trouble] if trouble else []
        if not self.faults:
            wrong.append("no fault was proven")
        if lost or doubled:
            wrong.append(f"{lost} jobs lost, {doubled} doubled")
        if rerendered > (most := self.scenario.may_rerender * (1 + self.misses)):
            wrong.append(f"{rerendered} prompts executed again, at most {most} expected")
        if self.recovery_s is None or self.recovery_s >= LONGEST_RECOVERY_S:
            wrong.append(f"recovery took {self.recovery_s} s, below {LONGEST_RECOVERY_S:g} s expected")
        for sentence in wrong:
            say(f"{self.scenario.name}: {sentence}")
        return Verdict(
            scenario=self.scenario.name,
            faults_injected=self.faults,
            jobs=len(self.jobs),
            lost=lost,
            doubled=doubled,
            rerendered=rerendered,
            recovery_s_max=self.recovery_s,
            ok=not wrong,
        )

    def nothing_is_left(self) -> None:
        """Wait until slots, prompts, spools and queues are empty and no process is nobody's."""
        try:
            self.studio.until(
                lambda: not verdict.leftovers(self.studio), "nothing is left behind", patience_s=20
            )
        except Overdue as exc:
            raise Overdue(f"{exc}: {'; '.join(verdict.leftovers(self.studio))}") from exc

    def _overcome(self) -> None:
        """Let a strike beside the edge be overcome, so that it can be tried again."""
        self.studio.let_go()
        for job in self.jobs:
            self.studio.until(partial(self.studio.is_done, job), "a missed strike is overcome")
        self.studio.forget_deaths()
        self.studio.until(self.studio.all_serve, "every node serves")

    def _has_moved(self, job: UUID) -> bool:
        attempt = self.studio.attempt(job)
        again = attempt is not None and attempt.number > self.attempts[job] and attempt.state in ON_GPU
        return again or self.studio.has_take(job)

    def _recovered(self, since: float) -> None:
        self.recovery_s = round(max(self.recovery_s or 0.0, time.monotonic() - since), 1)


def say(words: str) -> None:
    """Tell the person at the terminal; stdout is for verdicts."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {words}\n")
