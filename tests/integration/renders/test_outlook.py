"""When a job will be done: the dispatcher's own rules put before the forecast."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.nodes.models import Node
from apps.nodes.states import Desired
from apps.projects.models import Project
from apps.renders.eta import Eta
from apps.renders.models import Attempt, Job, Lane, Limit, Priority, Usage
from apps.renders.outlook import MOST_AHEAD, Outlook
from apps.renders.services.control import pause, prioritise
from apps.renders.services.dispatch import dispatch, explain_waiting
from apps.renders.services.submit import Step, submit
from apps.renders.states import JobState
from apps.renders.why import why
from tests.factories import (
    JobFactory,
    MembershipFactory,
    SequenceFactory,
    ShotFactory,
    WorkflowTemplateVersionFactory,
)
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import MEAN_S, again, renders, seen

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]


def eta_of(job: Job) -> Eta:
    told = Outlook().of(again(job))
    assert told is not None
    return told


def seconds(at: datetime | None) -> float:
    assert at is not None
    return (at - database_now()).total_seconds()


def middle_of_start(job: Job) -> float:
    start = eta_of(job).start
    assert start is not None
    return (seconds(start.earliest) + seconds(start.latest)) / 2


def test_a_running_job_ends_when_renders_of_its_kind_do(node24: Hand, press: Any) -> None:
    [job] = press()
    seen(job)
    running = renders(node24, since_s=200)
    told = eta_of(running)
    assert running.pk == job.pk
    assert told.start is None
    assert told.end is not None
    assert 300 < seconds(told.end.earliest) < 400 < seconds(told.end.latest) < 500
    assert told.sentence.startswith("Ends between ")


def test_progress_corrects_what_was_seen_before(node24: Hand, press: Any) -> None:
    [job] = press()
    seen(job, spread=200.0)
    running = renders(node24, since_s=450)
    latest = []
    for progress in (0.5, 0.9):
        Job.objects.filter(pk=running.pk).update(progress=progress)
        end = eta_of(running).end
        assert end is not None
        latest.append(seconds(end.latest))
    assert latest[0] > 450
    assert latest[1] < 150


def test_a_waiting_job_starts_after_those_before_it_on_the_nodes_that_can_take_it(
    node24: Hand, press: Any
) -> None:
    jobs = press(5)
    seen(*jobs)
    renders(node24, since_s=0)
    dispatch()
    waiting = [job for job in jobs if again(job).state == JobState.READY]
    assert len(waiting) == 3
    starts = [middle_of_start(job) for job in waiting]
    for place, start in enumerate(starts, start=2):
        assert start == pytest.approx(MEAN_S * place, rel=0.15)
    told = eta_of(waiting[0])
    assert told.sentence.startswith("Starts between ")
    assert ", ends between " in told.sentence


def test_a_second_node_halves_the_wait(node24: Hand, bus: Any, press: Any) -> None:
    jobs = press(8)
    seen(*jobs)
    alone = middle_of_start(jobs[7])
    Hand("other", tier_gb=24, broker=bus).arrives()
    assert middle_of_start(jobs[7]) == pytest.approx(alone / 2, rel=0.25)


def test_who_is_prioritised_starts_earlier_and_the_others_later(
    node24: Hand, press: Any, coordinator: User
) -> None:
    jobs = press(6)
    seen(*jobs)
    before = [middle_of_start(job) for job in jobs]
    prioritise(jobs[5], priority=Priority.URGENT, user=coordinator)
    after = [middle_of_start(job) for job in jobs]
    assert after[5] < before[5] / 3
    assert after[2] > before[2] + MEAN_S / 2


def test_nothing_is_told_before_three_renders_of_the_kind_were_seen(node24: Hand, press: Any) -> None:
    [job] = press()
    seen(job, count=2)
    told = eta_of(job)
    assert (told.start, told.end, told.unknown) == (None, None, "few")
    assert told.sentence == "When it will be done is not known yet: fewer than 3 such renders were seen."
    seen(job, count=3)
    assert eta_of(job).end is not None


def test_nothing_is_told_where_no_node_could_take_it(node8: Hand, press: Any) -> None:
    [job] = press(template="flux_t2i")
    seen(job)
    assert eta_of(job).unknown == "nobody"
    assert eta_of(job).sentence == ""


def test_nothing_is_told_of_what_somebody_holds_back(node24: Hand, press: Any, coordinator: User) -> None:
    [job] = press()
    seen(job)
    pause(job, paused=True, user=coordinator)
    assert eta_of(job).unknown == "held"
    pause(again(job), paused=False, user=coordinator)
    assert eta_of(job).end is not None
    Project.objects.update(paused=True)
    assert eta_of(job).unknown == "held"


def test_a_node_that_drains_does_not_count(node24: Hand, bus: Any, press: Any) -> None:
    jobs = press(8)
    seen(*jobs)
    Hand("other", tier_gb=24, broker=bus).arrives()
    together = middle_of_start(jobs[7])
    Node.objects.filter(name="other").update(desired=Desired.DRAINING)
    assert middle_of_start(jobs[7]) > together * 1.5


def test_what_another_project_gets_by_its_share_goes_before(
    node24: Hand, press: Any, coordinator: User
) -> None:
    jobs = press(6)
    seen(*jobs)
    alone = middle_of_start(jobs[5])
    theirs = SequenceFactory.create(project__code="OTHER", code="SQ900")
    stranger = MembershipFactory.create(project=theirs.project, role="coordinator").user
    shots = ShotFactory.create_batch(40, sequence=theirs)
    batch = submit(
        user=stranger,
        project=theirs.project,
        shots=shots,
        steps=[Step(template="sd15_t2i")],
        idempotency_key="o",
    ).batch
    seen(*batch.jobs.all()[:1])
    shared = middle_of_start(jobs[5])
    assert shared == pytest.approx(2 * alone, rel=0.35)
    Usage.objects.create(project=theirs.project, hour=database_now().replace(minute=0), gpu_seconds=90_000)
    assert middle_of_start(jobs[5]) < shared


def test_a_clip_waits_for_its_keyframe_and_then_for_a_place(
    node24: Hand, press: Any, film: Project, coordinator: User
) -> None:
    [keyframe] = press()
    steps = [Step(template="wan22_i2v", frames=17)]
    clip = submit(
        user=coordinator, project=film, shots=[keyframe.shot], steps=steps, idempotency_key="clip"
    ).batch.jobs.get()
    assert clip.state == JobState.BLOCKED
    seen(keyframe)
    seen(clip, mean=1200.0)
    told = eta_of(clip)
    assert told.start is not None
    assert seconds(told.start.earliest) > MEAN_S * 0.8
    Job.objects.filter(pk=keyframe.pk).update(state=JobState.FAILED)
    assert eta_of(clip).unknown == "held"


def test_a_batch_ends_with_its_last_job(node24: Hand, press: Any) -> None:
    jobs = press(5)
    seen(*jobs)
    batch = Outlook().of_batch(jobs[0].batch)
    last = eta_of(jobs[4])
    assert batch is not None
    assert batch.start is None
    assert batch.end is not None
    assert last.end is not None
    assert last.end.latest is not None
    assert batch.end.earliest <= last.end.latest
    assert seconds(batch.end.latest) > 4 * MEAN_S
    Job.objects.update(state=JobState.SUCCEEDED)
    assert Outlook().of_batch(jobs[0].batch) is None


def test_more_before_it_than_is_counted_leaves_the_end_open(
    node24: Hand, press: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = press(8)
    seen(*jobs)
    monkeypatch.setattr("apps.renders.outlook.MOST_AHEAD", 4)
    told = eta_of(jobs[7])
    assert told.end is not None
    assert told.end.latest is None
    assert "not before" in told.sentence
    assert MOST_AHEAD == 2_000


def test_the_queries_do_not_grow_with_the_backlog(node24: Hand, press: Any) -> None:
    jobs = press(3)
    seen(*jobs)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            Outlook().of(again(jobs[2]))
        return len(asked)

    queries()  # the template is read once in a process
    few = queries()
    press(60)
    assert queries() == few <= 14


def test_the_table_tells_for_each_node_what_keeps_it_or_when_it_is_free(
    node24: Hand, node8: Hand, bus: Any, press: Any
) -> None:
    jobs = press(6, template="flux_t2i")
    seen(*jobs)
    renders(node24, since_s=100)
    explain_waiting()
    rows = {row.node: row for row in why(again(jobs[5])).rows}
    assert set(rows) == {"gpu8", "gpu24"}
    assert rows["gpu8"].sentence == "Has 8 GB; 16 GB are needed."
    assert rows["gpu24"].code == "busy"
    Attempt.objects.filter(node=None).update(node=Node.objects.get(name="gpu24"))
    Hand("idle", tier_gb=48, broker=bus).arrives()
    rows = {row.node: row for row in why(again(jobs[5])).rows}
    assert rows["idle"].sentence == "Free: it would take it."
    assert "staged" in rows["gpu24"].sentence


def test_a_busy_nodes_row_names_the_job_and_what_is_left_of_it(node24: Hand, press: Any) -> None:
    jobs = press(1)
    seen(*jobs)
    running = renders(node24, since_s=100)
    [later] = press(1)
    Attempt.objects.exclude(job=running).update(holds_slot=False)
    [row] = why(again(later)).rows
    assert row.code == "busy"
    assert row.sentence.startswith(f"Renders {running.code}, about 8:")


def test_a_closed_job_has_neither_reason_nor_time(press: Any) -> None:
    [job] = press()
    Job.objects.filter(pk=job.pk).update(state=JobState.CANCELLED)
    told = why(again(job))
    assert (told.reason.sentence, told.rows, told.eta, told.eta_sentence) == ("", [], None, "")


def test_one_template_that_cannot_be_read_stops_no_other(
    node24: Hand, press: Any, caplog: pytest.LogCaptureFixture
) -> None:
    unreadable = WorkflowTemplateVersionFactory.create()
    bad = JobFactory.create(template_version=unreadable, need_gb=8.0, tier_gb=8)
    [good] = press()
    assert dispatch() == 1
    assert again(good).state == JobState.DISPATCHED
    assert again(bad).state == JobState.READY
    assert "a template cannot be read" in caplog.text
    assert eta_of(bad).unknown == "held"


def test_a_limit_makes_wait_whatever_nodes_there_are(node24: Hand, bus: Any, press: Any) -> None:
    for number in range(3):
        Hand(f"more{number}", tier_gb=24, broker=bus).arrives()
    jobs = press(4)
    seen(*jobs)
    free = middle_of_start(jobs[3])
    limit = Limit.objects.create(name="kling", most=1)
    limit.templates.add(jobs[0].template_version.template)
    assert free < MEAN_S / 2
    assert middle_of_start(jobs[3]) == pytest.approx(3 * MEAN_S, rel=0.15)


def test_a_blocked_job_whose_lane_sleeps_has_a_time_too(
    node24: Hand, press: Any, film: Project, coordinator: User
) -> None:
    [keyframe] = press()
    steps = [Step(template="wan22_i2v", frames=17)]
    clip = submit(
        user=coordinator, project=film, shots=[keyframe.shot], steps=steps, idempotency_key="clip"
    ).batch.jobs.get()
    seen(keyframe)
    seen(clip, mean=1200.0)
    Lane.objects.filter(jobs=clip).update(active=False)
    told = eta_of(clip)
    assert told.start is not None
    assert seconds(told.start.earliest) > MEAN_S * 0.8
