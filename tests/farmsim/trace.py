"""What is ordered, and when: traces made of a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tests.farmsim.models import models

MIXED: Final = ("sim_flux1_fp8", "sim_flux2_klein", "sim_qwen_image", "sim_wan22_i2v_4step", "sim_hunyuan15")
"""Five models. A card of 24 GB holds one of them, or the second beside the first or the last."""
SPREAD: Final = 0.25
"""Standard deviation of the logarithm of a render's seconds."""
POOL: Final = "hero"
TAG: Final = "fast-disk"
"""What orders with wishes may ask for, where the house has it."""
PRIORITIES: Final = {10: 0.85, 20: 0.1, 30: 0.05}
"""Priority classes, and the share of each."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """``count`` jobs, ``at`` seconds after the begin. ``seconds``: each one executes; None: the model's.

    ``then``: every second one is of that template, and starts from the one before. ``place``: the pool, the
    tags or the node asked for.
    """

    at: float
    project: str
    template: str
    count: int = 1
    priority: int = 10
    seconds: float | None = None
    then: str = ""
    place: Mapping[str, Any] = field(default_factory=dict)


def mixed(*, jobs: int, seed: int, templates: Sequence[str] = MIXED) -> list[str]:
    """Name a template for each of ``jobs`` jobs that all wait at t = 0, in a random order."""
    rng = random.Random(seed)
    weights = [1.0 / (1 + number) for number in range(len(templates))]
    return rng.choices(list(templates), weights, k=jobs)


def seconds_for(template: str, *, pace: float, rng: random.Random) -> float:
    """Draw how long one render takes, around the table's figure."""
    return models()[template].warm_s * pace * rng.lognormvariate(0, SPREAD)


def arrivals(
    *,
    jobs: int,
    over_s: float,
    seed: int,
    pace: float,
    projects: Sequence[str],
    templates: Sequence[str] = MIXED,
) -> list[Order]:
    """Spread ``jobs`` jobs over ``over_s`` seconds, in presses of 1 to 20 by several people."""
    rng = random.Random(seed)
    orders: list[Order] = []
    left = jobs
    while left:
        count = min(left, rng.choice((1, 2, 5, 10, 20)))
        left -= count
        template = rng.choice(list(templates))
        orders.append(
            Order(
                at=rng.uniform(0, over_s),
                project=rng.choice(list(projects)),
                template=template,
                count=count,
                priority=rng.choices(list(PRIORITIES), list(PRIORITIES.values()))[0],
                seconds=seconds_for(template, pace=pace, rng=rng),
            )
        )
    return sorted(orders, key=lambda order: order.at)


def with_wishes(orders: Sequence[Order], *, places: Sequence[Mapping[str, Any]], then: str) -> list[Order]:
    """Let orders ask for more, in turn: a place, another, ..., nothing, and a clip after each keyframe."""
    asked: list[Order] = []
    for number, order in enumerate(orders):
        turn = number % (len(places) + 2)
        if turn < len(places):
            asked.append(replace(order, place=places[turn]))
        elif turn == len(places) and order.count % 2 == 0:
            asked.append(replace(order, then=then))
        else:
            asked.append(order)
    return asked
