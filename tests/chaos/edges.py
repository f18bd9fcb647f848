"""Bring jobs to an edge of their way and keep them there until the fault has struck."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from apps.renders.models import Attempt
from apps.renders.states import AttemptState
from tests.chaos.studio import Studio

DONE = '"status": "SUCCESS"'


@dataclass(frozen=True)
class Standing:
    """Jobs at an edge. ``still`` asks database and files, which no fault here takes away."""

    jobs: list[UUID]
    still: Callable[[], bool]


def bring(studio: Studio, edge: str) -> Standing:
    """Submit work and return when it stands at ``edge``; ``studio.let_go()`` lets it go on.

    Where it is done without ever having been seen there, return all the same: it does not stand there.
    """
    standing = _ROADS[edge](studio)
    studio.until(
        lambda: standing.still() or all(map(studio.is_done, standing.jobs)),
        f"a job stands at {edge}",
        patience_s=30,
    )
    return standing


def bring_into_the_queue(studio: Studio) -> Standing:
    """An order that lies in the broker, as its node is away."""
    studio.take_away(studio.nodes[0])
    (job,) = studio.submit(1)
    studio.until(lambda: studio.farm.redis.llen("vram.8") == 1, "the order lies in its queue", patience_s=30)
    return Standing([job], lambda: studio.stands(job, AttemptState.DISPATCHED))


def _dispatched(studio: Studio) -> Standing:
    """The worker stands still; the order is in its queue, or in the worker's socket."""
    studio.send(studio.nodes[0], signal.SIGSTOP)
    (job,) = studio.submit(1)
    return Standing([job], lambda: studio.stands(job, AttemptState.DISPATCHED))


def _accepted(studio: Studio) -> Standing:
    """The claim is granted; neither spool nor ComfyUI know the prompt yet."""
    return _held(studio, "accepted", AttemptState.ACCEPTED)


def _staged(studio: Studio) -> Standing:
    """One job executes, one waits behind it in ComfyUI's queue, one waits in the database."""
    jobs = studio.submit(3)
    attempts = Attempt.objects.filter(job__in=jobs)

    def still() -> bool:
        states = set(attempts.values_list("state", flat=True))
        return {AttemptState.EXECUTING, AttemptState.STAGED} <= states

    return Standing(jobs, still)


def _executing(studio: Studio) -> Standing:
    (job,) = studio.submit(1)
    return Standing([job], lambda: studio.stands(job, AttemptState.EXECUTING))


def _collecting(studio: Studio) -> Standing:
    """ComfyUI is done; nothing is fetched yet."""
    return _held(studio, "collecting", AttemptState.COLLECTING)


def _stored(studio: Studio) -> Standing:
    """Files and manifest stand in the store; nobody has been told."""
    held = _held(studio, "stored", AttemptState.COLLECTING)
    (job,) = held.jobs

    def still() -> bool:
        attempt = studio.attempt(job)
        return held.still() and attempt is not None and studio.manifest(attempt).exists()

    attempt = studio.until(lambda: still() and studio.attempt(job), "the manifest stands", patience_s=30)
    assert DONE not in studio.result(attempt), "the result stands already"
    return Standing([job], still)


def _reported(studio: Studio) -> Standing:
    """The result stands in the backend; the coordinator, standing still, has not heard the bell."""
    (job,) = studio.submit(1)
    attempt = studio.until(lambda: _in_comfyui(studio, job), "ComfyUI has the prompt", patience_s=30)
    studio.send("coordinator", signal.SIGSTOP)
    studio.until(lambda: DONE in studio.result(attempt), "the result stands in the backend", patience_s=30)
    return Standing([job], lambda: not studio.has_take(job))


def _recorded(studio: Studio) -> Standing:
    """The take stands; the node has not yet been told that its report arrived."""
    studio.hold("recorded")
    (job,) = studio.submit(1)
    return Standing(
        [job],
        lambda: studio.has_take(job) and any(studio.unconfirmed(job)) and studio.is_held("recorded", job),
    )


def _in_comfyui(studio: Studio, job: UUID) -> Attempt | None:
    """The attempt whose claim was granted and answered, and whose prompt is sent."""
    attempt = studio.attempt(job)
    sent = (AttemptState.STAGED, AttemptState.EXECUTING)
    return attempt if attempt is not None and attempt.state in sent else None


def _held(studio: Studio, edge: str, state: AttemptState) -> Standing:
    studio.hold(edge)
    (job,) = studio.submit(1)
    return Standing([job], lambda: studio.is_held(edge, job) and studio.stands(job, state))


_ROADS: dict[str, Callable[[Studio], Standing]] = {
    "dispatched": _dispatched,
    "accepted": _accepted,
    "staged": _staged,
    "executing": _executing,
    "collecting": _collecting,
    "stored": _stored,
    "reported": _reported,
    "recorded": _recorded,
}
