"""What may happen to one attempt at its node, and who meets which fate, decided by a seed beforehand."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final


class Fate(StrEnum):
    """What goes wrong with one attempt. Each job meets one at most, so every job can end well."""

    LOST_CLAIM_REPLY = "lost claim reply"
    LOST_BELL = "lost bell"
    LOST_RESULT = "lost result"  # no result, no bell, no spool: the manifest alone
    DUPLICATE = "duplicate report"
    REORDERED = "reordered reports"
    FORGED = "forged report"
    STALE_ORDER = "stale order"
    OUT_OF_MEMORY = "out of memory"
    COMFY_CRASH = "comfy crash"
    OUTPUT_INVALID = "invalid output"
    MISSING_FILES = "missing files"
    STORE_FULL = "full store"


AT_THE_END: Final = frozenset(
    {
        Fate.LOST_BELL,
        Fate.LOST_RESULT,
        Fate.DUPLICATE,
        Fate.REORDERED,
        Fate.FORGED,
        Fate.STALE_ORDER,
        Fate.MISSING_FILES,
    }
)
"""Those that strike attempts which succeeded."""


class Fates:
    """Deals fates to the attempts as they arrive. The same seed deals the same in the same order."""

    def __init__(self, wanted: Mapping[Fate, int], *, arrivals: int, seed: int) -> None:
        """``arrivals``: how many attempts are expected at least; each fate is dealt among these."""
        fates = [fate for fate, count in sorted(wanted.items()) for _ in range(count)]
        if len(fates) > arrivals:
            raise ValueError(f"{len(fates)} fates for {arrivals} attempts; order more jobs or fewer faults")
        rng = random.Random(seed)
        rng.shuffle(fates)
        self._due = dict(zip(sorted(rng.sample(range(arrivals), len(fates))), fates, strict=True))
        self._waiting: list[Fate] = []
        self._arrived = 0
        self._struck: set[str] = set()
        self.proven: Counter[str] = Counter()

    def deal(self, job_id: str, impossible: Sequence[Fate] = ()) -> Fate | None:
        """Return what happens to the next attempt. A fate impossible for it waits for another one."""
        if self._arrived in self._due:
            self._waiting.append(self._due[self._arrived])
        self._arrived += 1
        if job_id in self._struck:
            return None
        fate = next((fate for fate in self._waiting if fate not in impossible), None)
        if fate is not None:
            self._waiting.remove(fate)
            self._struck.add(job_id)
        return fate

    def again(self, fate: Fate | None) -> None:
        """This attempt ended before its fate could strike: deal it to another."""
        if fate is not None:
            self._waiting.append(fate)

    def strike(self, job_ids: Sequence[str]) -> None:
        """Something else happens to these jobs: deal them nothing any more."""
        self._struck.update(job_ids)

    def is_struck(self, job_id: str) -> bool:
        """Whether something happens or happened to this job."""
        return job_id in self._struck

    def happened(self, fate: str) -> None:
        """Count what was seen to happen."""
        self.proven[str(fate)] += 1


NOTHING: Final = Fates({}, arrivals=0, seed=0)
