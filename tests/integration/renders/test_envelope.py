"""What a request may say beside what it makes: when, where, after what, how urgent, and for whom it waits."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import Conflict, Problem, Refused
from apps.nodes.models import Node, Pool
from apps.projects.models import Project
from apps.renders.models import Job, Lane, NeedTier, Priority, RenderBatch
from apps.renders.services.control import cancel, pause_batch
from apps.renders.services.deadlines import ROOM, TIMEOUT_OVER_EXPECTED
from apps.renders.services.dispatch import dispatch
from apps.renders.services.planning import plan
from apps.renders.services.record import Recorded
from apps.renders.services.submit import Envelope, Step, submit
from apps.renders.services.sweep import sweep
from apps.renders.states import JobState
from apps.renders.warnings import batch_warnings
from tests.factories import JobFactory, MembershipFactory, NodeFactory, ShotFactory
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, next_order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]

PICTURE = Step(template="sd15_t2i")


def press(
    user: User, film: Project, *steps: Step, key: str = "k1", count: int = 1, **wishes: Any
) -> RenderBatch:
    shots = ShotFactory.create_batch(count, sequence=film.sequences.get())
    return submit(
        user=user,
        project=film,
        shots=shots,
        steps=steps or (PICTURE,),
        idempotency_key=key,
        envelope=Envelope(**wishes),
    ).batch


def refused(user: User, film: Project, **wishes: Any) -> Problem:
    """The one problem with these wishes; nothing was written."""
    before = Job.objects.count()
    with pytest.raises(Refused) as told:
        press(user, film, **wishes)
    assert Job.objects.count() == before
    assert not RenderBatch.objects.filter(idempotency_key="k1").exists()
    [problem] = told.value.problems
    assert str(problem.message)
    return problem


def in_(**span: float) -> datetime:
    return database_now() + timedelta(**span)


def test_every_job_carries_the_wishes_of_its_request(film: Project, coordinator: User) -> None:
    pool = Pool.objects.create(name="nights")
    node = NodeFactory.create(name="gpu-a", pool=pool, tags="a100\nfast", tier_gb=48)
    start, deadline = in_(hours=1), in_(hours=9)
    batch = press(
        coordinator,
        film,
        count=2,
        priority=Priority.HIGH,
        start_after=start,
        deadline=deadline,
        pool="nights",
        tags=("fast", "A100", "Fast "),
        pinned_to="gpu-a",
    )
    for job in batch.jobs.select_related("lane"):
        assert (job.priority, job.rank) == (Priority.HIGH, Priority.HIGH)
        assert (job.start_after, job.deadline) == (start, deadline)
        assert (job.pool, job.pinned_to, job.tags) == (pool, node, "a100\nfast")
        assert job.lane is not None
        assert (job.lane.pool, job.lane.pinned_to, job.lane.tags) == (pool, node, "a100\nfast")
        assert job.warnings == []


@pytest.mark.parametrize(
    ("wishes", "field", "value", "remedy"),
    [
        ({"pool": "days"}, "pool", "days", "there are: nights"),
        ({"pinned_to": "gpu-z"}, "pinned_to", "gpu-z", "there are: gpu-a"),
        ({"tags": ("two words",)}, "tags", "two words", "a tag is a word"),
        ({"tags": ("night!",)}, "tags", "night!", "letters, digits and . : + - _"),
        ({"tags": ("x" * 41,)}, "tags", "x" * 41, "at most 40 letters"),
        ({"tags": tuple(f"t{n}" for n in range(21))}, "tags", "21", "at most 20 tags"),
        ({"priority": 7}, "priority", "7", "30 (urgent)"),
        ({"after": ("J999999",)}, "after", "J999999", "such as J000012"),
        ({"after": tuple(f"J{n}" for n in range(51))}, "after", "51", "at most 50 jobs"),
        ({"pinned_to": "gpu-a", "pool": "empty"}, "pinned_to", "gpu-a", "not in the pool empty"),
        ({"pinned_to": "gpu-a", "tags": ("huge",)}, "pinned_to", "gpu-a", "lacks the tags: huge"),
    ],
)
def test_a_wish_that_cannot_be_kept_is_refused_naming_field_value_and_remedy(
    film: Project, coordinator: User, wishes: dict[str, Any], field: str, value: str, remedy: str
) -> None:
    NodeFactory.create(name="gpu-a", pool=Pool.objects.create(name="nights"), tags="fast")
    Pool.objects.create(name="empty")
    if wishes == {"pool": "days"}:
        Pool.objects.filter(name="empty").delete()
    problem = refused(coordinator, film, **wishes)
    assert (problem.field, problem.value) == (field, value)
    assert remedy in str(problem.message)


def test_a_deadline_that_has_passed_is_refused(film: Project, coordinator: User) -> None:
    problem = refused(coordinator, film, deadline=in_(seconds=-1))
    assert (problem.field, problem.code) == ("deadline", "in_the_past")
    assert "this has passed" in str(problem.message)


def test_a_start_after_the_deadline_is_refused(film: Project, coordinator: User) -> None:
    problem = refused(coordinator, film, start_after=in_(hours=2), deadline=in_(hours=1))
    assert (problem.field, problem.code) == ("start_after", "after_deadline")


def test_all_that_is_wrong_is_told_at_once(film: Project, coordinator: User) -> None:
    planned = plan(
        project=film,
        shots=[],
        steps=[Step(template="sd15_t2i", takes=0)],
        envelope=Envelope(deadline=in_(hours=-1), pool="nowhere", after=("J1",)),
        user=coordinator,
    )
    fields = [problem.field for problem in planned.problems]
    assert fields == ["shots", "steps[0].takes", "deadline", "pool", "after"]


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"pool": "empty"}, "pool_empty"),
        ({"tags": ("huge",)}, "tags_nobody"),
        ({"pool": "nights", "tags": ("huge",)}, "tags_nobody_in_pool"),
        ({"pinned_to": "small"}, "pin_too_small"),
    ],
)
def test_what_no_node_can_keep_today_is_warned_of_once_and_kept_with_every_job(
    film: Project, coordinator: User, wishes: dict[str, Any], code: str
) -> None:
    Pool.objects.create(name="empty")
    NodeFactory.create(name="small", tier_gb=8, pool=Pool.objects.create(name="nights"), tags="fast")
    batch = press(coordinator, film, Step(template="flux_t2i"), count=3, **wishes)
    [warning] = batch_warnings(batch)
    assert (warning.code, warning.field) == (
        code,
        {"pool_empty": "pool", "pin_too_small": "pinned_to"}.get(code, "tags"),
    )
    assert [[row["code"] for row in job.warnings] for job in batch.jobs.all()] == [[code]] * 3


def test_a_pin_to_a_node_that_lacks_the_model_is_refused(
    film: Project, coordinator: User, node24: Hand, bus: Any
) -> None:
    poor = Hand(
        "poor", tier_gb=24, broker=bus, able=type(node24.able)(classes=node24.able.classes, models={})
    )
    poor.arrives()
    assert press(coordinator, film, key="there", pinned_to="gpu24").jobs.get().pinned_to is not None
    problem = refused(coordinator, film, pinned_to="poor")
    assert problem.field == "steps[0].models"
    assert "poor" in str(problem.message)


def test_a_request_that_waits_for_another_is_blocked_until_all_of_that_is_done(
    film: Project, coordinator: User, node24: Hand
) -> None:
    first = press(coordinator, film, key="first", count=2)
    codes = tuple(first.jobs.order_by("code").values_list("code", flat=True))
    later = press(coordinator, film, key="later", count=2, after=codes)
    assert [job.state for job in later.jobs.all()] == [JobState.BLOCKED] * 2
    assert all(job.wait_code == "depends" for job in later.jobs.all())
    assert node24.finishes(next_order(node24)) is Recorded.DONE
    assert {job.state for job in later.jobs.all()} == {JobState.BLOCKED}, "one of the two is not done"
    assert node24.finishes(next_order(node24)) is Recorded.DONE
    assert {job.state for job in later.jobs.all()} == {JobState.READY}


def test_a_request_after_a_finished_job_starts_at_once(
    film: Project, coordinator: User, node24: Hand, job: Job
) -> None:
    node24.finishes(next_order(node24))
    assert again(job).state == JobState.SUCCEEDED
    assert press(coordinator, film, after=(job.code,)).jobs.get().state == JobState.READY


def test_a_cancelled_job_is_not_waited_for(film: Project, coordinator: User, job: Job) -> None:
    cancel(job, user=coordinator)
    problem = refused(coordinator, film, after=(job.code,))
    assert (problem.field, problem.value, problem.code) == ("after", job.code, "cancelled_job")


def test_a_failed_job_is_waited_for_with_a_warning(film: Project, coordinator: User, job: Job) -> None:
    Job.objects.update(state=JobState.FAILED)
    batch = press(coordinator, film, after=(job.code,))
    [waiting] = batch.jobs.all()
    assert (waiting.state, waiting.wait_code) == (JobState.BLOCKED, "depends_failed")
    assert [warning.code for warning in batch_warnings(batch)] == ["after_failed"]


def test_a_job_of_a_project_one_does_not_see_looks_as_if_there_were_none(
    film: Project, coordinator: User
) -> None:
    secret = JobFactory.create()
    problem = refused(coordinator, film, after=(secret.code,))
    absent = refused(coordinator, film, after=("J999999",))
    assert (problem.code, str(problem.message)) == (absent.code, str(absent.message))


def test_a_job_of_another_project_of_ones_own_is_waited_for(film: Project, coordinator: User) -> None:
    other = JobFactory.create()
    MembershipFactory.create(project=other.project, user=coordinator, role="artist")
    assert press(coordinator, film, after=(other.code,)).jobs.get().state == JobState.BLOCKED


def test_only_the_roots_of_a_chain_wait_for_the_other_request(
    film: Project, coordinator: User, job: Job
) -> None:
    batch = press(coordinator, film, PICTURE, Step(template="wan22_i2v"), after=(job.code,))
    keyframe, clip = batch.jobs.get(kind="keyframe"), batch.jobs.get(kind="clip")
    assert [row.depends_on for row in keyframe.dependencies.all()] == [job]
    assert [row.depends_on for row in clip.dependencies.all()] == [keyframe]


def test_a_clip_starts_from_the_keyframe_it_is_asked_to_come_after(
    film: Project, coordinator: User, job: Job
) -> None:
    newer = submit(
        user=coordinator, project=film, shots=[job.shot], steps=[PICTURE], idempotency_key="newer"
    ).batch.jobs.get()
    clip = submit(
        user=coordinator,
        project=film,
        shots=[job.shot],
        steps=[Step(template="wan22_i2v")],
        idempotency_key="clip",
        envelope=Envelope(after=(job.code,)),
    ).batch.jobs.get()
    [row] = clip.dependencies.all()
    assert (row.depends_on, row.role) == (job, "first_frame")
    assert newer.pk != job.pk


def test_a_job_waited_for_that_ends_while_the_request_is_written_blocks_nobody_for_good(
    film: Project, coordinator: User, job: Job
) -> None:
    batch = press(coordinator, film, after=(job.code,))
    Job.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED)  # its recorder did not see our rows
    assert sweep() >= 0
    assert batch.jobs.get().state == JobState.READY


def test_a_batch_that_is_asked_for_paused_waits_until_it_is_resumed(
    film: Project, coordinator: User, node24: Hand
) -> None:
    batch = press(coordinator, film, paused=True)
    assert (batch.paused, batch.paused_by) == (True, coordinator.username)
    assert [job.held for job in batch.jobs.all()] == [True]
    assert dispatch() == 0
    pause_batch(batch, paused=False, user=coordinator)
    assert dispatch() == 1


def test_without_experience_a_job_must_start_by_what_its_manifest_lets_expect(
    film: Project, coordinator: User
) -> None:
    deadline = in_(hours=5)
    job = press(coordinator, film, deadline=deadline).jobs.get()
    assert job.start_by == deadline - timedelta(seconds=ROOM * 600 / TIMEOUT_OVER_EXPECTED)


def test_with_experience_a_chain_must_start_early_enough_for_its_last_job(
    film: Project, coordinator: User
) -> None:
    press(coordinator, film, PICTURE, Step(template="wan22_i2v"), key="before")
    for lane in Lane.objects.select_related("need__template_version__template"):
        slug = lane.need.template_version.template.slug
        seconds = {"sd15_t2i": 10.0, "wan22_i2v": 100.0}[slug]
        NeedTier.objects.create(need=lane.need, tier_gb=24, successes=3, seconds_mean=seconds)
        NeedTier.objects.create(need=lane.need, tier_gb=48, ooms=1)
    deadline = in_(hours=5)
    batch = press(coordinator, film, PICTURE, Step(template="wan22_i2v"), deadline=deadline)
    clip, keyframe = batch.jobs.get(kind="clip"), batch.jobs.get(kind="keyframe")
    assert clip.start_by == deadline - timedelta(seconds=200)
    assert keyframe.start_by == deadline - timedelta(seconds=220)


def test_a_request_without_new_wishes_keeps_the_hash_it_had_before_there_were_any(
    film: Project, coordinator: User
) -> None:
    """What was sent to an older farm and is repeated to this one is known again."""
    [shot] = ShotFactory.create_batch(1, sequence=film.sequences.get())
    step = asdict(PICTURE)
    for later in ("start_from", "role", "given", "also", "also_given", "files", "fresh"):
        del step[later]
    content = [[str(shot.pk)], [step], 10, ""]
    old_hash = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    made = submit(user=coordinator, project=film, shots=[shot], steps=[PICTURE], idempotency_key="k").batch
    assert made.request_hash == old_hash


def test_the_same_key_with_another_wish_is_another_request(film: Project, coordinator: User) -> None:
    shots = ShotFactory.create_batch(1, sequence=film.sequences.get())
    deadline = in_(hours=1)

    def ask(**wishes: Any) -> bool:
        return submit(
            user=coordinator,
            project=film,
            shots=shots,
            steps=[PICTURE],
            idempotency_key="k",
            envelope=Envelope(**wishes),
        ).created

    assert ask(deadline=deadline)
    assert not ask(deadline=deadline)
    with pytest.raises(Conflict):
        ask()


def test_a_request_is_repeated_even_when_its_deadline_has_passed(film: Project, coordinator: User) -> None:
    shots = ShotFactory.create_batch(1, sequence=film.sequences.get())
    deadline = in_(hours=1)
    envelope = Envelope(deadline=deadline)
    first = submit(
        user=coordinator, project=film, shots=shots, steps=[PICTURE], idempotency_key="k", envelope=envelope
    )
    assert Node.objects.count() == 0
    with pytest.MonkeyPatch.context() as patch:
        later = deadline + timedelta(days=1)
        patch.setattr("apps.renders.services.envelope.database_now", lambda: later)
        again_ = submit(
            user=coordinator,
            project=film,
            shots=shots,
            steps=[PICTURE],
            idempotency_key="k",
            envelope=envelope,
        )
    assert (again_.batch, again_.created) == (first.batch, False)
