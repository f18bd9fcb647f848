"""Claims, reports and what they do to jobs (design §4, §5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.core.files.storage import default_storage
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.accounts.models import User
from apps.nodes.models import Node
from apps.nodes.states import Desired
from apps.projects.models import Project
from apps.renders.models import Attempt, FarmClock, Job
from apps.renders.selectors import story
from apps.renders.services import bus as farm_bus
from apps.renders.services.claim import claim
from apps.renders.services.control import cancel, requeue
from apps.renders.services.dispatch import dispatch
from apps.renders.services.record import Recorded, record
from apps.renders.services.submit import Step, submit
from apps.renders.services.sweep import sweep
from apps.renders.states import AttemptState, JobState
from apps.review.models import Take
from farm.contracts import ClaimRequest, FailureClass, Outcome, RenderOrder, Stage
from tests.broker_fixture import Broker
from tests.factories import ShotFactory
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, attempt_of, executing, next_order, node_falls_silent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]


@pytest.fixture
def order(node24: Hand, job: Job) -> RenderOrder:
    """The job's order, claimed by the 24 GB node."""
    dispatch()
    return node24.claimed()


# Claims


def test_a_claim_is_granted_once_and_the_job_runs(node24: Hand, node8: Hand, job: Job) -> None:
    dispatch()
    order = node24.order()
    assert order is not None
    assert node24.claims(order).granted
    assert again(job).state == JobState.RUNNING
    assert not node8.claims(order).granted


def test_the_same_node_may_ask_again(node24: Hand, order: RenderOrder) -> None:
    reply = node24.claims(order)
    assert (reply.granted, reply.reason) == (True, "granted before")


def test_a_claim_with_a_stale_token_is_refused(node24: Hand, job: Job, coordinator: User) -> None:
    dispatch()
    order = node24.order()
    assert order is not None
    cancel(job, user=coordinator)
    requeue(again(job), user=coordinator)
    assert not node24.claims(order).granted


def test_a_claim_of_a_former_epoch_is_refused(node24: Hand, job: Job) -> None:
    dispatch()
    order = node24.order()
    assert order is not None
    request = ClaimRequest(
        attempt_id=order.attempt_id, token=order.token, node=node24.name, epoch="a former one"
    )
    assert not claim(request).granted


def test_a_draining_node_is_refused_and_the_job_is_ready_at_once(node24: Hand, job: Job) -> None:
    dispatch()
    order = node24.order()
    assert order is not None
    Node.objects.update(desired=Desired.DRAINING)
    assert not node24.claims(order).granted
    assert again(job).state == JobState.READY


def test_a_node_too_small_for_the_order_is_refused(
    node24: Hand, film: Project, coordinator: User, bus: Any
) -> None:
    shot = ShotFactory.create(sequence=film.sequences.get())
    submit(
        user=coordinator, project=film, shots=[shot], steps=[Step(template="flux_t2i")], idempotency_key="f"
    )
    dispatch()
    order = node24.order()
    assert order is not None
    small = Hand("small", tier_gb=8, broker=bus).arrives()
    assert "serves 8 GB" in small.claims(order).reason


# Success


def test_a_success_becomes_one_take_with_its_file(node24: Hand, job: Job, order: RenderOrder) -> None:
    assert node24.finishes(order) is Recorded.DONE
    assert again(job).state == JobState.SUCCEEDED
    take = Take.objects.get()
    assert (take.job_id, take.attempt_id, take.number) == (job.pk, attempt_of(order).pk, 1)
    assert take.simulated
    artifact = take.artifacts.get()
    assert default_storage.size(artifact.key) == artifact.bytes
    assert not attempt_of(order).holds_slot


def test_the_same_report_by_three_roads_makes_one_take(node24: Hand, order: RenderOrder) -> None:
    report = node24.success(order)
    assert record(report) is Recorded.DONE
    assert node24.reports(running=(), finished=(report,)).confirmed == (order.attempt_id,)
    assert record(report) is Recorded.AGAIN
    assert Take.objects.count() == 1


def test_a_forged_report_is_refused_counted_and_not_confirmed(
    node24: Hand, job: Job, order: RenderOrder
) -> None:
    forged = replace(node24.success(order), node="somebody else")
    assert record(forged) is Recorded.FORGED
    assert node24.reports(finished=(forged,)).confirmed == ()
    assert again(job).state == JobState.RUNNING
    assert FarmClock.objects.get().forged_reports == 2


def test_a_success_without_its_files_is_not_believed(node24: Hand, job: Job, order: RenderOrder) -> None:
    assert record(node24.success(order, store=False)) is Recorded.UNSTORED
    assert again(job).state == JobState.RUNNING
    assert not Take.objects.exists()


def test_a_success_that_points_outside_its_folder_is_not_believed(node24: Hand, order: RenderOrder) -> None:
    report = node24.success(order)
    [fact] = report.artifacts
    outside = replace(report, artifacts=(replace(fact, path="../../../etc/passwd"),), signature="")
    assert record(outside.signed(order.report_key)) is Recorded.UNSTORED


def test_the_whole_story_of_a_job_reads_from_one_query(
    node24: Hand, job: Job, order: RenderOrder, django_assert_num_queries: Any
) -> None:
    node24.finishes(order)
    with django_assert_num_queries(1):
        told = [(event.machine, event.to_state) for event in story(job)]
    assert told[:5] == [
        ("job", "ready"),
        ("job", "dispatched"),
        ("attempt", "dispatched"),
        ("job", "running"),
        ("attempt", "accepted"),
    ]
    assert ("job", "succeeded") in told
    assert ("take_media", "processing") in told


def test_a_take_sends_the_shot_to_review(node24: Hand, job: Job, order: RenderOrder) -> None:
    node24.finishes(order)
    job.shot.refresh_from_db()
    assert job.shot.status_id == "review"


def test_a_finished_keyframe_lets_its_clip_go(
    node24: Hand, job: Job, order: RenderOrder, film: Project, coordinator: User
) -> None:
    clip = submit(
        user=coordinator,
        project=film,
        shots=[job.shot],
        steps=[Step(template="wan22_i2v", frames=17)],
        idempotency_key="clip",
    ).batch.jobs.get()
    assert clip.state == JobState.BLOCKED
    node24.finishes(order)
    assert again(clip).state == JobState.READY
    clip_order = next_order(node24)
    [start] = clip_order.inputs
    assert start.key == Take.objects.get().artifacts.get().key


# Late and stale


def test_a_late_report_from_a_lost_attempt_is_accepted_when_no_take_exists(
    node24: Hand, job: Job, order: RenderOrder
) -> None:
    Attempt.objects.update(state=AttemptState.LOST, holds_slot=False)
    Job.objects.update(state=JobState.READY, token="")
    assert node24.finishes(order) is Recorded.DONE
    assert again(job).state == JobState.SUCCEEDED
    assert attempt_of(order).state == AttemptState.SUCCEEDED


def test_a_late_success_calls_off_the_newer_attempt_at_once(
    node24: Hand,
    job: Job,
    order: RenderOrder,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    Attempt.objects.update(state=AttemptState.LOST, holds_slot=False)
    Job.objects.update(state=JobState.READY, token="")
    newer = next_order(node24)
    told: list[str] = []
    monkeypatch.setattr(farm_bus, "send_cancel", lambda attempt: told.append(str(attempt.pk)))
    with django_capture_on_commit_callbacks(execute=True):
        assert node24.finishes(order) is Recorded.DONE
    assert told == [newer.attempt_id], "by remote control, and with the next directives"
    assert attempt_of(newer).state == AttemptState.SUPERSEDED
    assert newer.attempt_id in node24.reports().cancelled
    assert node24.finishes(newer) is Recorded.STALE
    assert Take.objects.count() == 1


def test_what_a_late_success_called_off_holds_its_place_until_its_node_has_stopped(
    node24: Hand, order: RenderOrder
) -> None:
    Attempt.objects.update(state=AttemptState.LOST, holds_slot=False)
    Job.objects.update(state=JobState.READY, token="")
    newer = executing(node24)
    assert node24.finishes(order) is Recorded.DONE
    called_off = attempt_of(newer)
    assert (called_off.state, called_off.holds_slot) == (AttemptState.SUPERSEDED, True)
    node24.finishes(newer, node24.ended(newer, Outcome.CANCELLED))
    assert not attempt_of(newer).holds_slot


def test_a_stale_failure_changes_nothing(node24: Hand, job: Job, order: RenderOrder) -> None:
    Attempt.objects.update(state=AttemptState.LOST, holds_slot=False)
    Job.objects.update(state=JobState.READY, token="")
    newer = next_order(node24)
    assert record(node24.failure(order, FailureClass.UNKNOWN)) is Recorded.STALE
    assert again(job).state == JobState.RUNNING
    assert again(job).token == newer.token
    assert FarmClock.objects.get().stale_reports == 1


def test_a_success_after_a_cancel_keeps_the_files_and_makes_no_take(
    node24: Hand, job: Job, order: RenderOrder, coordinator: User
) -> None:
    cancel(job, user=coordinator)
    report = node24.success(order)
    assert record(report) is Recorded.STALE
    assert not Take.objects.exists()
    assert default_storage.exists(f"{order.artifact_folder}/take.png")
    assert not attempt_of(order).holds_slot


# Failure


def test_out_of_memory_moves_a_job_to_a_larger_card_without_spending_an_attempt(
    node24: Hand, bus: Broker, job: Job, order: RenderOrder
) -> None:
    Hand("gpu32", tier_gb=32, broker=bus).arrives()
    node24.finishes(order, node24.failure(order, FailureClass.OUT_OF_MEMORY))
    job = again(job)
    assert (job.state, job.tier_gb, job.attempts_used) == (JobState.READY, 32, 0)
    dispatch()
    assert Attempt.objects.get(job=job, number=2).queue == "vram.32"


@pytest.mark.parametrize("failure", [FailureClass.REJECTED_GRAPH, FailureClass.INPUT_MISSING])
def test_a_permanent_failure_is_not_tried_again(
    node24: Hand, job: Job, order: RenderOrder, failure: FailureClass
) -> None:
    node24.finishes(order, node24.failure(order, failure))
    assert again(job).state == JobState.FAILED
    assert again(job).failure_message == "in ComfyUI's own words"
    assert attempt_of(order).failure_class == failure


def test_an_unknown_failure_is_tried_again_until_the_budget_is_used_up(
    node24: Hand, job: Job, order: RenderOrder
) -> None:
    for attempt in range(3):
        assert again(job).attempts_used == attempt
        node24.finishes(order, node24.failure(order, FailureClass.UNKNOWN))
        if attempt < 2:
            order = next_order(node24)
    assert again(job).state == JobState.FAILED
    assert "all 3 attempts are used up" in again(job).failure_message


def test_a_failure_of_the_farm_itself_spends_no_attempt_and_pauses_a_little(
    node24: Hand, job: Job, order: RenderOrder
) -> None:
    node24.finishes(order, node24.failure(order, FailureClass.INFRASTRUCTURE))
    job = again(job)
    assert (job.state, job.attempts_used) == (JobState.READY, 0)
    assert job.start_after is not None
    assert dispatch() == 0


def test_a_job_that_took_three_comfyuis_down_is_quarantined(
    node24: Hand, job: Job, order: RenderOrder
) -> None:
    for crash in range(3):
        node24.works_on(order, Stage.EXECUTING)
        node24.reports()
        node24.finishes(order, node24.failure(order, FailureClass.COMFY_CRASHED))
        if crash < 2:
            order = next_order(node24)
    assert again(job).state == JobState.QUARANTINED


def test_an_unusable_output_is_rendered_again_once_with_empty_caches(
    node24: Hand, job: Job, order: RenderOrder
) -> None:
    node24.finishes(order, node24.failure(order, FailureClass.OUTPUT_INVALID))
    second = next_order(node24)
    assert (order.free_first, second.free_first) == (False, True)
    node24.finishes(second, node24.failure(second, FailureClass.OUTPUT_INVALID))
    assert again(job).state == JobState.FAILED


def test_a_dropped_order_makes_its_job_ready_again(node24: Hand, job: Job) -> None:
    dispatch()
    order = node24.order()
    assert order is not None
    assert record(node24.ended(order, Outcome.DROPPED)) is Recorded.DONE
    assert again(job).state == JobState.READY
    assert attempt_of(order).state == AttemptState.SUPERSEDED


# Cancel and requeue


def test_a_cancelled_attempt_holds_its_slot_until_its_node_confirms(
    node24: Hand, job: Job, order: RenderOrder, coordinator: User
) -> None:
    node24.works_on(order, Stage.EXECUTING)
    node24.reports()
    assert cancel(job, user=coordinator)
    assert attempt_of(order).holds_slot
    assert node24.reports().cancelled == (order.attempt_id,)
    assert node24.finishes(order, node24.ended(order, Outcome.CANCELLED)) is Recorded.DONE
    assert not attempt_of(order).holds_slot
    assert again(job).state == JobState.CANCELLED


def test_a_cancelled_job_can_be_requeued_with_a_fresh_budget(
    node24: Hand, job: Job, order: RenderOrder, coordinator: User
) -> None:
    node24.finishes(order, node24.failure(order, FailureClass.UNKNOWN))
    cancel(again(job), user=coordinator)
    assert requeue(again(job), user=coordinator)
    job = again(job)
    assert (job.state, job.attempts_used, job.failure_class) == (JobState.READY, 0, "")


def test_a_finished_job_is_not_requeued(
    node24: Hand, job: Job, order: RenderOrder, coordinator: User
) -> None:
    node24.finishes(order)
    assert not requeue(again(job), user=coordinator)
    assert not cancel(again(job), user=coordinator)


def test_progress_and_stage_follow_the_nodes_reports(node24: Hand, job: Job, order: RenderOrder) -> None:
    node24.works_on(order, Stage.EXECUTING, progress=0.4)
    node24.reports()
    assert (again(job).progress, again(job).doing) == (0.4, "KSampler")
    assert attempt_of(order).state == AttemptState.EXECUTING
    assert attempt_of(order).executing_at is not None


def test_a_node_that_was_refused_does_not_end_what_another_renders(
    node24: Hand, bus: Broker, job: Job
) -> None:
    order = executing(node24)
    second = Hand("twin24", tier_gb=24, broker=bus).arrives()
    assert not second.claims(order).granted, "the order came twice"
    for word in (second.ended(order, Outcome.DROPPED), second.failure(order, FailureClass.INFRASTRUCTURE)):
        assert record(word) is Recorded.STALE
        assert (again(job).state, attempt_of(order).state) == (JobState.RUNNING, AttemptState.EXECUTING)
    assert node24.finishes(order) is Recorded.DONE


def test_a_node_that_was_refused_does_not_throw_away_what_another_finished_late(
    node24: Hand, bus: Broker, job: Job
) -> None:
    order = executing(node24)
    second = Hand("twin24", tier_gb=24, broker=bus).arrives()
    node_falls_silent()
    sweep()
    assert attempt_of(order).state == AttemptState.LOST
    assert not second.claims(order).granted, "the order came twice"
    second.finishes(order, second.ended(order, Outcome.DROPPED))
    assert node24.finishes(order) is Recorded.DONE
    assert again(job).state == JobState.SUCCEEDED
