"""What happens on a farm, for notices to tell of: jobs close, nodes fall sick."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import User
from apps.common.machines import move, move_all, record_event
from apps.common.models import StateEvent
from apps.nodes.models import Node
from apps.nodes.states import NODE
from apps.notices.kinds import Kind
from apps.notices.models import Notice, Subscription
from apps.notices.services import subscribing
from apps.notices.services.announcing import announce
from apps.renders.models import Job, RenderBatch
from apps.renders.states import JOB, JobState
from tests.factories import BatchFactory, JobFactory, WorkflowTemplateVersionFactory


def batch_of(user: User, shot: Any, *, jobs: int) -> RenderBatch:
    """A batch that somebody submitted, whose jobs run."""
    batch: RenderBatch = BatchFactory.create(project=shot.project, submitted_by=user)
    version = WorkflowTemplateVersionFactory.create()
    Job.objects.bulk_create(
        JobFactory.build_batch(
            jobs,
            shot=shot,
            project=shot.project,
            batch=batch,
            template_version=version,
            state=JobState.RUNNING,
        )
    )
    return batch


def jobs_of(batch: RenderBatch) -> list[Job]:
    """Its jobs in the order of their codes."""
    return list(batch.jobs.order_by("code"))


def closes(job: Job, to: str = JobState.SUCCEEDED, *, reason: str = "rendered") -> None:
    """A job closes, as the engine writes it: the row and its event in one transaction."""
    moves = (state for state, targets in JOB.moves.items() if state and to in targets)
    changes = {"failure_class": "unknown"} if to == JobState.FAILED else {}
    assert move(JOB, job, from_=tuple(moves), to=to, actor="gpu1", reason=reason, changes=changes)


def all_close(jobs: list[Job], to: str) -> None:
    """Many close at once."""
    rows = Job.objects.filter(pk__in=[job.pk for job in jobs])
    assert move_all(JOB, rows, from_=(JobState.RUNNING,), to=to, actor="gpu1", reason="so it went") == len(
        jobs
    )


def requeued(job: Job) -> None:
    """An operator has it rendered again."""
    assert move(
        JOB,
        job,
        from_=(JobState.FAILED, JobState.QUARANTINED, JobState.CANCELLED),
        to=JobState.READY,
        actor="alice",
        reason="requeued",
    )


def ends(batch: RenderBatch, *, failed: int = 0) -> None:
    """Every job of a batch closes; the first few fail."""
    for number, job in enumerate(jobs_of(batch)):
        closes(job, JobState.FAILED if number < failed else JobState.SUCCEEDED)


def node_becomes(node: Node, state: str, *, reason: str = "a prompt hangs") -> None:
    """A node reports another state."""
    before = Node.objects.values_list("observed", flat=True).get(pk=node.pk)
    Node.objects.filter(pk=node.pk).update(observed=state)
    record_event(NODE, node.pk, from_state=before, to=state, actor=node.name, reason=reason)


class Teller:
    """Announces what was written since it last did. (A real reader is played in test_outbox.)"""

    def __init__(self) -> None:
        self._told = StateEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0

    def __call__(self) -> int:
        """Announce what waits; return how many notices were written or added to."""
        return self.of(self.waiting())

    def waiting(self) -> list[StateEvent]:
        """What was written since."""
        return list(StateEvent.objects.filter(id__gt=self._told).order_by("id"))

    def of(self, events: list[StateEvent]) -> int:
        """Announce these."""
        if not events:
            return 0
        self._told = events[-1].pk
        return announce(events)


def subscribes(user: User, *kinds: Kind, **wanted: Any) -> Subscription:
    """Somebody asks for these kinds."""
    row, _secret = subscribing.subscribe(user=user, kinds=[str(kind) for kind in kinds], **wanted)
    return row


def inbox(user: User) -> list[tuple[str, str, int]]:
    """Kind, code and count of what lies in somebody's inbox, the oldest first."""
    rows = Notice.objects.filter(recipient=user).order_by("created_at", "pk")
    return list(rows.values_list("kind", "code", "count"))
