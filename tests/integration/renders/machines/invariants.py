"""What must be true of jobs, attempts and takes after every step, whatever was said, lost or repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from apps.common.models import StateEvent
from apps.nodes.selectors import serving
from apps.renders.models import Attempt, Job, JobDependency
from apps.renders.selectors import slots_in_use
from apps.renders.states import ATTEMPT_OPEN, IN_FLIGHT, JobState
from apps.renders.waiting import reason_of
from apps.renders.waitsentences import SENTENCES
from apps.review.models import Take
from farm.contracts import RenderReport
from farm.tiers import TIERS_GB, next_queue_for, queue_for


def takes_are_what_succeeded() -> None:
    """One take per job that succeeded, none for any other: not for a cancelled one either."""
    takes = list(Take.objects.values_list("job_id", flat=True))
    twice = [job for job, count in Counter(takes).items() if count > 1]
    assert not twice, f"jobs with two takes: {twice}"
    succeeded = set(Job.objects.filter(state=JobState.SUCCEEDED).values_list("pk", flat=True))
    assert set(takes) == succeeded, f"takes of {set(takes)}, but {succeeded} succeeded"


def each_job_has_one_current_attempt() -> None:
    """In flight: one open attempt, under the job's own token. Else: no token, and no attempt is open."""
    attempts: dict[UUID, list[str]] = {}
    open_ones = Attempt.objects.filter(state__in=ATTEMPT_OPEN).order_by()
    for job, token in open_ones.values_list("job_id", "token"):
        attempts.setdefault(job, []).append(token)
    for job, code, state, token in Job.objects.order_by().values_list("pk", "code", "state", "token"):
        expected = [token] if state in IN_FLIGHT else []
        assert bool(token) == (state in IN_FLIGHT), f"{code} is {state} under the token {token!r}"
        assert attempts.get(job, []) == expected, f"{code} is {state} with {len(attempts.get(job, []))} open"


def success_was_verified(told: Iterable[StateEvent], genuine: set[str]) -> None:
    """No attempt came to SUCCEEDED but by a report of its own node, with its files in the store.

    And whatever the table of moves says, no job that is cancelled.
    """
    for event in told:
        recorded = (event.machine, event.from_state, event.to_state)
        assert recorded != ("job", "cancelled", "succeeded"), f"cancelled job {event.subject} got its take"
        if event.machine == "attempt" and event.to_state == "succeeded":
            assert str(event.subject) in genuine, f"attempt {event.subject} succeeded, and nobody rendered it"


def what_has_its_manifest_is_not_lost(told: Iterable[StateEvent], manifests: set[str]) -> None:
    """Nobody gives an attempt up whose manifest stands in the store: it alone rebuilds a lost report."""
    for event in told:
        lost = event.machine == "attempt" and event.to_state == "lost" and str(event.subject) in manifests
        assert not lost, f"attempt {event.subject} is lost, and its manifest stands"


def blocked_jobs_name_their_reason() -> None:
    """A blocked job says which job it waits for."""
    blocked = Job.objects.filter(state=JobState.BLOCKED).values_list("code", "wait_code")
    silent = [code for code, reason in blocked if reason not in ("depends", "depends_failed")]
    assert not silent, f"{silent} are blocked and do not say why"


def nothing_starts_before_what_it_waits_for() -> None:
    """What is in flight or has a take comes after jobs that succeeded, all of them."""
    begun = JobDependency.objects.filter(job__state__in=[*IN_FLIGHT, JobState.SUCCEEDED])
    early = begun.exclude(depends_on__state=JobState.SUCCEEDED).values_list("job__code", flat=True)
    assert not early, f"{list(early)} went before what they wait for"


def nothing_renders_on_too_small_a_card() -> None:
    """No node has an order of a larger tier than its own."""
    held = slots_in_use().exclude(node=None).values_list("job__code", "tier_gb", "node__tier_gb")
    small = [code for code, wanted, has in held if has is not None and has < wanted]
    assert not small, f"{small} are on cards too small for them"


def jobs_are_held_and_ranked_as_people_said() -> None:
    """A job is held exactly while it or its batch is paused; its rank is never below its priority."""
    rows = Job.objects.values_list("code", "held", "paused", "batch__paused", "priority", "rank")
    wrong = [
        code
        for code, held, paused, batch_paused, priority, rank in rows
        if held != (paused or batch_paused) or rank < priority
    ]
    assert not wrong, f"{wrong} are held or ranked otherwise than people said"


def ready_jobs_name_their_reason() -> None:
    """After a tick no ready job waits without a word."""
    ready = Job.objects.filter(state=JobState.READY).select_related("batch", "lane")
    silent = [job.code for job in ready if reason_of(job).code not in SENTENCES]
    assert not silent, f"{silent} are ready and do not say why they wait"


def over_full() -> dict[str, int]:
    """By how many orders each kind of tier queue, from each tier up, exceeds the seats that may take them.

    Also by how many each node exceeds its two seats.
    """
    held: Counter[UUID | None] = Counter()
    out: dict[str, list[int]] = {"now": [], "next": []}
    for attempt in slots_in_use():
        held[attempt.node_id] += 1
        if attempt.node_id is None:
            out["now" if attempt.queue == queue_for(attempt.tier_gb) else "next"].append(attempt.tier_gb)
            assert attempt.queue in (queue_for(attempt.tier_gb), next_queue_for(attempt.tier_gb))
    nodes = list(serving())
    excess = {node.name: max(0, held[node.pk] - 2) for node in nodes}
    idle = [node.tier_gb or 0 for node in nodes if held[node.pk] == 0]
    places = [node.tier_gb or 0 for node in nodes for _ in range(2 - min(held[node.pk], 2))]
    for kind, orders, seats in (("now", out["now"], idle), ("all", out["now"] + out["next"], places)):
        for tier in (0, *TIERS_GB):
            wanted = sum(order >= tier for order in orders)
            excess[f"{kind} {tier}"] = max(0, wanted - sum(seat >= tier for seat in seats))
    return excess


def what_goes_on() -> list[Job]:
    """Jobs that go on by themselves: in flight, or ready, at the latest in a while, for a node there is."""
    in_flight = list(Job.objects.filter(state__in=IN_FLIGHT))
    largest = max((node.tier_gb or 0 for node in serving()), default=-1)
    ready = Job.objects.filter(state=JobState.READY, held=False, project__paused=False)
    return in_flight + [job for job in ready if job.tier_gb is not None and job.tier_gb <= largest]


def is_stale(report: RenderReport) -> bool:
    """Whether the attempt this report ends has ended, or its job goes another way."""
    attempt = Attempt.objects.filter(pk=report.attempt_id, state__in=ATTEMPT_OPEN)
    return not (attempt.exists() and Job.objects.filter(pk=report.job_id, token=report.token).exists())


def what_stands(job_id: str) -> list[Any]:
    """Everything of a job that decides: its own columns, and where its attempts stand."""
    columns = ("state", "token", "attempts_used", "free_retries", "crashes", "tier_gb", "failure_class")
    attempts = Attempt.objects.filter(job__pk=job_id).order_by("number").values_list("number", "state")
    return [*Job.objects.filter(pk=job_id).values_list(*columns), *attempts]
