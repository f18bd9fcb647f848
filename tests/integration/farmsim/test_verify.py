"""``--verify`` can fail: each invariant is broken in the rows of a good farm, and is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F

from apps.common.clock import database_now
from apps.common.machines import record_event
from apps.common.models import StateEvent
from apps.nodes.models import Node, Pool
from apps.nodes.states import DESIRED
from apps.renders.models import Attempt, FarmClock, Job, JobDependency, Limit, Need, NeedTier, Usage
from apps.renders.services.farmclock import farm_clock
from apps.renders.states import AttemptState, JobState
from apps.review.models import Artifact, Take
from apps.workflows.models import WorkflowTemplate
from farm.contracts import MANIFEST_NAME, FailureClass, canonical, to_json
from tests.factories import JobFactory, NodeFactory, TakeFactory
from tests.farmsim import verify
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import next_order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]

Break = Callable[[Path], dict[str, Any] | None]
"""Breaks something in the rows or the store; may return what the simulation saw."""


@pytest.fixture
def rendered(node24: Hand, job: Job, artifact_root: Path) -> Job:
    """A job that a simulated node has rendered, recorded, confirmed, with its manifest."""
    order = next_order(node24)
    report = node24.success(order)
    manifest = artifact_root / order.artifact_folder / MANIFEST_NAME
    manifest.write_bytes(canonical(to_json(report)))
    node24.finishes(order, report)
    node24.reports()
    job.refresh_from_db()
    return job


def test_a_good_farm_breaks_nothing(rendered: Job) -> None:
    assert verify.broken(jobs=[str(rendered.pk)]) == []


def another(**columns: Any) -> Attempt:
    """A second attempt at the rendered job, like the first but for these columns."""
    first = Attempt.objects.get(number=1)
    values = {
        "job": first.job,
        "number": 2,
        "state": AttemptState.LOST,
        "token": str(uuid4()),
        "queue": first.queue,
        "tier_gb": first.tier_gb,
        "holds_slot": False,
        "accept_by": database_now(),
    }
    return Attempt.objects.create(**values | columns)


def open_attempts(_: Path) -> None:
    another(number=2, state=AttemptState.EXECUTING)
    another(number=3, state=AttemptState.ACCEPTED)


def token_of_a_closed_job(_: Path) -> None:
    Job.objects.update(token="somebody")


def running_job_without_attempt(_: Path) -> None:
    Job.objects.update(state=JobState.RUNNING, token="somebody")


def shared_token(_: Path) -> None:
    another(token=Attempt.objects.get().token)


def success_without_claim(_: Path) -> None:
    Attempt.objects.update(accepted_at=None)


def second_success(_: Path) -> None:
    event = StateEvent.objects.get(machine="job", to_state=JobState.SUCCEEDED)
    event.pk = None
    event.save()


def take_of_a_failed_job(_: Path) -> None:
    Job.objects.update(state=JobState.FAILED)


def success_without_take(_: Path) -> None:
    Take.objects.all().delete()


def take_of_nobody(_: Path) -> None:
    TakeFactory.create(simulated=True)


def file_elsewhere(_: Path) -> None:
    Artifact.objects.update(key="attempts/FROST/somebody-else/take.png")


def file_gone(store: Path) -> None:
    (store / Artifact.objects.get().key).unlink()


def manifest_of_something_else(store: Path) -> None:
    (manifest,) = store.glob(f"**/{MANIFEST_NAME}")
    manifest.write_text(manifest.read_text().replace("1.5", "2.5"))


def manifest_gone(store: Path) -> None:
    (manifest,) = store.glob(f"**/{MANIFEST_NAME}")
    manifest.unlink()


def job_failed(_: Path) -> dict[str, Any]:
    Job.objects.update(state=JobState.FAILED)
    return {"jobs": [str(Job.objects.get().pk)]}


def job_gone(_: Path) -> dict[str, Any]:
    return {"jobs": [str(uuid4())]}


def node_too_small(_: Path) -> None:
    Node.objects.update(tier_gb=4)


def need_larger_than_declared(_: Path) -> None:
    Need.objects.update(declared_tier_gb=48)


def node_without_the_model(_: Path) -> None:
    Node.objects.update(models_by_folder={}, capabilities_of="nothing")


def other_pool(_: Path) -> None:
    Job.objects.update(pool=Pool.objects.create(name="farm-a"))


def dedicated_pool(_: Path) -> None:
    Node.objects.update(pool=Pool.objects.create(name="farm-a", dedicated=True))


def pinned_elsewhere(_: Path) -> None:
    Job.objects.update(pinned_to=NodeFactory.create(capabilities_of=""))


def tag_missing(_: Path) -> None:
    Job.objects.update(tags="fast-disk")


def same_tier_after_out_of_memory(_: Path) -> None:
    another(state=AttemptState.FAILED, failure_class=FailureClass.OUT_OF_MEMORY)
    another(number=3)


def over_the_limit(_: Path) -> None:
    limit = Limit.objects.create(name="licence", most=1)
    limit.templates.set(WorkflowTemplate.objects.all())
    another()  # it goes on, and began while the first one ran
    Attempt.objects.filter(number=1).update(finished_at=database_now() + timedelta(seconds=5))


def drained_node_was_given_work(_: Path) -> None:
    node = Node.objects.get()
    for number, wish in enumerate(("draining", "paused")):
        record_event(DESIRED, node.pk, from_state="active", to=wish, actor="somebody")
        StateEvent.objects.filter(to_state=wish).update(at=database_now() - timedelta(minutes=9 - number))


def dependency_not_done(_: Path) -> None:
    JobDependency.objects.create(job=Job.objects.get(), depends_on=JobFactory.create(state=JobState.RUNNING))


def deep_queues(_: Path) -> dict[str, Any]:
    return {"too_deep": [(3, 2)]}


def busy_node_took(_: Path) -> dict[str, Any]:
    return {"busy_took": 1}


def unlabelled(_: Path) -> None:
    Take.objects.update(simulated=False)


def event_missing(_: Path) -> None:
    StateEvent.objects.filter(machine="job", to_state=JobState.RUNNING).delete()


def state_changed_in_silence(_: Path) -> None:
    Attempt.objects.update(state=AttemptState.LOST)


def nobody_did_it(_: Path) -> None:
    StateEvent.objects.update(actor="")


def number_skipped(_: Path) -> None:
    another(number=7)


def slot_held(_: Path) -> None:
    Attempt.objects.update(holds_slot=True)


def job_still_running(_: Path) -> None:
    Job.objects.update(state=JobState.RUNNING)


def forged_not_counted(_: Path) -> dict[str, Any]:
    return {"forged": 2}


def forged_out_of_nowhere(_: Path) -> dict[str, Any]:
    farm_clock()
    FarmClock.objects.update(forged_reports=1)
    return {"struck": True}


def forged_more_often_than_told(_: Path) -> dict[str, Any]:
    farm_clock()
    FarmClock.objects.update(forged_reports=3)
    return {"forged": 1}


def waits_for_nothing(_: Path) -> None:
    JobFactory.create()


def charged_twice(_: Path) -> None:
    Usage.objects.update(gpu_seconds=F("gpu_seconds") * 2)


def never_charged(_: Path) -> None:
    Usage.objects.all().delete()


def taught_twice(_: Path) -> None:
    NeedTier.objects.update(successes=2)


BREAKS: Final[dict[str, tuple[Break, ...]]] = {
    "one current attempt": (open_attempts,),
    "tokens name the current attempt": (token_of_a_closed_job, running_job_without_attempt),
    "stale tokens change nothing": (shared_token, success_without_claim),
    "at most one take per job": (second_success,),
    "takes and succeeded jobs match": (take_of_a_failed_job, success_without_take, take_of_nobody),
    "artifacts in their own folders": (file_elsewhere, file_gone),
    "takes rebuilt by their manifests": (manifest_of_something_else, manifest_gone),
    "nothing is lost": (job_failed, job_gone),
    "nothing runs where it does not fit": (
        node_too_small,
        need_larger_than_declared,
        node_without_the_model,
        other_pool,
        dedicated_pool,
        pinned_elsewhere,
        tag_missing,
    ),
    "out of memory goes up": (same_tier_after_out_of_memory,),
    "limits are kept": (over_the_limit,),
    "resting nodes are given nothing": (drained_node_was_given_work,),
    "dependencies come first": (dependency_not_done,),
    "queues hold no more than places": (deep_queues, busy_node_took),
    "simulated work is labelled": (unlabelled,),
    "events tell every move": (event_missing, state_changed_in_silence, nobody_did_it),
    "attempts are numbered without gaps": (number_skipped,),
    "slots are released": (slot_held,),
    "nothing is left open": (job_still_running,),
    "forged reports are counted": (forged_not_counted, forged_out_of_nowhere, forged_more_often_than_told),
    "waiting jobs say why": (waits_for_nothing,),
    "gpu time is charged once": (charged_twice, never_charged),
    "each success teaches once": (taught_twice,),
}


@pytest.mark.parametrize(
    ("invariant", "break_it"),
    [
        pytest.param(name, break_it, id=f"{name}: {break_it.__name__}")
        for name, some in BREAKS.items()
        for break_it in some
    ],
)
def test_a_broken_invariant_is_named(
    invariant: str, break_it: Break, rendered: Job, artifact_root: Path
) -> None:
    seen = break_it(artifact_root) or {}
    told = [line.partition(":")[0] for line in verify.broken(**seen)]
    assert invariant in told


def test_a_forged_report_may_be_delivered_again_where_connections_were_cut(rendered: Job) -> None:
    farm_clock()
    FarmClock.objects.update(forged_reports=3)
    assert not [line for line in verify.broken(forged=1, struck=True) if line.startswith("forged")]


def test_every_invariant_is_broken_here() -> None:
    assert set(BREAKS) == set(verify.CHECKS)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite cannot let go of a unique constraint")
def test_a_second_take_is_seen_even_where_the_database_allows_it(rendered: Job) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'review_take'::regclass AND contype = 'u'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE review_take DROP CONSTRAINT "{name}"')
    take = Take.objects.get()
    take.pk, take.number = uuid4(), 99
    take.save(force_insert=True)
    told = [line.partition(":")[0] for line in verify.broken()]
    assert "at most one take per job" in told
