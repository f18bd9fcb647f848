"""The rules of a simulated house and the deeds of its operators, by the services that people use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.nodes.models import Node, Pool
from apps.nodes.services import assign, set_desired
from apps.projects.models import Project
from apps.renders.models import Attempt, Job, JobDependency, Limit
from apps.renders.services.control import cancel, requeue
from apps.renders.services.holds import pause_project
from apps.renders.states import AttemptState, JobState
from apps.review.models import Take
from apps.workflows.models import WorkflowTemplate
from tests.farmsim.trace import POOL, TAG
from tests.farmsim.verify_rules import most_at_once

PERSON: Final = "simulation"
LIMIT: Final = "licence"
MOST: Final = 2


def _person() -> User:
    return User.objects.get(username=PERSON)


def lay_down_rules(pool: Sequence[str], tagged: Sequence[str], limited: str) -> None:
    """A dedicated pool of these nodes, a tag on those, and a limit of two jobs on a template."""
    hero = Pool.objects.create(name=POOL, dedicated=True)
    for node in Node.objects.filter(name__in=pool):
        assign(node, user=_person(), pool=hero)
    for node in Node.objects.filter(name__in=tagged):
        assign(node, user=_person(), tags=[TAG])
    Limit.objects.create(name=LIMIT, most=MOST).templates.set(WorkflowTemplate.objects.filter(slug=limited))


def rules_met() -> dict[str, int]:
    """How often each rule held something back or sent it somewhere: 0 for one that nothing met."""
    rendered = Attempt.objects.filter(state=AttemptState.SUCCEEDED)
    limited = Attempt.objects.filter(job__template_version__template__limits__name=LIMIT)
    full = most_at_once(limited.values_list("created_at", "finished_at")) == MOST
    return {
        "chain": JobDependency.objects.filter(job__state=JobState.SUCCEEDED).count(),
        "dedicated pool": rendered.filter(job__pool__name=POOL).count(),
        "tag": rendered.filter(job__tags=TAG).count(),
        "pin": rendered.filter(job__pinned_to__isnull=False).count(),
        "limit": limited.count() if full else 0,
    }


def desire(node: str, desired: str) -> bool:
    """Drain, pause or activate a node."""
    return set_desired(Node.objects.get(name=node), desired, user=_person(), reason="simulated")


def cancel_job(job: str) -> bool:
    """Cancel a job; False if it has ended."""
    return cancel(Job.objects.select_related("project").get(pk=job), user=_person())


def requeue_job(job: str) -> bool:
    """Let a cancelled job run again."""
    return requeue(Job.objects.select_related("project").get(pk=job), user=_person())


def standing_of(job: str) -> tuple[str, int, int]:
    """A job's state, how many takes it has, and how many slots its attempts hold."""
    found = Job.objects.get(pk=job)
    slots = found.attempts.filter(holds_slot=True).count()
    return found.state, Take.objects.filter(job_id=job).count(), slots


def pause(project: str, *, paused: bool) -> str:
    """Pause or resume a project; return the database's time at which that holds."""
    pause_project(Project.objects.get(code=project), paused=paused, user=_person(), reason="simulated")
    return database_now().isoformat()


def waiting_of(project: str) -> int:
    """How many of a project's jobs could start if they were let."""
    return Job.objects.filter(project__code=project, state=JobState.READY, held=False).count()


def given_since(project: str, since: str) -> int:
    """How many of a project's jobs nodes were given since then."""
    later = Attempt.objects.filter(job__project__code=project, accepted_at__gt=datetime.fromisoformat(since))
    return later.count()


CALLS: Final = (
    lay_down_rules,
    rules_met,
    desire,
    cancel_job,
    requeue_job,
    standing_of,
    pause,
    waiting_of,
    given_since,
)
