"""What ended attempts teach of memory and time, through the door through which they end."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.common.errors import NotAllowed
from apps.nodes.models import Node
from apps.projects.models import Project
from apps.renders.jobstory import attempts_of, moments_of
from apps.renders.memory import ENOUGH, Sample, applying_to, conclude
from apps.renders.models import Attempt, Job, Need, NeedTier
from apps.renders.services.dispatch import dispatch
from apps.renders.services.ended import Ended
from apps.renders.services.lessons import tell_ended
from apps.renders.services.needs import (
    Duration,
    expected_seconds,
    forget,
    shape_of,
    told_of,
)
from apps.renders.states import AttemptState, JobState
from farm.contracts import FailureClass
from tests.broker_fixture import Broker
from tests.factories import JobFactory, NodeFactory, ShotFactory, UserFactory, WorkflowTemplateVersionFactory
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, attempt_of, next_order, press

pytestmark = pytest.mark.django_db


@pytest.fixture
def shot(db: None) -> Any:
    """Jobs of one shot are of one template version."""
    return ShotFactory.create()


def job_of(shot: Any, **facts: Any) -> Job:
    """A job that declares 24 GB, of the same template version as every other here."""
    version = getattr(shot, "version", None) or WorkflowTemplateVersionFactory.create()
    shot.version = version
    sizes = {"need_gb": 20.0, "tier_gb": 24, "precision": "fp8", "width": 640, "height": 640, "frames": 49}
    return JobFactory.create(shot=shot, template_version=version, **{**sizes, **facts})


def ended(job: Job, card_gb: int | None, *, oom: bool = False, seconds: float = 10.0, **facts: Any) -> Ended:
    """An attempt that has just ended on a card of this tier."""
    attempt = Attempt.objects.create(
        job=job,
        number=job.attempts.count() + 1,
        state=AttemptState.EXECUTING,
        token="t",
        queue=f"vram.{job.tier_gb}",
        tier_gb=facts.pop("ordered", job.tier_gb or 140),
        card_gb=card_gb,
        accept_by=timezone.now(),
        node=facts.pop("node", None),
    )
    failure = FailureClass.OUT_OF_MEMORY if oom else ""
    return Ended(attempt=attempt, failure_class=failure, execute_s=seconds, **facts)


def need_of(job: Job) -> Need:
    """The job's need as the database has it now."""
    return Need.objects.get(lanes=again(job).lane_id)


def standing(job: Job) -> tuple[int | None, bool, int | None]:
    """Where the job's need goes, whether that was learned, and what would be tried next."""
    need = need_of(job)
    return need.tier_gb, need.learned, need.explore_gb


def succeed(job: Job, card_gb: int, times: int = ENOUGH) -> None:
    tell_ended([ended(job, card_gb) for _ in range(times)])


def run_out(job: Job, card_gb: int) -> None:
    tell_ended([ended(job, card_gb, oom=True)])


def test_four_renders_on_a_smaller_card_prove_it_and_three_do_not(shot: Any) -> None:
    job = job_of(shot)
    succeed(job, 16, ENOUGH - 1)
    assert standing(job) == (24, False, 16)
    succeed(job, 16, 1)
    assert standing(job) == (16, True, 12)


def test_a_declared_tier_that_is_too_small_is_left_for_the_one_that_is_proven(shot: Any) -> None:
    job = job_of(shot)
    run_out(job, 24)
    assert standing(job) == (24, False, None), "the job itself climbs, nothing is known of larger cards"
    succeed(job, 32)
    assert standing(job) == (32, True, None)
    lane = again(job_of(shot)).lane
    assert lane is not None
    assert lane.tier_gb == 32, "the next one does not run out of memory first"


def test_one_failure_on_a_declared_tier_that_did_well_is_an_accident(shot: Any) -> None:
    job = job_of(shot)
    succeed(job, 24)
    succeed(job, 32)
    run_out(job, 24)
    assert standing(job) == (24, False, None)


def test_a_render_counts_for_the_card_it_ran_on_not_for_what_was_ordered(shot: Any) -> None:
    job = job_of(shot)
    tell_ended([ended(job, 24, ordered=16) for _ in range(ENOUGH)])
    assert standing(job) == (24, False, 16)
    assert NeedTier.objects.get().tier_gb == 24


def test_a_card_whose_tier_fell_meanwhile_counts_as_it_was_when_it_claimed(shot: Any) -> None:
    node = NodeFactory.create(tier_gb=8)
    tell_ended([ended(job_of(shot), 16, node=node)])
    assert NeedTier.objects.get().tier_gb == 16


def test_a_node_that_tells_no_memory_teaches_nothing(shot: Any) -> None:
    job = job_of(shot)
    tell_ended([ended(job, None), ended(job, 0), ended(job, None, node=NodeFactory.create(tier_gb=None))])
    assert not NeedTier.objects.exists()


def test_what_came_out_of_comfyuis_cache_proves_no_memory(shot: Any) -> None:
    tell_ended([ended(job_of(shot), 16, seconds=0.0)])
    assert not NeedTier.objects.exists()


def test_other_failures_say_nothing_of_memory(shot: Any) -> None:
    item = ended(job_of(shot), 16)
    tell_ended([Ended(attempt=item.attempt, failure_class=FailureClass.COMFY_CRASHED, execute_s=3.0)])
    assert not NeedTier.objects.exists()


def test_out_of_memory_on_a_learned_tier_takes_it_back_up_and_the_jobs_story_says_so(shot: Any) -> None:
    job = job_of(shot)
    succeed(job, 16)
    run_out(job, 16)
    assert standing(job) == (24, False, None)
    told = [moment.text for moment in moments_of(job, attempts_of(job)) if moment.text.startswith("need ")]
    assert told == [
        "need 24 → 16, by needs: enough renders of it fit a smaller card",
        "need 16 → 24, by needs: a render of it ran out of memory",
    ]


def test_larger_work_proves_the_smaller_and_smaller_work_disproves_the_larger(shot: Any) -> None:
    small, large = job_of(shot, frames=33), job_of(shot, frames=81)
    other = job_of(shot, frames=33, precision="fp16")
    succeed(large, 16)
    assert [standing(job)[0] for job in (small, large, other)] == [16, 16, 24]
    run_out(small, 16)
    assert [standing(job)[0] for job in (small, large)] == [24, 24]
    assert standing(large)[2] is None, "what ran out with fewer frames is not tried with more"


def test_a_new_shape_begins_with_what_larger_work_has_proven(shot: Any) -> None:
    succeed(job_of(shot, frames=81), 16)
    assert standing(job_of(shot, frames=33)) == (16, True, 12)


def test_what_is_larger_than_any_card_is_learned_by_trying_only(shot: Any) -> None:
    job = job_of(shot, need_gb=200.0, tier_gb=None)
    assert standing(job) == (None, False, 140)
    succeed(job, 140)
    assert standing(job) == (140, True, 96)


def test_only_the_rung_below_is_offered_and_never_one_that_ran_out(shot: Any) -> None:
    job, bad = job_of(shot), job_of(shot, frames=81)
    run_out(bad, 16)
    versions = [job.template_version_id]
    offered = Need.objects.filter(template_version__in=versions, explore_gb__isnull=False)
    assert [(need, need.explore_gb) for need in offered] == [(need_of(job), 16)]


def test_durations_are_of_all_cards_and_of_the_template_where_a_need_never_ran(shot: Any) -> None:
    one, other = job_of(shot), job_of(shot, frames=81)
    stranger = JobFactory.create(template_version=WorkflowTemplateVersionFactory.create(number=900))
    tell_ended([ended(one, 24, seconds=seconds) for seconds in (10.0, 12.0)] + [ended(one, 48, seconds=5.0)])
    keys = [need_of(job).pk for job in (one, other, stranger)]
    with CaptureQueriesContext(connection) as seen:
        told = expected_seconds(keys)
    assert len(seen) == 1
    sample = Sample.of([10.0, 12.0, 5.0])
    assert told[keys[0]] == pytest.approx(Duration(sample.mean, sample.spread, 3))
    assert told[keys[1]] == told[keys[0]]
    assert told[keys[2]] is None


def test_the_highest_peak_is_shown_and_decides_nothing(shot: Any) -> None:
    job = job_of(shot)
    tell_ended([ended(job, 16, peak_mib=peak) for peak in (15_000, 24_000, None)])
    assert NeedTier.objects.get().peak_mib == 24_000
    assert standing(job) == (24, False, 16)


def test_a_group_of_any_size_takes_the_same_number_of_statements(shot: Any) -> None:
    def statements(items: Sequence[Ended]) -> int:
        with CaptureQueriesContext(connection) as seen:
            tell_ended(items)
        return len(seen)

    few = statements([ended(job_of(shot), 24)])
    job, larger = job_of(shot), job_of(shot, frames=81)
    assert statements([ended(job, 24) for _ in range(30)] + [ended(larger, 48) for _ in range(30)]) <= few + 1


def test_whoever_may_makes_the_farm_forget(shot: Any) -> None:
    job = job_of(shot)
    succeed(job, 16)
    with pytest.raises(NotAllowed, match=r"renders\.change_need"):
        forget(Need.objects.filter(pk=need_of(job).pk), user=UserFactory.create())
    assert standing(job)[1]
    root: User = UserFactory.create(is_superuser=True)
    assert forget(Need.objects.filter(pk=need_of(job).pk), user=root) == 1
    assert standing(job) == (24, False, 16)
    assert not NeedTier.objects.exists()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_twenty_coordinators_at_once_lose_no_lesson(shot: Any) -> None:
    # Twenty films: else the hour's row of one film's GPU seconds would make them take turns.
    films = [shot, *(ShotFactory.create() for _ in range(19))]
    job_of(shot)
    for film in films:
        film.version = shot.version
    lessons = [
        [
            ended(
                job_of(film, frames=(33, 49, 81)[(n + k) % 3]),
                (12, 16)[k % 2],
                seconds=float(n + k + 1),
                oom=(n == 7 and k == 4),
            )
            for k in range(6)
        ]
        for n, film in enumerate(films)
    ]
    together = Barrier(20)

    def coordinator(items: list[Ended]) -> None:
        try:
            together.wait(30)
            for item in items:
                with transaction.atomic():
                    tell_ended([item])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(coordinator, lessons))
    told = [item for items in lessons for item in items]
    rows = list(NeedTier.objects.select_related("need"))
    assert sum(row.successes + row.ooms for row in rows) == len(told)
    for row in rows:
        here = [
            item
            for item in told
            if (item.attempt.job.frames, item.attempt.card_gb) == (row.need.frames, row.tier_gb)
        ]
        seconds = [item.execute_s for item in here if item.succeeded]
        assert (row.successes, row.ooms) == (len(seconds), len(here) - len(seconds))
        sample = Sample.of(seconds)
        assert (row.seconds_mean, row.seconds_m2) == pytest.approx((sample.mean, sample.m2))
    for need in {row.need for row in rows}:
        verdict = conclude(24, applying_to(shape_of(need), told_of(need)))
        assert (need.tier_gb, need.learned, need.explore_gb) == astuple(verdict)


@pytest.mark.usefixtures("bus", "templates")
class TestOnTheWay:
    """From a node's report to the need."""

    def test_a_recorded_take_teaches(self, node24: Hand, job: Job) -> None:
        node24.finishes(next_order(node24))
        row = NeedTier.objects.get(need=need_of(job))
        assert (row.tier_gb, row.successes, row.seconds_mean) == (24, 1, 1.5)

    def test_a_refused_report_teaches_nothing_and_a_repeated_one_nothing_more(
        self, node24: Hand, job: Job
    ) -> None:
        order = next_order(node24)
        report = node24.success(order)
        node24.finishes(order, report)
        node24.finishes(order, report)
        assert NeedTier.objects.get(need=need_of(job)).successes == 1

    def test_an_experiment_that_runs_out_of_memory_leaves_its_job_as_it_was(
        self, node24: Hand, bus: Broker, job: Job
    ) -> None:
        Hand("gpu48", tier_gb=48, broker=bus).arrives()
        before = again(job)
        order = next_order(node24)
        Attempt.objects.filter(pk=order.attempt_id).update(explores=True, card_gb=8)
        node24.finishes(order, node24.failure(order, FailureClass.OUT_OF_MEMORY))
        after = again(job)
        assert (after.state, after.lane_id, after.floor_gb, after.tier_gb) == (
            JobState.READY,
            before.lane_id,
            0,
            before.tier_gb,
        )
        assert (after.attempts_used, after.free_retries) == (0, 0)
        assert attempt_of(order).state == AttemptState.FAILED
        assert NeedTier.objects.get(need=need_of(job)).ooms == 1

    def test_a_node_is_remembered_by_the_tier_it_had_when_it_claimed(self, node24: Hand, job: Job) -> None:
        order = next_order(node24)
        Node.objects.filter(name="gpu24").update(tier_gb=12)
        assert attempt_of(order).card_gb == 24

    def test_four_experiments_open_the_smaller_card_to_everybody(
        self, bus: Broker, film: Project, coordinator: User
    ) -> None:
        small = Hand("gpu12", tier_gb=12, broker=bus).arrives()
        jobs = [press(film, coordinator, "flux_t2i", key=f"flux {number}") for number in range(ENOUGH + 1)]
        for _ in range(ENOUGH):
            assert dispatch() == 1, "one experiment at a time"
            order = small.claimed()
            assert attempt_of(order).explores
            small.finishes(order)
        assert standing(jobs[0]) == (12, True, 8)
        assert dispatch() == 1
        attempt = attempt_of(small.claimed())
        assert (attempt.explores, attempt.queue) == (False, "vram.12")
