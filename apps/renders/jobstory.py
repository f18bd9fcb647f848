"""One job's whole story in the order it happened: events, attempts, the nodes' own log lines, take, review.

Ordered by the coordinator's clock. A node's line carries the node's time; it is moved by what the node's
clock was ahead when it claimed the attempt, where that is known, and is said to be unmoved where not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.common.models import StateEvent
from apps.renders.models import Attempt, Job
from apps.renders.selectors import story
from apps.renders.states import ATTEMPT_OPEN, AttemptState
from apps.renders.warnings import warning_sentences
from apps.review.models import Take
from farm.logs import one_line


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Something that happened. ``source``: event, report, or the process that logged it.

    ``clock`` says whose clock ``at`` is: "coordinator", "node, corrected", or "node".
    """

    at: datetime
    source: str
    text: str
    attempt: int | None = None
    level: str = "info"
    clock: str = "coordinator"
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the moment as one JSON object."""
        return {
            "time": self.at.isoformat(timespec="milliseconds"),
            "source": self.source,
            "attempt": self.attempt,
            "level": self.level,
            "clock": self.clock,
            "text": self.text,
            "facts": dict(self.facts),
        }


def find_job(name: str) -> Job:
    """Find a job by its code or id, or by the id of one of its attempts. Raises Refused."""
    jobs = Job.objects.select_related("project", "batch__submitted_by", "template_version__template", "shot")
    try:
        key = UUID(name)
    except ValueError:
        found = jobs.filter(code=name).first()
    else:
        found = jobs.filter(pk=key).first() or jobs.filter(attempts=key).first()
    if found is None:
        remedy = _("no such job or attempt; give a job's code (J000012), its id, or an attempt's id")
        raise Refused(Problem("job", name, remedy))
    return found


def attempts_of(job: Job) -> list[Attempt]:
    """The job's attempts, the first one first."""
    return list(Attempt.objects.filter(job=job).select_related("node").order_by("number"))


def moments_of(job: Job, attempts: Iterable[Attempt]) -> list[Moment]:
    """Everything the database knows of a job, in order."""
    tried = list(attempts)
    numbers = {attempt.pk: attempt.number for attempt in tried}
    told = [_event(event, numbers) for event in story(job)]
    told += [moment for attempt in tried for moment in _of_attempt(attempt)]
    return in_order(told)


def in_order(moments: Iterable[Moment]) -> list[Moment]:
    """Sort by time; what happened at the same time stays as it was given."""
    return sorted(moments, key=lambda moment: moment.at)


def headlines(job: Job, attempts: Iterable[Attempt]) -> Iterator[str]:
    """What a person reads first: the job, then each attempt with its times and its node's clock."""
    by = job.batch.submitted_by.get_username() if job.batch.submitted_by else "nobody known any more"
    yield f"{job.code} ({job.pk}) {job.label}: {job.state}"
    yield f"submitted {_stamp(job.created_at)} by {by} in {job.batch.code}"
    take = Take.objects.filter(job_id=job.pk).first()
    if take is not None:
        yield f"take {take.pk}: media {take.media_state}, review {take.review_state}"
    if job.failure_message:
        yield f"failure: {job.failure_class}: {job.failure_message}"
    for sentence in warning_sentences(job.warnings):
        yield f"warned at submit: {sentence}"
    for attempt in attempts:
        yield _headline(attempt)


def node_time(attempt: Attempt, at: float) -> tuple[datetime, str]:
    """A node's time by the coordinator's clock, and whose clock it is in the end."""
    told = datetime.fromtimestamp(at, UTC)
    if attempt.clock_ahead_s is None:
        return told, "node"
    return told - timedelta(seconds=attempt.clock_ahead_s), "node, corrected"


def log_text(attempt: Attempt) -> str:
    """The node's lines about an attempt, one below the other."""
    return "\n".join(
        one_line(
            f"{node_time(attempt, line['at'])[0]:%H:%M:%S.%f}"[:-3]
            + f" {line['level']:<7} {line['message']}"
            + "".join(f" {name}={value}" for name, value in line.get("facts", {}).items())
        )
        for line in attempt.log
    )


def _event(event: StateEvent, numbers: Mapping[UUID, int]) -> Moment:
    move = f"{event.from_state or '·'} → {event.to_state}"
    text = f"{event.machine} {move}, by {event.actor}" + (f": {event.reason}" if event.reason else "")
    return Moment(
        at=event.at,
        source="event",
        text=text,
        attempt=numbers.get(event.subject) or event.data.get("attempt"),
        facts=event.data,
    )


def _of_attempt(attempt: Attempt) -> Iterator[Moment]:
    node = attempt.node.name if attempt.node else "no node"
    for line in attempt.log:
        at, clock = node_time(attempt, line["at"])
        yield Moment(
            at=at,
            source=node,
            text=line["message"],
            attempt=attempt.number,
            level=line["level"],
            clock=clock,
            facts=line.get("facts", {}),
        )
    ended = attempt.finished_at
    if ended is None:
        return
    if attempt.report:
        took = {name: round(spent, 3) for name, spent in attempt.report.get("timings", {}).items()}
        lines = f"{len(attempt.log)} log lines" if attempt.log else "no log lines"
        text = f"report of {node}: {attempt.report.get('outcome')}, with {lines}"
        yield Moment(at=ended, source="report", text=text, attempt=attempt.number, facts=took)
    elif attempt.state == AttemptState.LOST:
        text = f"no word from {node}: killed, or cut off? What it logged is in its own log file only"
        yield Moment(at=ended, source="report", text=text, attempt=attempt.number, level="warning")
    elif attempt.accepted_at is not None:
        text = f"no report from {node} yet, or none any more"
        yield Moment(at=ended, source="report", text=text, attempt=attempt.number)


def _headline(attempt: Attempt) -> str:
    stages = [
        ("accepted", attempt.accepted_at),
        ("executing", attempt.executing_at),
        ("ended", attempt.finished_at),
    ]
    since = [
        f"{name} +{(at - attempt.created_at).total_seconds():.3f} s" for name, at in stages if at is not None
    ]
    if attempt.state in ATTEMPT_OPEN:
        since.append("still open")
    node = attempt.node.name if attempt.node else "no node"
    failure = f" ({attempt.failure_class}: {attempt.failure_message})" if attempt.failure_class else ""
    times = ", ".join([f"sent {_stamp(attempt.created_at)}", *since])
    return (
        f"attempt {attempt.number} ({attempt.pk}) on {node} by {attempt.queue}: {attempt.state}{failure}; "
        f"{times}; {_clock(attempt, node)}"
    )


def _clock(attempt: Attempt, node: str) -> str:
    ahead = attempt.clock_ahead_s
    if ahead is None:
        return "the node's clock is not known: its times stand as it told them"
    way = "ahead" if ahead >= 0 else "behind"
    return f"clock of {node} {abs(ahead):.3f} s {way} (measured at its claim, the message's way included)"


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
