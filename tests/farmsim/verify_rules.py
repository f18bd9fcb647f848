"""What people have laid down must hold at every moment: limits, dependencies, wishes for nodes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from apps.common.models import StateEvent
from apps.nodes.states import DESIRED, Desired
from apps.renders.models import Attempt, JobDependency, Limit
from apps.renders.states import JobState

COMMITTED_WITHIN: Final = timedelta(seconds=1)
"""An event is as old as its transaction, and holds when that is committed."""


def limits_are_kept(_: object) -> Iterator[str]:
    for limit in Limit.objects.all():
        attempts = Attempt.objects.filter(job__template_version__template__in=limit.templates.all())
        most = most_at_once(attempts.values_list("created_at", "finished_at"))
        if most > limit.most:
            yield f"{most} jobs of limit {limit} at once"


def most_at_once(spans: Any) -> int:
    """The largest number of spans that overlap; one without an end goes on."""
    steps: list[tuple[datetime, int]] = []
    for begin, end in spans:
        steps.append((begin, 1))
        if end is not None:
            steps.append((end, -1))
    steps.sort()
    return max(itertools.accumulate(step for _, step in steps), default=0)


def resting_nodes_are_given_nothing(_: object) -> Iterator[str]:
    """Between the wish that a node takes nothing and the one that it works again."""
    since: dict[Any, datetime] = {}
    for event in StateEvent.objects.filter(machine=DESIRED.name).order_by("id"):
        begun = since.pop(event.subject, None)
        if event.to_state != Desired.ACTIVE:
            since[event.subject] = begun or event.at
        elif begun is not None:
            yield from _given(event.subject, begun, event.at)
    for node, begun in since.items():
        yield from _given(node, begun, None)


def _given(node: Any, begun: datetime, until: datetime | None) -> Iterator[str]:
    attempts = Attempt.objects.filter(node=node, accepted_at__gt=begun + COMMITTED_WITHIN)
    if until is not None:
        attempts = attempts.filter(accepted_at__lt=until)
    for attempt in attempts.select_related("job", "node"):
        yield f"{attempt} was given to {attempt.node}, which was to rest since {begun}"


def dependencies_come_first(_: object) -> Iterator[str]:
    rows = JobDependency.objects.select_related("job", "depends_on")
    for row in rows:
        first = row.job.attempts.order_by("number").first()
        done = row.depends_on.finished_at
        if first and (row.depends_on.state != JobState.SUCCEEDED or not done or first.created_at < done):
            yield f"{row.job} was dispatched before {row.depends_on} was done"
