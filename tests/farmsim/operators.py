"""What operators do to a working farm: each deed must act at once, and lose nothing.

They are planned, dealt and proven as faults are (:mod:`tests.farmsim.strikes`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tests.farmsim.unstruck import NobodyBusy, Unstruck

if TYPE_CHECKING:
    from tests.farmsim.strikes import Striker

LOOK_S: Final = 0.5
REST_S: Final = 3.0
"""How long a node rests, or a project, while the rest of the farm works."""
PATIENCE_S: Final = 60.0


def node_drained(striker: Striker) -> None:
    """A node is drained in the midst of work, is empty in time, rests, and works again."""
    node, office = striker.busy_node(), striker.simulation.office
    office.ask("desire", node=node.name, desired="draining")
    began = time.monotonic()

    def look() -> None:
        if time.monotonic() - began > PATIENCE_S:
            raise Unstruck(f"{node.name} was drained and is not empty after {PATIENCE_S:g} s")
        if striker.fleet.do(lambda: bool(node.hand)) or time.monotonic() - began < REST_S:
            striker.after(LOOK_S, look)
            return
        office.ask("desire", node=node.name, desired="active")
        striker.proven("node drained")

    striker.after(LOOK_S, look)


def job_cancelled(striker: Striker) -> None:
    """A job is cancelled while it executes, its node lets go of it, no take is made; it is requeued."""
    node, office = striker.busy_node(), striker.simulation.office
    job = striker.fleet.do(lambda: _struck(striker, node))
    if not office.ask("cancel_job", job=job):
        striker.again("job cancelled")
        return
    began = time.monotonic()

    def look() -> None:
        state, takes, slots = office.ask("standing_of", job=job)
        if slots and time.monotonic() - began < PATIENCE_S:
            striker.after(LOOK_S, look)
            return
        if (state, takes, slots) != ("cancelled", 0, 0):
            raise Unstruck(f"a cancelled job is {state}, has {takes} takes and holds {slots} slots")
        office.ask("requeue_job", job=job)
        striker.proven("job cancelled")

    striker.after(LOOK_S, look)


def project_paused(striker: Striker) -> None:
    """A project is paused while its jobs wait: no node is given one, until it is resumed."""
    simulation = striker.simulation
    for project in striker.rng.sample(list(simulation.setting.projects), len(simulation.setting.projects)):
        if simulation.office.ask("waiting_of", project=project):
            break
    else:
        raise NobodyBusy
    since = simulation.office.ask("pause", project=project, paused=True)

    def resume() -> None:
        given = simulation.office.ask("given_since", project=project, since=since)
        waiting = simulation.office.ask("waiting_of", project=project)
        simulation.office.ask("pause", project=project, paused=False)
        if given:
            raise Unstruck(f"{given} jobs of {project} were given to nodes while it was paused")
        if waiting:
            striker.proven("project paused")
        else:
            striker.again("project paused")  # there was nothing to hold back

    striker.after(REST_S, resume)


def _struck(striker: Striker, node: Any) -> str:
    """A job that this node executes or is about to, which meets nothing else any more."""
    held = next(each for each in node.hand.values() if each.granted)
    striker.fleet.fates.again(held.fate)
    held.fate = None
    striker.fleet.fates.strike([held.order.job_id])
    job: str = held.order.job_id
    return job


DEEDS: Final[dict[str, Callable[[Striker], None]]] = {
    "node drained": node_drained,
    "job cancelled": job_cancelled,
    "project paused": project_paused,
}
