"""Every invariant of the design, asked of the farm's database after a run: a line for each that is broken.

A check yields a sentence per case. ``Seen`` is what the simulation saw from outside and the rows cannot tell.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, F, Q, Sum

from apps.common.models import StateEvent
from apps.renders.models import Attempt, FarmClock, Job, NeedTier, Usage
from apps.renders.scheduling.fit import lacking
from apps.renders.states import ATTEMPT_OPEN, IN_FLIGHT, OPEN, AttemptState, JobState
from apps.review.models import Take
from apps.workflows.services import template_of
from farm.contracts import FailureClass
from tests.event_chain import EventChain
from tests.farmsim.delivery import TOLD_FORGED
from tests.farmsim.verify_rules import (
    dependencies_come_first,
    limits_are_kept,
    resting_nodes_are_given_nothing,
)
from tests.farmsim.verify_store import artifacts_in_their_own_folders, takes_rebuilt_by_their_manifests

ENOUGH: Final = 4
"""Successes without OOM after which a tier is known to do."""
ROUNDING_S: Final = 0.01
CHAINED: Final = ("job", "attempt", "node", "take_media", "take_review")
"""The machines whose rows are born with an event."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """``jobs``: ids that were ordered, all of which should have a take. ``forged``: reports sent with a wrong
    signature. ``struck``: something else happened than that, so the broker may have delivered again what was
    not acknowledged yet. ``too_deep``: depth of the queues and free places, where the first was larger.
    ``busy_took``: orders that a busy node took from a tier queue. ``ended``: the nodes have nothing in hand.
    """

    jobs: Sequence[str] = ()
    forged: int = 0
    struck: bool = False
    too_deep: Sequence[Sequence[int]] = ()
    busy_took: int = 0
    ended: bool = True


Check = Callable[[Seen], Iterator[str]]


def broken(**seen: Any) -> list[str]:
    """Ask every check; return a line per broken invariant."""
    lines = []
    for name, check in CHECKS.items():
        cases = list(itertools.islice(check(Seen(**seen)), 1000))
        if cases:
            lines.append(f"{name}: {len(cases)} cases, such as: {cases[0]}")
    return lines


def one_current_attempt(_: Seen) -> Iterator[str]:
    many = Job.objects.annotate(n=Count("attempts", filter=Q(attempts__state__in=ATTEMPT_OPEN)))
    for job in many.filter(n__gt=1):
        yield f"{job} has {job.n} open attempts"


def tokens_name_the_current_attempt(_: Seen) -> Iterator[str]:
    for job in Job.objects.filter(state__in=IN_FLIGHT):
        if not job.attempts.filter(token=job.token, state__in=ATTEMPT_OPEN).exists():
            yield f"{job} is {job.state} and its token names no open attempt"
    for job in Job.objects.exclude(state__in=IN_FLIGHT).exclude(token=""):
        yield f"{job} is {job.state} and still has a token"
    loose = Attempt.objects.filter(state__in=ATTEMPT_OPEN).exclude(job__state__in=IN_FLIGHT)
    for attempt in loose.select_related("job"):
        yield f"{attempt} is {attempt.state}, its job is {attempt.job.state}"


def at_most_one_take_per_job(_: Seen) -> Iterator[str]:
    for row in Take.objects.order_by().values("job_id").annotate(n=Count("pk")).filter(n__gt=1):
        yield f"job {row['job_id']} has {row['n']} takes"
    successes = StateEvent.objects.filter(machine="job", to_state=JobState.SUCCEEDED).order_by()
    for again in successes.values("subject").annotate(n=Count("pk")).filter(n__gt=1):
        yield f"job {again['subject']} succeeded {again['n']} times"


def takes_and_succeeded_jobs_match(_: Seen) -> Iterator[str]:
    jobs = dict(Job.objects.values_list("pk", "state"))
    attempts = {
        row["pk"]: row for row in Attempt.objects.filter(state=AttemptState.SUCCEEDED).values("pk", "job_id")
    }
    with_take = set()
    for take in Take.objects.all():
        with_take.add(take.job_id)
        if jobs.get(take.job_id) != JobState.SUCCEEDED:
            yield f"the job of {take} is {jobs.get(take.job_id, 'gone')}"
        if take.attempt_id not in attempts or attempts[take.attempt_id]["job_id"] != take.job_id:
            yield f"{take} comes from no successful attempt of its job"
    for key, state in jobs.items():
        if state == JobState.SUCCEEDED and key not in with_take:
            yield f"job {key} succeeded and has no take"


def nothing_is_lost(seen: Seen) -> Iterator[str]:
    states = dict(Job.objects.filter(pk__in=list(seen.jobs)).values_list("pk", "state"))
    told = {str(key): state for key, state in states.items()}
    for key in seen.jobs:
        if told.get(key) != JobState.SUCCEEDED:
            why = Job.objects.filter(pk=key).values_list("code", "failure_class", "failure_message").first()
            yield f"job {key} is {told.get(key, 'gone')} {why}"


def nothing_runs_where_it_does_not_fit(_: Seen) -> Iterator[str]:
    proven = NeedTier.objects.filter(successes__gte=ENOUGH)
    known = set(proven.values_list("need__template_version", "tier_gb"))
    attempts = Attempt.objects.filter(node__isnull=False).select_related(
        "node__pool", "job__lane__need", "job__template_version__template", "job__pool"
    )
    for attempt in attempts.iterator():
        node, job = attempt.node, attempt.job
        assert node is not None
        if (node.tier_gb or 0) < attempt.tier_gb:
            yield f"{attempt} needs {attempt.tier_gb} GB and went to {node}, which serves {node.tier_gb or 0}"
        need = job.lane.need if job.lane else None
        declared = need.declared_tier_gb if need else None
        small = declared is not None and attempt.tier_gb < declared
        told = (job.template_version_id, attempt.tier_gb)
        if small and not attempt.explores and told not in known:
            yield f"{attempt} went to {attempt.tier_gb} GB, declared are {declared}, and nothing says it fits"
        missing = lacking(node, template_of(job.template_version), job.precision, job.lora_files)
        if missing:
            yield f"{attempt} went to {node}, which lacks {', '.join(missing)}"
        if job.pool_id and node.pool_id != job.pool_id:
            yield f"{attempt} of pool {job.pool} went to {node} of pool {node.pool}"
        if node.pool and node.pool.dedicated and job.pool_id != node.pool_id:
            yield f"{attempt} went to {node}, which is dedicated to {node.pool}"
        if job.pinned_to_id and job.pinned_to_id != node.pk:
            yield f"{attempt} is pinned to another node than {node}"
        if set(job.tags.split("\n")) - set(node.tags.split("\n")) - {""}:
            yield f"{attempt} went to {node}, which has not the tags {job.tags!r}"


def out_of_memory_goes_up(_: Seen) -> Iterator[str]:
    failed = Attempt.objects.filter(failure_class=FailureClass.OUT_OF_MEMORY, state=AttemptState.FAILED)
    for attempt in failed.select_related("job"):
        later = attempt.job.attempts.filter(number__gt=attempt.number, tier_gb__lte=attempt.tier_gb)
        if later.exists():
            told = ("number", "tier_gb", "card_gb", "state", "explores", "created_at", "finished_at")
            story = list(attempt.job.attempts.order_by("number").values_list(*told))
            yield f"{attempt.job} ran out of memory on {attempt.tier_gb} GB and was sent there again: {story}"


def queues_hold_no_more_than_places(seen: Seen) -> Iterator[str]:
    for depth, places in seen.too_deep:
        yield f"{depth} orders lay in the queues, {places} places were free"
    if seen.busy_took:
        yield f"busy nodes took {seen.busy_took} tier orders"


def events_tell_every_move(_: Seen) -> Iterator[str]:
    try:
        EventChain(of=CHAINED, since_birth=True).check()
    except AssertionError as error:
        yield str(error)
    for event in StateEvent.objects.filter(actor=""):
        yield f"{event} names nobody who did it"


def slots_are_released(seen: Seen) -> Iterator[str]:
    if seen.ended:
        for attempt in Attempt.objects.filter(holds_slot=True).select_related("job"):
            yield f"{attempt} is {attempt.state} and holds a slot"


def nothing_is_left_open(seen: Seen) -> Iterator[str]:
    if seen.ended:
        for job in Job.objects.filter(state__in=IN_FLIGHT):
            yield f"{job} is {job.state}"


def simulated_work_is_labelled(_: Seen) -> Iterator[str]:
    for take in Take.objects.filter(simulated=False):
        yield f"{take} by {take.node} is not labelled"


def forged_reports_are_counted(seen: Seen) -> Iterator[str]:
    counted = FarmClock.objects.values_list("forged_reports", flat=True).first() or 0
    most = seen.forged * TOLD_FORGED
    if counted < seen.forged or (counted > most and not (seen.struck and seen.forged)):
        yield f"{seen.forged} were sent, each {TOLD_FORGED} times, {counted} counted"


def waiting_jobs_say_why(seen: Seen) -> Iterator[str]:
    waiting = Job.objects.filter(state__in=OPEN).exclude(state__in=IN_FLIGHT)
    if seen.ended:
        for job in waiting.filter(wait_code="").exclude(lane__wait_code__gt=""):
            yield f"{job} is {job.state} and nothing says why"


def attempts_are_numbered_without_gaps(_: Seen) -> Iterator[str]:
    numbers: dict[Any, list[int]] = defaultdict(list)
    for job, number in Attempt.objects.values_list("job_id", "number"):
        numbers[job].append(number)
    for job, some in numbers.items():
        if sorted(some) != list(range(1, len(some) + 1)):
            yield f"job {job} has attempts {sorted(some)}"


def stale_tokens_change_nothing(_: Seen) -> Iterator[str]:
    tokens = Counter(Attempt.objects.values_list("token", flat=True))
    for token, count in tokens.items():
        if count > 1:
            yield f"{count} attempts share the token {token[:8]}…"
    late = Attempt.objects.filter(state=AttemptState.SUCCEEDED, accepted_at__isnull=True)
    for attempt in late.select_related("job"):
        yield f"{attempt} succeeded and was never claimed"
    early = Attempt.objects.filter(finished_at__lt=F("created_at"))
    for attempt in early.select_related("job"):
        yield f"{attempt} ended before it began"


def gpu_time_is_charged_once(_: Seen) -> Iterator[str]:
    """What a project is charged: every success, and no more than all that was told."""
    charged = dict(Usage.objects.values_list("project").annotate(total=Sum("gpu_seconds")).order_by())
    least: dict[Any, float] = defaultdict(float)
    most: dict[Any, float] = defaultdict(float)
    told = Attempt.objects.exclude(report={}).values_list("job__project", "state", "report")
    for project, state, report in told.iterator():
        seconds = report["timings"]["execute_s"]
        most[project] += seconds
        least[project] += seconds if state == AttemptState.SUCCEEDED else 0.0
    for project in charged.keys() | most.keys():
        total = charged.get(project, 0.0)
        if not least[project] - ROUNDING_S <= total <= most[project] + ROUNDING_S:
            yield f"{project} was charged {total:.3f} s of {least[project]:.3f} to {most[project]:.3f} s"


def each_success_teaches_once(_: Seen) -> Iterator[str]:
    """Successes that executed are counted where memory needs are learned, each once."""
    learned = NeedTier.objects.aggregate(total=Sum("successes"))["total"] or 0
    succeeded = Attempt.objects.filter(state=AttemptState.SUCCEEDED).values_list("report", flat=True)
    taught = sum(report["timings"]["execute_s"] > 0 for report in succeeded.iterator())
    if learned != taught:
        yield f"{taught} attempts executed and succeeded, {learned} were learned from"


CHECKS: Final[dict[str, Check]] = {
    check.__name__.replace("_", " "): check
    for check in (
        one_current_attempt,
        tokens_name_the_current_attempt,
        stale_tokens_change_nothing,
        at_most_one_take_per_job,
        takes_and_succeeded_jobs_match,
        artifacts_in_their_own_folders,
        takes_rebuilt_by_their_manifests,
        nothing_is_lost,
        nothing_runs_where_it_does_not_fit,
        out_of_memory_goes_up,
        limits_are_kept,
        resting_nodes_are_given_nothing,
        dependencies_come_first,
        queues_hold_no_more_than_places,
        simulated_work_is_labelled,
        events_tell_every_move,
        attempts_are_numbered_without_gaps,
        slots_are_released,
        nothing_is_left_open,
        forged_reports_are_counted,
        waiting_jobs_say_why,
        gpu_time_is_charged_once,
        each_success_teaches_once,
    )
}
