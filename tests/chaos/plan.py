"""Every scenario of ``make chaos``, as data. Those of a group share one farm and run one after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.farmsim.scenarios import SCENARIOS

EDGES: Final = (
    "dispatched",
    "accepted",
    "staged",
    "executing",
    "collecting",
    "stored",
    "reported",
    "recorded",
)
VICTIMS: Final = {
    "gpu-worker": "gpu8-sim",
    "comfyui": "comfyui-gpu8-sim",
    "coordinator": "coordinator",
    "ticker": "ticker",
    "web": "web",
    "broker": "broker",
}
"""What the issue calls it, and the supervisor's name for it."""

ALLOWED_RERENDERS: Final = {
    ("gpu-worker", "staged"): 1,
    ("gpu-worker", "executing"): 1,
    ("comfyui", "staged"): 1,
    ("comfyui", "executing"): 1,
}
"""Only what executed when its own worker or its own ComfyUI died may execute twice."""

POISONED: Final = ("vram.8", "node", "claims", "reports", "media")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """``play`` names the function of :mod:`tests.chaos.play`; ``target`` a program or a queue."""

    name: str
    play: str
    target: str = ""
    edge: str = ""
    may_rerender: int = 0


@dataclass(frozen=True, kw_only=True)
class Group:
    """One farm: a node per entry of ``vram`` (GB), and what happens to it.

    A keyframe takes 20 steps of ``step_s``: long enough to be struck while it executes. ``simulated``: its
    nodes are simulated, and its scenarios are those of :mod:`tests.farmsim.scenarios`, each on its own farm.
    """

    name: str
    scenarios: tuple[Scenario, ...]
    vram: tuple[int, ...] = (8,)
    step_s: float = 0.15
    simulated: bool = False


def simulated(name: str, *patterns: str) -> Group:
    """Scenarios of the farm simulator whose names contain one of these."""
    names = [each.name for each in SCENARIOS if any(pattern in each.name for pattern in patterns)]
    return Group(
        name=name,
        scenarios=tuple(Scenario(name=each, play="simulated") for each in names),
        simulated=True,
    )


def kills(victim: str, *, step_s: float = 0.15) -> Group:
    """SIGKILL of one process at every edge."""
    return Group(
        name=f"kill {victim}",
        step_s=step_s,
        scenarios=tuple(
            Scenario(
                name=f"kill {victim} @ {edge}",
                play="kill",
                target=VICTIMS[victim],
                edge=edge,
                may_rerender=ALLOWED_RERENDERS.get((victim, edge), 0),
            )
            for edge in EDGES
        ),
    )


GROUPS: Final = (
    kills("gpu-worker", step_s=0.3),  # what it left must still execute when it is back
    kills("broker"),
    simulated("simulated nodes", "attempts", "nodes"),
    simulated("simulated farms", "broker", "database"),
    simulated("simulated house", "house"),
    Group(
        name="stop",
        vram=(8, 12),
        scenarios=tuple(
            Scenario(name=f"stop gpu-worker past its lease, {when}", play=play, may_rerender=1)
            for when, play in (
                ("resumed while another renders", "stop_and_resume_early"),
                ("resumed after another finished", "stop_and_resume_late"),
            )
        ),
    ),
    Group(
        name="away",
        vram=(8, 12),
        scenarios=(Scenario(name="broker away 60 s", play="broker_away", target="broker"),),
    ),
    Group(
        name="flushall",
        scenarios=tuple(Scenario(name=f"flushall @ {edge}", play="flush", edge=edge) for edge in EDGES),
    ),
    Group(
        name="broker",
        scenarios=tuple(
            Scenario(name=f"broker {what} @ executing", play=play, edge="executing")
            for what, play in (("out of memory", "fill_broker"), ("connections cut", "cut_connections"))
        ),
    ),
    kills("comfyui"),
    kills("coordinator"),
    kills("ticker"),
    kills("web"),
    Group(
        name="poison",
        scenarios=tuple(
            Scenario(name=f"malformed items in {queue}", play="poison", target=queue) for queue in POISONED
        ),
    ),
)
"""The longest first, so that the last farm to stop is a short one."""
