"""The same trace without a dispatcher: whoever is free takes the oldest job. Affinity is compared with it."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

from tests.farmsim.gpu import Gpu
from tests.farmsim.models import models


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """How often models were loaded, and seconds until the last job was done."""

    loads: int
    makespan_s: float


def fifo(jobs: Sequence[tuple[str, float]], *, cards: Sequence[int], pace: float) -> Replayed:
    """Replay jobs (template and seconds), all waiting at t = 0, in order, on empty cards (GB)."""
    table = models()
    gpus = [Gpu(gb) for gb in cards]
    free = [(0.0, number) for number in range(len(gpus))]
    heapq.heapify(free)
    for template, seconds in jobs:
        at, number = heapq.heappop(free)
        loading = table[template].load_s * pace if gpus[number].load(table[template]) else 0.0
        heapq.heappush(free, (at + loading + seconds, number))
    return Replayed(loads=sum(gpu.loads for gpu in gpus), makespan_s=max(at for at, _ in free))


def least_loads(
    jobs: Sequence[tuple[str, float]], *, cards: Sequence[int], pace: float, makespan_s: float
) -> int:
    """No schedule that takes ``makespan_s`` or less loads less often.

    A card that works loads something first, and then renders for no longer than what is left of the
    makespan: so many cards must work that this adds up to all jobs. Each model is loaded somewhere, too.
    """
    each_s = makespan_s - min(models()[template].load_s * pace for template, _ in jobs)
    working = math.ceil(sum(seconds for _, seconds in jobs) / each_s)
    return max(min(working, len(cards)), len({template for template, _ in jobs}))


def least_makespan_s(jobs: Sequence[tuple[str, float]], *, cards: Sequence[int], pace: float) -> float:
    """No schedule is shorter, whatever it loads.

    Of u cards that work (at most all) each loads once or more, and one of them renders for the mean or
    longer: work / u + the quickest load is no less than with all cards. The longest job is loaded for, too.
    """
    loads = [models()[template].load_s * pace for template, _ in jobs]
    longest = max(seconds + load for (_, seconds), load in zip(jobs, loads, strict=True))
    return max(sum(seconds for _, seconds in jobs) / len(cards) + min(loads), longest)
