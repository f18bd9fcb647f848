"""Why a job waits, in words: its own holds first, then what the dispatcher wrote down.

No second opinion is formed here. A blocked job carries its reason itself; a ready one shares that of the
lane it waits in (apps.renders.models.lanes).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Prefetch, QuerySet, prefetch_related_objects

from apps.common.counting import CountAtMost
from apps.renders.models import Job, Lane
from apps.renders.states import JobState
from apps.renders.waitwords import node_sentence, sentence

MOST_COUNTED: Final = 1_000
"""Jobs of a lane are counted no further for a summary."""

_LANES = Lane.objects.defer("wait_nodes", "lora_files")


@dataclass(frozen=True)
class Reason:
    """A code with its facts. ``since``: when it began to hold, None if that is not known."""

    code: str
    facts: Mapping[str, Any]
    since: datetime | None = None

    @property
    def sentence(self) -> str:
        """One translated sentence; "" for no reason."""
        return sentence(self.code, self.facts)


@dataclass(frozen=True)
class NodeRow:
    """What one node says to a job."""

    node: str
    code: str
    sentence: str


@dataclass(frozen=True)
class WaitLine:
    """How many ready jobs wait for one reason. ``more``: there are more than were counted."""

    code: str
    sentence: str
    jobs: int
    more: bool
    since: datetime | None


def reason_of(job: Job) -> Reason:
    """The reason why a job waits; an empty one if it does not. Its lane and its batch are looked at."""
    if job.state not in {JobState.READY, JobState.BLOCKED}:
        return Reason("", {})
    if held := _held(job):
        return held
    if job.state == JobState.BLOCKED:
        return Reason(job.wait_code, job.wait_params)
    if job.lane is None:
        return Reason("", {})
    changed = [at for at in (job.lane.waits_since, job.ready_at) if at is not None]
    return Reason(job.lane.wait_code, job.lane.wait_params, max(changed, default=None))


def wait_sentence(job: Job) -> str:
    """One translated sentence for a job that waits; "" for one that does not."""
    return reason_of(job).sentence


def read_lanes(jobs: Iterable[Job]) -> None:
    """Read the lanes and batches of many jobs, without the lanes' tables per node, in two queries."""
    prefetch_related_objects(list(jobs), Prefetch("lane", _LANES), "batch")


def asks_nodes(job: Job) -> bool:
    """Tell whether it is for nodes to take the job: nothing holds back the job itself."""
    return job.state == JobState.READY and _held(job) is None


def told_by_nodes(job: Job) -> list[NodeRow]:
    """What keeps each node from the head of the job's lane, as the dispatcher wrote it down."""
    if job.lane is None or not asks_nodes(job):
        return []
    rows = job.lane.wait_nodes
    return [node_row(told.get("node", ""), told.get("code", ""), told.get("params")) for told in rows]


def node_row(node: object, code: object, facts: Any) -> NodeRow:
    """What one node says to a job, in words."""
    return NodeRow(str(node), str(code), node_sentence(str(code), facts if isinstance(facts, dict) else {}))


def startable() -> QuerySet[Job]:
    """Ready jobs that nothing holds back, in the order of the dispatcher's index (ready_heads)."""
    rows = Job.objects.filter(state=JobState.READY, held=False, start_after=None)
    return rows.order_by("lane_id", "-rank", "ready_at", "pk")


def wait_summary(projects: QuerySet[Any] | None = None) -> list[WaitLine]:
    """How many ready jobs wait for what, of some projects or of all: the most first.

    Counted lane by lane from the dispatcher's own index, never further than MOST_COUNTED.
    """
    lanes = Lane.objects.filter(active=True).exclude(wait_code="")
    if projects is not None:
        lanes = lanes.filter(project__in=projects)
    counted = lanes.annotate(ready=CountAtMost(startable(), "lane", most=MOST_COUNTED))
    told: dict[tuple[str, str], list[tuple[int, datetime | None]]] = {}
    for row in counted.values("wait_code", "wait_params", "waits_since", "ready"):
        if row["ready"]:
            said = row["wait_code"], sentence(row["wait_code"], row["wait_params"])
            told.setdefault(said, []).append((row["ready"], row["waits_since"]))
    lines = [
        WaitLine(
            code=code,
            sentence=said,
            jobs=sum(jobs for jobs, _ in counts),
            more=any(jobs >= MOST_COUNTED for jobs, _ in counts),
            since=min((at for _, at in counts if at is not None), default=None),
        )
        for (code, said), counts in told.items()
    ]
    return sorted(lines, key=lambda line: (-line.jobs, line.sentence))


def too_big_for_all(need_tier_gb: int | None, need_gb: float, largest_gb: int | None) -> str:
    """One translated sentence where no known node can hold a job of this tier; "" where one can.

    ``largest_gb`` is the largest tier among the nodes; None while no node has reported.
    """
    if need_tier_gb is None:
        return sentence("larger_than_any", {"need": f"{need_gb:g}"})
    if largest_gb is None:
        return sentence("no_node", {})
    if need_tier_gb > largest_gb:
        return sentence("too_big", {"need": need_tier_gb, "largest": largest_gb})
    return ""


def _held(job: Job) -> Reason | None:
    """What a person, or a pause after a failure, holds back: it comes before all else."""
    if job.paused:
        return Reason("paused", {"by": job.paused_by})
    if job.batch.paused:
        return Reason("batch_paused", {"by": job.batch.paused_by})
    if job.start_after is not None:  # the dispatcher clears it when its time has come
        return Reason("start_after", {"at": job.start_after})
    return None
