"""What people change in jobs that wait: pause, priority, times, place; one, a batch, a selection."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import F, Q
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import Conflict, NotAllowed, Refused
from apps.common.models import StateEvent
from apps.nodes.models import Pool
from apps.projects.models import Membership, Project
from apps.projects.roles import Role
from apps.renders.models import Attempt, Job, Lane, Priority, RenderBatch
from apps.renders.selectors import story
from apps.renders.services import steering
from apps.renders.services.control import (
    cancel_batch,
    cancel_jobs,
    change_batch,
    change_job,
    change_jobs,
    pause,
    pause_batch,
    prioritise,
    requeue,
)
from apps.renders.services.dispatch import DUE_RANK, dispatch, explain_waiting
from apps.renders.services.holds import pause_project
from apps.renders.services.steering import Wishes
from apps.renders.services.submit import Envelope, Step, submit
from apps.renders.states import AttemptState, JobState
from tests.factories import BatchFactory, JobFactory, MembershipFactory, NodeFactory, ShotFactory
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, dispatched, executing, press

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]


def batch_of(film: Project, coordinator: User, count: int, *steps: Step, key: str = "many") -> RenderBatch:
    shots = ShotFactory.create_batch(count, sequence=film.sequences.get())
    asked = steps or (Step(template="sd15_t2i"),)
    return submit(user=coordinator, project=film, shots=shots, steps=asked, idempotency_key=key).batch


def of(batch: RenderBatch) -> Any:
    return Job.objects.filter(batch=batch)


def wishes_told(job: Job) -> list[tuple[str, str, str, dict[str, Any]]]:
    """The wishes in a job's story: machine, what, by whom, and what it changed."""
    rows = story(job).filter(machine__endswith="_wish")
    return [(row.machine, row.to_state, row.actor, row.data.get("changes", {})) for row in rows]


def in_(**span: float) -> datetime:
    return database_now() + timedelta(**span)


def held_right() -> bool:
    """Every job is held exactly while it or its batch is paused."""
    wrong = Q(held=True, paused=False, batch__paused=False) | Q(held=False) & (
        Q(paused=True) | Q(batch__paused=True)
    )
    return not Job.objects.filter(wrong).exists()


# --- pause ---


def test_a_paused_job_is_not_sent_and_goes_on_when_resumed(node24: Hand, job: Job, coordinator: User) -> None:
    assert pause(job, paused=True, user=coordinator)
    assert (again(job).held, again(job).paused_by) == (True, coordinator.username)
    assert dispatch() == 0
    assert pause(job, paused=False, user=coordinator)
    assert (again(job).held, again(job).paused_by) == (False, "")
    assert dispatch() == 1
    assert wishes_told(job) == [
        ("job_wish", "paused", coordinator.username, {"paused": [False, True]}),
        ("job_wish", "resumed", coordinator.username, {"paused": [True, False]}),
    ]


def test_pausing_twice_is_told_once_and_keeps_who_was_first(
    job: Job, coordinator: User, film: Project
) -> None:
    second = MembershipFactory.create(project=film).user
    pause(job, paused=True, user=coordinator)
    assert pause(job, paused=True, user=second), "it is open, and paused as wished"
    assert again(job).paused_by == coordinator.username
    assert len(wishes_told(job)) == 1


@pytest.mark.parametrize("order", (("job", "batch"), ("batch", "job")))
def test_a_job_is_held_until_both_it_and_its_batch_are_resumed(
    film: Project, coordinator: User, order: tuple[str, str]
) -> None:
    batch = batch_of(film, coordinator, 2)
    first, other = of(batch).order_by("code")
    pause(first, paused=True, user=coordinator)
    pause_batch(batch, paused=True, user=coordinator)
    assert [again(one).held for one in (first, other)] == [True, True]
    for which in order:
        if which == "job":
            pause(first, paused=False, user=coordinator)
        else:
            pause_batch(batch, paused=False, user=coordinator)
        assert held_right()
    assert [again(one).held for one in (first, other)] == [False, False]


def test_a_batchs_pause_stands_in_the_story_of_each_open_job_of_it(film: Project, coordinator: User) -> None:
    batch = batch_of(film, coordinator, 2)
    open_, closed = of(batch).order_by("code")
    Job.objects.filter(pk=closed.pk).update(state=JobState.FAILED)
    assert pause_batch(batch, paused=True, user=coordinator, reason="the client is on the phone")
    assert not pause_batch(batch, paused=True, user=coordinator)
    assert wishes_told(open_) == [("batch_wish", "paused", coordinator.username, {})]
    assert wishes_told(closed) == []
    [event] = StateEvent.objects.filter(story=batch.pk)
    assert (event.to_state, event.reason) == ("paused", "the client is on the phone")


def test_a_failed_job_of_a_paused_batch_that_is_requeued_is_held(
    film: Project, coordinator: User, node24: Hand
) -> None:
    batch = batch_of(film, coordinator, 1)
    Job.objects.update(state=JobState.FAILED)
    pause_batch(batch, paused=True, user=coordinator)
    assert requeue(of(batch).select_related("project").get(), user=coordinator)
    assert held_right()
    assert dispatch() == 0
    pause_batch(batch, paused=False, user=coordinator)
    assert dispatch() == 1


def test_a_pause_leaves_alone_what_a_node_has(node24: Hand, job: Job, coordinator: User) -> None:
    order = executing(node24)
    assert pause(job, paused=True, user=coordinator)
    node24.finishes(order)
    assert again(job).state == JobState.SUCCEEDED


@pytest.mark.parametrize("what", ("job", "batch", "project"))
def test_a_resumed_jobs_lane_is_looked_at_again(
    job: Job, coordinator: User, film: Project, what: str
) -> None:
    Membership.objects.update(role=Role.ADMIN)

    def press_pause(*, paused: bool) -> None:
        if what == "job":
            pause(job, paused=paused, user=coordinator)
        elif what == "batch":
            pause_batch(job.batch, paused=paused, user=coordinator)
        else:
            pause_project(film, paused=paused, user=coordinator)

    press_pause(paused=True)
    explain_waiting()
    assert Lane.objects.get().active == (what == "project"), "only a lane without a job that may start sleeps"
    press_pause(paused=False)
    assert Lane.objects.get().active


# --- priority ---


def test_a_whole_batch_is_hurried_and_overtakes(film: Project, coordinator: User, node24: Hand) -> None:
    waiting = batch_of(film, coordinator, 3)
    hurried = batch_of(film, coordinator, 2, key="hurried")
    outcome = change_batch(hurried, {"priority": Priority.URGENT}, user=coordinator)
    assert sorted(outcome.changed) == list(of(hurried).order_by("code").values_list("code", flat=True))
    assert dispatch() >= 1
    sent = Attempt.objects.order_by("created_at").first()
    assert sent is not None
    assert sent.job.batch_id == hurried.pk
    assert set(of(waiting).values_list("priority", "rank")) == {(10, 10)}
    told = wishes_told(sent.job)
    assert told == [("job_wish", "changed", coordinator.username, {"priority": [10, 30]})]


@pytest.mark.parametrize(
    ("rank", "priority", "then"),
    [(10, 20, 20), (30, 20, 30), (30, 0, 30), (20, 30, 30)],
    ids=("not raised", "raised stays", "raised and lowered", "raised less than wished"),
)
def test_a_rank_that_the_deadline_raised_is_not_lowered_by_a_priority(
    job: Job, coordinator: User, rank: int, priority: int, then: int
) -> None:
    Job.objects.update(rank=rank, deadline=in_(hours=1), start_by=None)
    assert prioritise(job, priority=priority, user=coordinator)
    assert (again(job).priority, again(job).rank) == (priority, then)


def test_a_lowered_priority_lowers_the_rank_that_nothing_raised(job: Job, coordinator: User) -> None:
    prioritise(job, priority=Priority.URGENT, user=coordinator)
    prioritise(job, priority=Priority.LOW, user=coordinator)
    assert again(job).rank == Priority.LOW


def test_a_later_deadline_takes_the_raise_back_and_says_when_to_raise_again(
    job: Job, coordinator: User
) -> None:
    Job.objects.update(rank=30, deadline=in_(minutes=1), start_by=None)
    deadline = in_(days=2)
    assert change_job(job, {"deadline": deadline}, user=coordinator)
    now = again(job)
    assert (now.rank, now.deadline) == (Priority.NORMAL, deadline)
    assert now.start_by is not None
    assert now.start_by < deadline
    assert change_job(job, {"deadline": None}, user=coordinator)
    assert (again(job).deadline, again(job).start_by) == (None, None)


def a_chain(film: Project, coordinator: User) -> tuple[Job, Job]:
    """A keyframe, and the clip that waits for it."""
    steps = (Step(template="sd15_t2i"), Step(template="wan22_i2v", start_from=0, frames=17))
    keyframe, clip = of(batch_of(film, coordinator, 1, *steps)).order_by("code")
    return keyframe, clip


def test_a_deadline_of_a_clip_hurries_the_keyframe_it_waits_for(film: Project, coordinator: User) -> None:
    keyframe, clip = a_chain(film, coordinator)
    assert change_job(clip, {"deadline": in_(hours=8)}, user=coordinator)
    by, before = again(clip).start_by, again(keyframe).start_by
    assert by is not None
    assert before is not None
    assert before < by
    assert again(keyframe).deadline is None, "nobody gave it one"
    assert change_job(clip, {"deadline": None}, user=coordinator)
    assert again(keyframe).start_by is None


def test_a_keyframe_whose_own_deadline_is_taken_back_keeps_that_of_its_clip(
    film: Project, coordinator: User
) -> None:
    keyframe, clip = a_chain(film, coordinator)
    change_batch(clip.batch, {"deadline": in_(hours=8)}, user=coordinator)
    by = again(keyframe).start_by
    assert by is not None
    assert change_job(keyframe, {"deadline": None}, user=coordinator)
    assert again(keyframe).start_by == by


def test_a_chain_is_seen_in_a_batch_that_is_changed_in_portions(
    film: Project, coordinator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyframe, clip = a_chain(film, coordinator)
    deadline = in_(hours=8)
    change_batch(clip.batch, {"deadline": deadline}, user=coordinator)
    by = again(keyframe).start_by
    change_batch(clip.batch, {"deadline": None}, user=coordinator)
    assert again(keyframe).start_by is None
    monkeypatch.setattr(steering, "AT_ONCE", 1)
    change_batch(clip.batch, {"deadline": deadline}, user=coordinator)
    assert again(keyframe).start_by == by


def test_a_raise_that_a_clips_deadline_brought_goes_when_it_is_put_off(
    film: Project, coordinator: User
) -> None:
    keyframe, clip = a_chain(film, coordinator)
    change_job(clip, {"deadline": in_(seconds=30)}, user=coordinator)
    dispatch()
    assert (again(keyframe).rank, again(keyframe).start_by) == (DUE_RANK, None)
    change_job(clip, {"deadline": in_(days=2)}, user=coordinator)
    assert again(keyframe).rank == Priority.NORMAL
    assert again(keyframe).start_by is not None


# --- what others wait for ---


def test_whoever_is_hurried_hurries_what_it_waits_for_and_no_longer_than_that(
    film: Project, coordinator: User, node24: Hand
) -> None:
    keyframe, clip = a_chain(film, coordinator)
    others = [press(film, coordinator, "sd15_t2i", key=key) for key in ("first", "second")]
    Job.objects.filter(pk__in=[job.pk for job in others]).update(ready_at=in_(hours=-1))
    assert prioritise(clip, priority=Priority.URGENT, user=coordinator)
    assert (again(keyframe).priority, again(keyframe).rank) == (Priority.NORMAL, Priority.URGENT)
    assert prioritise(keyframe, priority=Priority.LOW, user=coordinator)
    assert again(keyframe).rank == Priority.URGENT, "the clip still waits for it"
    assert dispatch() == 2
    assert node24.claimed().job_id == str(keyframe.pk), "it does not wait behind older work"


def test_what_was_hurried_for_another_is_so_no_more_when_that_is_not(
    film: Project, coordinator: User
) -> None:
    keyframe, clip = a_chain(film, coordinator)
    prioritise(clip, priority=Priority.URGENT, user=coordinator)
    prioritise(clip, priority=Priority.LOW, user=coordinator)
    assert again(keyframe).rank == Priority.NORMAL
    prioritise(clip, priority=Priority.URGENT, user=coordinator)
    change_batch(clip.batch, {"priority": Priority.LOW}, user=coordinator)
    assert {again(job).rank for job in (keyframe, clip)} == {Priority.LOW}


def test_a_request_hurries_what_it_waits_for_of_an_earlier_one(film: Project, coordinator: User) -> None:
    keyframe = press(film, coordinator, "sd15_t2i", key="keyframe")
    clip = submit(
        user=coordinator,
        project=film,
        shots=[keyframe.shot],
        steps=[Step(template="wan22_i2v", frames=17)],
        idempotency_key="clip",
        envelope=Envelope(priority=Priority.URGENT, deadline=in_(hours=8)),
    ).batch.jobs.get()
    assert clip.dependencies.get().depends_on == keyframe
    now = again(keyframe)
    assert (now.priority, now.rank) == (Priority.NORMAL, Priority.URGENT)
    assert now.start_by is not None
    assert clip.start_by is not None
    assert now.start_by < clip.start_by


def test_a_requeued_job_counts_as_what_waits_for_it(film: Project, coordinator: User) -> None:
    keyframe, clip = a_chain(film, coordinator)
    prioritise(clip, priority=Priority.HIGH, user=coordinator)
    Job.objects.filter(pk=keyframe.pk).update(state=JobState.FAILED, rank=Priority.NORMAL)
    assert requeue(again(keyframe), user=coordinator)
    assert again(keyframe).rank == Priority.HIGH


# --- when and where ---


def test_pool_tags_and_pin_move_a_job_to_another_lane_in_the_same_transaction(
    job: Job, coordinator: User
) -> None:
    pool = Pool.objects.create(name="nights")
    node = NodeFactory.create(name="gpu-a", pool=pool, tags="fast")
    before = again(job).lane_id
    assert change_job(job, {"pool": "nights", "tags": ["fast"], "pinned_to": "gpu-a"}, user=coordinator)
    moved = Job.objects.select_related("lane").get(pk=job.pk)
    assert moved.lane_id != before
    assert moved.lane is not None
    assert (moved.lane.pool, moved.lane.tags, moved.lane.pinned_to) == (pool, "fast", node)
    assert (moved.pool, moved.tags, moved.pinned_to) == (pool, "fast", node)
    assert change_job(job, {"pool": "", "tags": [], "pinned_to": ""}, user=coordinator)
    assert again(job).lane_id == before
    changes = wishes_told(job)[0][3]
    assert changes == {"pool": [None, "nights"], "tags": ["", "fast"], "pinned_to": [None, "gpu-a"]}


def test_a_job_whose_start_is_put_off_waits_and_starts_when_it_is_taken_back(
    node24: Hand, job: Job, coordinator: User
) -> None:
    change_job(job, {"start_after": in_(hours=1)}, user=coordinator)
    assert dispatch() == 0
    change_job(job, {"start_after": None}, user=coordinator)
    assert dispatch() == 1


@pytest.mark.parametrize(
    ("wishes", "field", "told"),
    [
        ({"pool": "days"}, "pool", "no such pool"),
        ({"pinned_to": "nowhere"}, "pinned_to", "no such node"),
        ({"tags": ["a b"]}, "tags", "a tag is a word"),
        ({"priority": 11}, "priority", "choose one of"),
    ],
)
def test_a_wish_that_cannot_be_kept_changes_nothing(
    job: Job, coordinator: User, wishes: Wishes, field: str, told: str
) -> None:
    before = Job.objects.values().get(pk=job.pk)
    with pytest.raises(Refused) as refused:
        change_job(job, {"paused": True, **wishes}, user=coordinator)
    [problem] = refused.value.problems
    assert problem.field == field
    assert told in str(problem.message)
    assert Job.objects.values().get(pk=job.pk) == before
    assert wishes_told(job) == []


def test_times_are_judged_beside_those_that_stay(film: Project, coordinator: User) -> None:
    batch = batch_of(film, coordinator, 2)
    first, second = of(batch).order_by("code")
    change_job(first, {"deadline": in_(hours=2)}, user=coordinator)
    with pytest.raises(Refused, match=f"start_after .*{first.code}") as refused:
        change_jobs(of(batch), {"start_after": in_(hours=3)}, user=coordinator)
    assert refused.value.problems[0].code == "after_deadline"
    assert again(second).start_after is None, "all of the selection or none"
    with pytest.raises(Refused, match="this has passed"):
        change_job(first, {"deadline": in_(hours=-1)}, user=coordinator)


def test_a_wish_that_one_of_thousands_cannot_be_given_changes_none_of_them(
    film: Project, coordinator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steering, "AT_ONCE", 2)
    batch = batch_of(film, coordinator, 5)
    last = of(batch).order_by("pk").last()
    change_job(last, {"deadline": in_(hours=2)}, user=coordinator)
    with pytest.raises(Refused, match=last.code):
        change_jobs(of(batch), {"start_after": in_(hours=3)}, user=coordinator)
    assert set(of(batch).values_list("start_after", flat=True)) == {None}


def test_a_large_change_that_somebody_crosses_says_how_far_it_came_and_goes_on_when_asked_again(
    film: Project, coordinator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steering, "AT_ONCE", 2)
    batch = batch_of(film, coordinator, 5)
    last = of(batch).order_by("pk").last()
    late = in_(hours=3)
    real, portions = steering._change_portion, list[int]()

    def crossed(keys: list[UUID], *args: Any) -> Any:
        portions.append(len(keys))
        if len(portions) == 2:
            change_job(last, {"deadline": in_(hours=2)}, user=coordinator)
        return real(keys, *args)

    def crosses(keys: list[UUID], *args: Any) -> Any:
        return real(keys, *args) if keys == [last.pk] and len(portions) == 2 else crossed(keys, *args)

    monkeypatch.setattr(steering, "_change_portion", crosses)
    with pytest.raises(Conflict) as conflict:
        change_jobs(of(batch), {"start_after": late}, user=coordinator)
    assert [problem.code for problem in conflict.value.problems] == ["after_deadline", "partly_done"]
    assert "4 of 5 jobs were changed" in str(conflict.value)
    assert of(batch).filter(start_after=late).count() == 4
    change_job(last, {"deadline": None}, user=coordinator)
    outcome = change_jobs(of(batch), {"start_after": late}, user=coordinator)
    assert (len(outcome.same), outcome.changed) == (4, [last.code])


def test_a_pin_is_judged_beside_the_pool_that_stays(job: Job, coordinator: User) -> None:
    Pool.objects.create(name="nights")
    NodeFactory.create(name="elsewhere")
    change_job(job, {"pool": "nights"}, user=coordinator)
    with pytest.raises(Refused, match="not in the pool nights"):
        change_job(job, {"pinned_to": "elsewhere"}, user=coordinator)
    assert again(job).pinned_to is None


@pytest.mark.parametrize("name", ("pool", "tags", "pinned_to", "start_after"))
def test_where_a_job_renders_is_not_changed_once_a_node_has_it(
    node24: Hand, job: Job, coordinator: User, name: str
) -> None:
    dispatched(node24)
    Pool.objects.create(name="nights")
    NodeFactory.create(name="gpu-a")
    wished: Any = {
        "pool": "nights",
        "tags": ["fast"],
        "pinned_to": "gpu-a",
        "start_after": in_(hours=1),
    }
    before = Job.objects.values().get(pk=job.pk)
    with pytest.raises(Conflict, match="a node has it"):
        change_job(job, cast(Wishes, {name: wished[name], "priority": 30}), user=coordinator)
    assert Job.objects.values().get(pk=job.pk) == before
    assert change_job(job, {"priority": 30, "deadline": in_(hours=1)}, user=coordinator), "these still count"


def test_a_selection_tells_what_became_of_each_job(film: Project, coordinator: User, node24: Hand) -> None:
    batch = batch_of(film, coordinator, 4)
    waits, same, sent, closed = of(batch).order_by("code")
    Pool.objects.create(name="nights")
    change_job(same, {"pool": "nights"}, user=coordinator)
    Job.objects.filter(pk=sent.pk).update(state=JobState.RUNNING)
    Job.objects.filter(pk=closed.pk).update(state=JobState.CANCELLED)
    outcome = change_jobs(of(batch), {"pool": "nights"}, user=coordinator)
    assert (outcome.changed, outcome.same) == ([waits.code], [same.code])
    assert (outcome.in_flight, outcome.closed) == ([sent.code], [closed.code])


def test_a_closed_job_is_not_changed(job: Job, coordinator: User) -> None:
    Job.objects.update(state=JobState.SUCCEEDED)
    with pytest.raises(Conflict, match="closed"):
        change_job(job, {"priority": 30}, user=coordinator)
    assert not pause(job, paused=True, user=coordinator)
    assert not prioritise(job, priority=30, user=coordinator)
    assert (again(job).paused, again(job).priority) == (False, 10)


# --- who ---


def test_whoever_may_not_render_in_one_of_the_projects_changes_none(
    film: Project, coordinator: User, job: Job
) -> None:
    other = JobFactory.create()
    MembershipFactory.create(project=other.project, user=coordinator, role="viewer")
    both = Job.objects.filter(pk__in=[job.pk, other.pk])
    with pytest.raises(NotAllowed, match=f"render in {other.project.code}"):
        change_jobs(both, {"priority": 30}, user=coordinator)
    with pytest.raises(NotAllowed):
        cancel_jobs(both, user=coordinator)
    assert set(both.values_list("priority", "state")) == {(10, "ready")}


# --- many at once ---


def statements(work: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        work()
    inserts = ("INSERT INTO",)  # events: SQLite limits the rows of each
    return sum(not query["sql"].startswith(inserts) for query in captured)


@pytest.mark.parametrize(
    "wishes",
    [
        {"priority": 30},
        {"paused": True},
        {"deadline": True},
        {"pool": "nights", "tags": ["fast"]},
    ],
    ids=("priority", "pause", "deadline", "place"),
)
def test_a_large_selection_costs_as_many_statements_as_a_small_one(
    film: Project, coordinator: User, wishes: Wishes
) -> None:
    Pool.objects.create(name="nights")
    if "deadline" in wishes:
        wishes = {"deadline": in_(hours=3)}
    few, many = batch_of(film, coordinator, 5, key="few"), batch_of(film, coordinator, 200, key="many")
    change_jobs(of(batch_of(film, coordinator, 1, key="one")), wishes, user=coordinator)
    cost = [statements(partial(change_jobs, of(batch), wishes, user=coordinator)) for batch in (few, many)]
    assert cost[0] == cost[1]
    assert StateEvent.objects.filter(machine="job_wish").count() == 206


def test_a_large_batch_is_cancelled_and_paused_in_as_many_statements_as_a_small_one(
    film: Project, coordinator: User
) -> None:
    few, many = batch_of(film, coordinator, 5, key="few"), batch_of(film, coordinator, 200, key="many")
    pausing = [
        statements(partial(pause_batch, batch, paused=True, user=coordinator)) for batch in (few, many)
    ]
    cancelling = [statements(partial(cancel_batch, batch, user=coordinator)) for batch in (few, many)]
    assert pausing[0] == pausing[1]
    assert cancelling[0] == cancelling[1]
    assert set(of(many).values_list("state", flat=True)) == {JobState.CANCELLED}


def test_thousands_of_jobs_are_cancelled_at_once(film: Project, coordinator: User) -> None:
    batch = BatchFactory.create(project=film)
    shot = ShotFactory.create(sequence=film.sequences.get())
    model = JobFactory.create(shot=shot, batch=batch)
    copies = [
        Job(
            **{
                name: getattr(model, name)
                for name in (
                    "project",
                    "batch",
                    "shot",
                    "template_version",
                    "kind",
                    "state",
                    "width",
                    "height",
                )
            },
            code=f"JC{number:06}",
            take_number=10_000 + number,
            seed=7,
            need_gb=12,
            tier_gb=12,
            lane=model.lane,
            ready_at=model.ready_at,
        )
        for number in range(3_000)
    ]
    Job.objects.bulk_create(copies)
    assert cancel_batch(batch, user=coordinator) == 3_001
    assert set(of(batch).values_list("state", flat=True)) == {JobState.CANCELLED}
    assert StateEvent.objects.filter(machine="job", to_state="cancelled").count() == 3_001
    assert cancel_batch(batch, user=coordinator) == 0


def test_cancelling_a_batch_stops_its_nodes_and_tells_what_waits(
    film: Project, coordinator: User, node24: Hand, node8: Hand
) -> None:
    batch = batch_of(film, coordinator, 2)
    later = submit(
        user=coordinator,
        project=film,
        shots=[ShotFactory.create(sequence=film.sequences.get())],
        steps=[Step(template="sd15_t2i")],
        idempotency_key="later",
        envelope=Envelope(after=tuple(of(batch).values_list("code", flat=True))),
    ).batch.jobs.get()
    assert dispatch() == 2
    order = node24.claimed()
    assert cancel_batch(batch, user=coordinator) == 2
    states = {str(row.pk): (row.state, row.holds_slot) for row in Attempt.objects.all()}
    assert states.pop(order.attempt_id) == (AttemptState.CANCELLED, True)
    assert set(states.values()) == {(AttemptState.CANCELLED, False)}
    assert node24.reports().cancelled == (order.attempt_id,)
    assert again(later).wait_code == "depends_failed"


def test_every_change_counts_in_the_rows_version(job: Job, coordinator: User) -> None:
    before = again(job).row_version
    change_job(job, {"priority": 20}, user=coordinator)
    assert not change_job(job, {"priority": 20}, user=coordinator), "as it is already"
    assert again(job).row_version == before + 1
    assert Job.objects.filter(pk=job.pk, rank=F("priority")).exists()


def test_a_batch_is_paused_and_hurried_in_one_go(film: Project, coordinator: User) -> None:
    batch = batch_of(film, coordinator, 2)
    change_batch(batch, {"paused": True, "priority": 20}, user=coordinator, reason="later, but first")
    batch.refresh_from_db()
    assert batch.paused
    assert set(of(batch).values_list("paused", "held", "priority")) == {(False, True, 20)}
    assert press(film, coordinator, "sd15_t2i").held is False
