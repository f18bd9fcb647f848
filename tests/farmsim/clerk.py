"""What the office does with Django (see :mod:`tests.farmsim.office`). Its functions are called by name."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from apps.accounts.models import User
from apps.productions.models import Sequence as ShotSequence
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.renders.models import Attempt, Hold, Job, Lane
from apps.renders.services import bus
from apps.renders.services.control import cancel
from apps.renders.services.dispatch import dispatch, explain_waiting
from apps.renders.services.envelope import Envelope
from apps.renders.services.giveback import hand_back
from apps.renders.services.submit import Step
from apps.renders.services.submit import submit as submit_batch
from apps.renders.states import ATTEMPT_OPEN
from apps.review.services.store_marker import ensure_store_marker
from apps.workflows.services import sync_templates
from tests.farmsim import backlog as backlogs
from tests.farmsim import house
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
    project: str,
    template: str,
    count: int,
    *,
    priority: int = 10,
    key: str = "",
    then: str = "",
    place: Mapping[str, Any] | None = None,
    **step: Any,
) -> list[str]:
    """Order ``count`` jobs of a template as a person does; return their ids in order.

    ``then``: every second one is of that template and starts from the one before. ``place``: pool, tags,
    node.
    """
    per_take = 2 if then else 1
    made = Project.objects.get(code=project)
    shots = list(Shot.objects.filter(project=made).select_related("status", "sequence").order_by("code"))
    ids: list[str] = []
    while len(ids) < count:
        left = (count - len(ids)) // per_take
        takes = max(1, min(left // len(shots), MOST_TAKES))
        steps = [Step(template=template, takes=takes, **step)]
        if then:
            steps.append(Step(template=then, takes=takes, start_from=0))
        batch = submit_batch(
            user=User.objects.get(username=PERSON),
            project=made,
            shots=shots[:left],
            steps=steps,
            envelope=Envelope(priority=priority, **(place or {})),
            idempotency_key=key or uuid.uuid4().hex,
        ).batch
        ids += [str(pk) for pk in batch.jobs.order_by("code").values_list("pk", flat=True)]
    return ids


def backlog(
    project: str, sequence: Sequence[str], *, priority: int = 10, patterns_wait: bool = False
) -> list[str]:
    """Make a job per template named in ``sequence``, in that order, by bulk insert; return their ids.

    ``patterns_wait``: the farm is paused until :func:`release`, and the patterns are cancelled.
    """
    if patterns_wait:
        Hold.objects.create(scope=Hold.FARM, by=PERSON)
    made = backlogs.fill(project, sequence, priority=priority, submit=submit)
    if patterns_wait:
        person = User.objects.get(username=PERSON)
        for job in Job.objects.filter(project__code=project).exclude(pk__in=made):
            cancel(job, user=person)
    _look_at_the_tables()
    return made


def release() -> None:
    """Let the paused farm work."""
    Hold.objects.all().delete()
    Lane.objects.update(active=True)
    bus.poke()


def flood(project: str, templates: Sequence[str], count: int) -> int:
    """Make so many jobs, the templates in turn; return how many."""
    sequence = list(itertools.islice(itertools.cycle(templates), count))
    made = len(backlogs.fill(project, sequence, submit=submit))
    _look_at_the_tables()
    return made


def _look_at_the_tables() -> None:
    """What the server would do by itself within a minute: count its rows."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def ticks(count: int) -> dict[str, list[float]]:
    """Play the ticker: milliseconds of turns that fill every place, and of turns that find every place taken.

    What was sent is handed back between two turns, and taken out of the broker.
    """
    took: dict[str, list[float]] = {"sends": [], "looks": []}
    for _ in range(count + 1):
        sent, spent = _turn()
        if not sent:
            raise RuntimeError("a turn sent nothing: there is no free place, or nothing waits")
        took["sends"].append(spent)
        while sent:
            sent, spent = _turn()  # until no place is free
        took["looks"].append(spent)
        for attempt in Attempt.objects.filter(state__in=ATTEMPT_OPEN).select_related("job", "node"):
            hand_back(attempt, actor=PERSON, reason="measured", freed=True)
        with redis.Redis.from_url(settings.REDIS_URL) as broker:
            for queue in broker.scan_iter("vram.*"):
                broker.delete(queue)
            for queue in broker.scan_iter("node.*"):
                broker.delete(queue)
    return {kind: times[1:] for kind, times in took.items()}  # the first one warmed up


def _turn() -> tuple[int, float]:
    """What the ticker does in a turn: send, and explain what still waits."""
    began = time.perf_counter()
    sent = dispatch()
    explain_waiting()
    return sent, (time.perf_counter() - began) * 1000


def verify(**seen: Any) -> list[str]:
    """Compare the database with every invariant; return a line per broken one."""
    return verifying.broken(**seen)


def count(**filters: Any) -> int:
    """Count jobs."""
    return Job.objects.filter(**filters).count()


CALLS: Final[dict[str, Callable[..., Any]]] = {
    each.__name__: each
    for each in (set_up, submit, backlog, release, flood, ticks, verify, count, *house.CALLS)
}
