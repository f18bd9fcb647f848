"""What the office does with Django (see :mod:`tests.farmsim.office`). Its functions are called by name."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.core.management import call_command

from apps.accounts.models import User
from apps.productions.models import Sequence as ShotSequence
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.renders.models import Job
from apps.renders.services.submit import Step
from apps.renders.services.submit import submit as submit_batch
from apps.review.services.store_marker import ensure_store_marker
from apps.workflows.services import sync_templates
from tests.farmsim import backlog as backlogs
from tests.farmsim import verify as verifying
from tests.farmsim.models import templates

PERSON: Final = "simulation"
SHOTS: Final = 50
"""Shots per project: jobs are spread over them, as a shot's row is locked when it gets a take."""
MOST_TAKES: Final = 50


def set_up(projects: Sequence[str]) -> None:
    """Make tables, a person, the models' templates, and projects with shots."""
    call_command("migrate", verbosity=0, interactive=False)
    ensure_store_marker()
    sync_templates(templates())
    User.objects.create_superuser(PERSON, password=uuid.uuid4().hex)
    for code in projects:
        project = Project.objects.create(code=code, name=f"SIMULATED {code}")
        sequence = ShotSequence.objects.create(project=project, code="SQ010", name="Simulated")
        Shot.objects.bulk_create(
            Shot(
                project=project,
                sequence=sequence,
                code=f"SH{number:04}",
                order=number,
                status_id="ready",
                description="A girl walks along the quay",
            )
            for number in range(10, 10 * SHOTS + 1, 10)
        )


def submit(
    project: str, template: str, count: int, *, priority: int = 10, key: str = "", **step: Any
) -> list[str]:
    """Order ``count`` jobs of a template as a person does; return their ids in order."""
    made = Project.objects.get(code=project)
    shots = list(Shot.objects.filter(project=made).select_related("status", "sequence").order_by("code"))
    ids: list[str] = []
    while len(ids) < count:
        left = count - len(ids)
        takes = max(1, min(left // len(shots), MOST_TAKES))
        batch = submit_batch(
            user=User.objects.get(username=PERSON),
            project=made,
            shots=shots[:left],
            steps=[Step(template=template, takes=takes, **step)],
            priority=priority,
            idempotency_key=key or uuid.uuid4().hex,
        ).batch
        ids += [str(pk) for pk in batch.jobs.order_by("code").values_list("pk", flat=True)]
    return ids


def backlog(project: str, sequence: Sequence[str], *, priority: int = 10) -> list[str]:
    """Make a job per template named in ``sequence``, in that order, by bulk insert; return their ids."""
    return backlogs.fill(project, sequence, priority=priority, submit=submit)


def verify(**seen: Any) -> list[str]:
    """Compare the database with every invariant; return a line per broken one."""
    return verifying.broken(**seen)


def count(**filters: Any) -> int:
    """Count jobs."""
    return Job.objects.filter(**filters).count()


CALLS: Final[dict[str, Callable[..., Any]]] = {
    each.__name__: each for each in (set_up, submit, backlog, verify, count)
}
