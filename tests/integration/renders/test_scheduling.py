"""What people and the day's course change about who goes next, from the rows to the queue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.nodes.models import Node, Pool
from apps.projects.models import Project
from apps.renders.models import Attempt, Hold, Job, Lane, Limit, Need, NeedTier, NodeBlock, Priority, Usage
from apps.renders.scheduling import round as rounds
from apps.renders.scheduling.fronts import STARVATION
from apps.renders.scheduling.round import USE_WINDOW, used_lately
from apps.renders.scheduling.sleep import wake_the_forgotten
from apps.renders.scheduling.supply import read_supply
from apps.renders.selectors import wait_sentence
from apps.renders.services import bus as farm_bus
from apps.renders.services.control import pause, pause_batch, prioritise
from apps.renders.services.dispatch import DUE_RANK, dispatch, explain_waiting
from apps.renders.services.lanes import assign
from apps.renders.services.needs import settle
from apps.renders.services.places import share_out
from apps.renders.services.record import Recorded, record
from apps.renders.services.submit import Step, submit
from apps.renders.services.usage import forget_old
from apps.renders.states import AttemptState, BlockState, JobState
from apps.workflows.models import WorkflowTemplate
from farm.contracts import FailureClass, Outcome, RenderOrder, Stage
from tests.broker_fixture import Broker
from tests.factories import ProjectFactory, ShotFactory, UserFactory
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]

Press = Callable[..., list[Job]]


@pytest.fixture
def press(film: Project, coordinator: User) -> Press:
    """Submit ``count`` shots with a template; return the jobs by code."""

    def press(template: str = "sd15_t2i", count: int = 1) -> list[Job]:
        shots = ShotFactory.create_batch(count, sequence=film.sequences.get())
        key = f"{template}{Job.objects.count()}"
        steps = [Step(template=template)]
        batch = submit(user=coordinator, project=film, shots=shots, steps=steps, idempotency_key=key).batch
        return list(batch.jobs.order_by("code"))

    return press


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The attempts whose nodes were asked to give their place up."""
    asked: list[UUID] = []
    monkeypatch.setattr(farm_bus, "send_unstage", lambda attempt: asked.append(attempt.pk))
    return asked


def full(hand: Hand) -> RenderOrder:
    """Send this node two orders: one executes; return the one that is staged behind it."""
    dispatch()
    running, staged = hand.claimed(), hand.claimed()
    hand.works_on(running, Stage.EXECUTING)
    hand.works_on(staged, Stage.STAGED)
    hand.reports()
    return staged


def shared_out() -> int:
    now = database_now()
    return share_out(read_supply(now), now)


def why(job: Job) -> str:
    explain_waiting()
    return wait_sentence(again(job))


def change(job: Job, **columns: Any) -> None:
    """Give a waiting job other columns, and the lane that goes with them."""
    for name, value in columns.items():
        setattr(job, name, value)
    assign([job])
    job.save()


def test_a_paused_farm_sends_nothing_and_says_who_paused_it(node24: Hand, press: Press) -> None:
    [job] = press()
    hold = Hold.objects.create(scope=Hold.FARM, by="mina", reason="power cut at ten")
    assert dispatch() == 0
    assert "paused" in why(job)
    assert again(job).lane is not None
    assert Lane.objects.get(jobs=job).wait_params == {"by": "mina", "reason": "power cut at ten"}
    hold.delete()
    assert dispatch() == 1


def test_a_paused_tier_holds_only_its_own_jobs_back(node24: Hand, press: Press) -> None:
    [small], [large] = press("sd15_t2i"), press("flux_t2i")
    Hold.objects.create(scope="16", by="mina")
    assert dispatch() == 1
    assert (again(small).state, again(large).state) == (JobState.DISPATCHED, JobState.READY)
    assert "16 GB" in why(large)


def test_a_limit_counts_what_is_in_flight_and_says_that_it_is_full(node24: Hand, press: Press) -> None:
    jobs = press("sd15_t2i", 3)
    limit = Limit.objects.create(name="licence", most=1)
    limit.templates.add(WorkflowTemplate.objects.get(slug="sd15_t2i"))
    assert dispatch() == 1
    assert dispatch() == 0
    assert "licence" in why(jobs[1])
    node24.finishes(node24.claimed())
    assert dispatch() == 1


def test_a_job_that_is_resumed_goes_on_although_its_lane_had_fallen_asleep(
    node24: Hand, press: Press, coordinator: User
) -> None:
    [job] = press()
    pause(job, paused=True, user=coordinator)
    assert dispatch() == 0
    explain_waiting()
    assert not Lane.objects.get(jobs=job).active
    pause(again(job), paused=False, user=coordinator)
    assert dispatch() == 1


def test_a_batch_that_is_resumed_leaves_what_was_paused_by_itself(
    node24: Hand, press: Press, coordinator: User
) -> None:
    mine, other = press(count=2)
    pause(mine, paused=True, user=coordinator)
    for paused in (True, False):
        pause_batch(mine.batch, paused=paused, user=coordinator)
        explain_waiting()
    assert dispatch() == 1
    assert (again(mine).state, again(other).state) == (JobState.READY, JobState.DISPATCHED)


def test_a_lane_that_fell_asleep_over_a_job_is_found_again(node24: Hand, press: Press) -> None:
    press()
    Lane.objects.update(active=False)
    assert dispatch() == 0
    assert wake_the_forgotten() == 1
    assert dispatch() == 1


def test_a_job_starts_after_its_time_and_not_before(node24: Hand, press: Press) -> None:
    [job] = press()
    Job.objects.update(start_after=database_now() + timedelta(hours=1))
    assert dispatch() == 0
    explain_waiting()
    assert wait_sentence(again(job)).startswith("Starts after")
    Job.objects.update(start_after=database_now())
    assert dispatch() == 1


def test_a_job_for_the_night_does_not_starve_when_the_night_begins(node24: Hand, press: Press) -> None:
    now = database_now()
    [tonight] = press()
    [high] = press()
    long_ago, begins = now - 2 * STARVATION, now - timedelta(seconds=1)
    Job.objects.filter(pk=tonight.pk).update(ready_at=long_ago, start_after=begins)
    Job.objects.filter(pk=high.pk).update(priority=Priority.HIGH, rank=Priority.HIGH)
    assert dispatch() == 2
    assert again(tonight).ready_at == begins, "it has waited for its time till then, not for a node"
    assert node24.claimed().job_id == str(high.pk)


def test_a_job_that_rests_after_a_failure_keeps_its_age(node24: Hand, press: Press) -> None:
    [job] = press()
    dispatch()
    order = node24.claimed()
    ready_at = again(job).ready_at
    node24.finishes(order, node24.failure(order, FailureClass.INFRASTRUCTURE))
    assert again(job).start_after is not None
    Job.objects.update(start_after=database_now())
    assert dispatch() == 1
    assert again(job).ready_at == ready_at


def test_jobs_that_rest_do_not_stand_in_the_way_of_those_behind_them(node24: Hand, press: Press) -> None:
    *rest, last = press(count=4)
    for job in rest:
        Job.objects.filter(pk=job.pk).update(start_after=database_now() + timedelta(hours=1))
    assert dispatch() == 1
    assert again(last).state == JobState.DISPATCHED


def test_an_urgent_job_loses_nothing_by_its_deadline(node24: Hand, press: Press, coordinator: User) -> None:
    [urgent] = press()
    prioritise(urgent, priority=Priority.URGENT, user=coordinator)
    Job.objects.filter(pk=urgent.pk).update(start_by=database_now())
    dispatch()
    assert (again(urgent).rank, again(urgent).start_by) == (Priority.URGENT, None)


def test_a_job_that_must_start_now_to_keep_its_deadline_goes_before_high_ones(
    node24: Hand, press: Press, coordinator: User
) -> None:
    high, due = press(count=2)
    prioritise(high, priority=Priority.HIGH, user=coordinator)
    Job.objects.filter(pk=due.pk).update(start_by=database_now())
    dispatch()
    assert node24.claimed().job_id == str(due.pk)
    assert again(due).rank == DUE_RANK
    assert again(due).priority == Priority.NORMAL, "what people gave it stands"


def test_the_oldest_job_goes_first_once_it_waited_beyond_the_bound(
    node24: Hand, press: Press, coordinator: User
) -> None:
    starved, high = press(count=2)
    prioritise(starved, priority=Priority.LOW, user=coordinator)
    prioritise(high, priority=Priority.HIGH, user=coordinator)
    Job.objects.filter(pk=starved.pk).update(ready_at=database_now() - STARVATION - timedelta(seconds=1))
    dispatch()
    assert node24.claimed().job_id == str(starved.pk)


def test_a_pinned_job_waits_for_its_node_and_says_so(node24: Hand, node8: Hand, press: Press) -> None:
    [job] = press()
    change(job, pinned_to=Node.objects.get(name="gpu8"))
    Node.objects.filter(name="gpu8").update(desired="paused")
    assert dispatch() == 0
    assert "gpu8" in why(job)
    Node.objects.filter(name="gpu8").update(desired="active")
    assert dispatch() == 1
    assert Attempt.objects.get(job=job).queue == "node.gpu8.e1"


def test_a_job_for_a_pool_goes_to_its_nodes_alone(node24: Hand, node8: Hand, press: Press) -> None:
    [job] = press()
    paint = Pool.objects.create(name="paint")
    change(job, pool=paint)
    assert dispatch() == 0
    assert "paint" in why(job)
    Node.objects.filter(name="gpu24").update(pool=paint)
    assert dispatch() == 1
    assert node24.claimed().job_id == str(job.pk)


def test_tags_are_asked_for(node24: Hand, press: Press) -> None:
    [job] = press()
    change(job, tags="nvlink")
    assert dispatch() == 0
    assert "nvlink" in why(job)
    Node.objects.update(tags="fast\nnvlink")
    assert dispatch() == 1


@pytest.mark.parametrize("wish", ["pin", "pool", "tags", "dedicated", "block"])
def test_a_node_that_came_since_is_refused_an_order_that_is_not_for_it(
    node24: Hand, press: Press, bus: Broker, wish: str
) -> None:
    [job] = press()
    pool = Pool.objects.create(name="paint", dedicated=wish == "dedicated")
    here = Node.objects.get(name="gpu24")
    if wish == "pin":
        change(job, pinned_to=here)
    elif wish == "pool":
        Node.objects.update(pool=pool)
        change(job, pool=pool)
    elif wish == "tags":
        Node.objects.update(tags="nvlink")
        change(job, tags="nvlink")
    dispatch()
    assert Attempt.objects.get(job=job).node is None, "whoever listens may take it"
    late = Hand("late24", tier_gb=24, broker=bus).arrives()
    row = Node.objects.get(name="late24")
    if wish == "dedicated":
        Node.objects.filter(pk=row.pk).update(pool=pool)
    elif wish == "block":
        until = database_now() + timedelta(minutes=5)
        NodeBlock.objects.create(
            node=row, template=job.template_version.template, state=BlockState.BLOCKED, until=until
        )
    order = late.order()
    assert order is not None
    assert not late.claims(order).granted
    assert again(job).state == JobState.READY
    Job.objects.update(start_after=None)
    assert dispatch() == 1
    assert node24.claimed().job_id == str(job.pk), "now by its own queue"


# Affinity


def test_the_order_goes_to_the_node_that_holds_the_models(node24: Hand, press: Press, bus: Broker) -> None:
    Hand("other24", tier_gb=24, broker=bus).arrives()
    [job] = press("sd15_t2i")
    Node.objects.filter(name="gpu24").update(resident=["checkpoints/v1-5-pruned-emaonly-fp16.safetensors"])
    assert dispatch() == 1
    attempt = Attempt.objects.get(job=job)
    assert (attempt.queue, attempt.warm) == ("node.gpu24.e1", True)


# Urgent work


def test_urgent_work_asks_the_staged_one_to_make_way_and_never_the_running_one(
    node24: Hand, press: Press, coordinator: User, asked: list[UUID]
) -> None:
    press(count=2)
    staged = full(node24)
    [urgent] = press()
    assert dispatch() == 0
    assert asked == []
    prioritise(urgent, priority=Priority.URGENT, user=coordinator)
    assert dispatch() == 0
    assert asked == [UUID(staged.attempt_id)]
    assert dispatch() == 0
    assert len(asked) == 1, "it is not asked again at once"
    assert Attempt.objects.get(pk=staged.attempt_id).state == AttemptState.STAGED, "its node decides"


def test_urgent_work_takes_no_place_of_other_urgent_work(
    node24: Hand, press: Press, coordinator: User, asked: list[UUID]
) -> None:
    for job in press(count=3):
        prioritise(job, priority=Priority.URGENT, user=coordinator)
    full(node24)
    assert dispatch() == 0
    assert asked == []


def test_a_project_below_its_share_takes_no_place_of_work_of_a_higher_class(
    node24: Hand, press: Press, coordinator: User, asked: list[UUID]
) -> None:
    for job in press(count=2):
        prioritise(job, priority=Priority.HIGH, user=coordinator)
    full(node24)
    [ours] = press()
    Job.objects.filter(pk=ours.pk).update(project=ProjectFactory.create())
    change(again(ours))
    assert dispatch() == 0
    assert asked == []
    prioritise(again(ours), priority=Priority.URGENT, user=UserFactory.create(is_superuser=True))
    dispatch()
    assert len(asked) == 1, "it is of its project and could have the place"


def test_a_staged_order_that_made_way_leaves_its_place_to_the_urgent_one(
    node24: Hand, press: Press, coordinator: User
) -> None:
    _first, second = press(count=2)
    staged = full(node24)
    [urgent] = press()
    prioritise(urgent, priority=Priority.URGENT, user=coordinator)
    dispatch()
    node24.finishes(staged, node24.ended(staged, Outcome.CANCELLED))
    assert again(second).state == JobState.READY
    assert again(second).attempts_used == 0
    assert dispatch() == 1
    assert (again(urgent).state, again(second).state) == (JobState.DISPATCHED, JobState.READY)


def test_a_project_below_its_share_asks_for_staged_places_of_one_above_it(
    film: Project, coordinator: User, bus: Broker, press: Press, asked: list[UUID]
) -> None:
    """Two nodes are full of another film's work: this one's two seats are those that have not begun."""
    flood = press(count=6)
    hands = [Hand(name, tier_gb=24, broker=bus) for name in ("a24", "b24")]
    for hand in hands:
        hand.arrives()
    assert dispatch() == 4
    orders = {hand: [hand.claimed(), hand.claimed()] for hand in hands}
    for hand, (running, waits) in orders.items():
        hand.works_on(running, Stage.EXECUTING)
        hand.works_on(waits, Stage.STAGED)
        hand.reports()
    assert dispatch() == 0
    assert asked == [], "the flood alone asks nothing of itself"
    other = ProjectFactory.create()
    ours = press(count=3)
    Job.objects.filter(pk__in=[job.pk for job in ours]).update(project=other)
    for job in Job.objects.filter(project=other):
        change(job)
    assert dispatch() == 0
    assert set(asked) == {UUID(waits.attempt_id) for _running, waits in orders.values()}
    assert dispatch() == 0
    assert len(asked) == 2, "no more than its share, and not asked again at once"
    for hand, (_running, waits) in orders.items():
        hand.finishes(waits, hand.ended(waits, Outcome.CANCELLED))
    assert dispatch() == 2
    sent = Job.objects.filter(state=JobState.DISPATCHED)
    assert {job.project_id for job in sent} == {other.pk}
    assert {job.attempts_used for job in map(again, flood)} == {0}
    assert dispatch() == 0
    assert len(asked) == 2, "each has its share: nobody gives up any more"


def test_a_card_that_idles_takes_over_what_is_staged_behind_long_work(
    node24: Hand, press: Press, bus: Broker, asked: list[UUID]
) -> None:
    _first, second = press(count=2)
    staged = full(node24)
    assert shared_out() == 0, "nobody idles"
    other = Hand("other24", tier_gb=24, broker=bus).arrives()
    assert shared_out() == 1
    assert asked == [UUID(staged.attempt_id)]
    assert shared_out() == 0, "it is not asked again at once"
    node24.finishes(staged, node24.ended(staged, Outcome.CANCELLED))
    dispatch()
    assert other.claimed().job_id == str(second.pk)


def test_what_is_staged_stays_where_the_work_before_it_is_nearly_done(
    node24: Hand, press: Press, bus: Broker
) -> None:
    first, _second = press(count=2)
    learned(first, 24, successes=4, seconds_mean=5)
    full(node24)
    Hand("other24", tier_gb=24, broker=bus).arrives()
    assert shared_out() == 0


# Exploration


def learned(job: Job, tier_gb: int, **facts: int) -> None:
    need = Need.objects.get(lanes__jobs=job)
    NeedTier.objects.update_or_create(need=need, tier_gb=tier_gb, defaults=facts)
    settle([need.template_version_id])


def test_an_idle_card_one_tier_below_tries_a_job_that_no_fitting_card_takes(
    bus: Broker, press: Press
) -> None:
    small = Hand("gpu12", tier_gb=12, broker=bus).arrives()
    jobs = press("flux_t2i", 3)
    assert {job.tier_gb for job in jobs} == {16}
    assert dispatch() == 1
    order = small.claimed()
    attempt = Attempt.objects.get(pk=order.attempt_id)
    assert (attempt.explores, attempt.tier_gb, order.tier_gb) == (True, 12, 12)
    assert dispatch() == 0, "one at a time"


@pytest.mark.parametrize("read", ["active_lanes", "read_supply"])
def test_an_experiment_that_fails_while_a_round_is_read_is_not_begun_anew(
    read: str, bus: Broker, press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its job is back at the front of its lane at once: only what its end has taught keeps it from there."""
    small = Hand("gpu12", tier_gb=12, broker=bus).arrives()
    [job] = press("flux_t2i")
    assert dispatch() == 1
    order = small.claimed()
    small.works_on(order, Stage.EXECUTING)
    small.reports()
    real, ended = getattr(rounds, read), list[Recorded]()

    def reads_and_then_it_ends(*args: Any, **kwargs: Any) -> Any:
        seen = real(*args, **kwargs)
        if not ended:
            ended.append(record(small.failure(order, FailureClass.OUT_OF_MEMORY)))
        return seen

    monkeypatch.setattr(rounds, read, reads_and_then_it_ends)
    sent = dispatch()

    assert ended == [Recorded.DONE]
    assert (sent, job.attempts.count()) == (0, 1)
    job.refresh_from_db()
    assert job.state == JobState.READY


def test_one_card_at_a_time_tries_on_the_whole_farm(bus: Broker, press: Press) -> None:
    cards = [Hand(name, tier_gb=12, broker=bus).arrives() for name in ("a12", "b12")]
    press("flux_t2i", 3)
    assert dispatch() == 1
    assert dispatch() == 0
    attempt = Attempt.objects.select_related("node").get()
    [tries] = [card for card in cards if attempt.node is not None and card.name == attempt.node.name]
    tries.finishes(tries.claimed())
    assert dispatch() == 1


def test_nobody_tries_where_memory_ran_out_before(bus: Broker, press: Press) -> None:
    Hand("gpu12", tier_gb=12, broker=bus).arrives()
    [job] = press("flux_t2i")
    learned(job, 12, ooms=1)
    assert dispatch() == 0


def test_nobody_tries_two_tiers_below(node8: Hand, press: Press) -> None:
    press("flux_t2i")
    assert dispatch() == 0


@pytest.mark.parametrize("wish", ["floor", "avoid", "limit", "tier", "block"])
def test_an_experiment_breaks_no_other_rule(bus: Broker, press: Press, wish: str) -> None:
    Hand("gpu12", tier_gb=12, broker=bus).arrives()
    [job] = press("flux_t2i")
    template = job.template_version.template
    if wish == "floor":
        change(job, floor_gb=24)
    elif wish == "avoid":
        change(job, avoids="gpu12")
    elif wish == "limit":
        Limit.objects.create(name="licence", most=0).templates.add(template)
    elif wish == "tier":
        Hold.objects.create(scope="12", by="mina")
    else:
        until = database_now() + timedelta(minutes=5)
        NodeBlock.objects.create(
            node=Node.objects.get(), template=template, state=BlockState.BLOCKED, until=until
        )
    assert dispatch() == 0


def test_a_fitting_card_goes_before_an_experiment(node24: Hand, bus: Broker, press: Press) -> None:
    Hand("gpu12", tier_gb=12, broker=bus).arrives()
    press("flux_t2i")
    assert dispatch() == 1
    assert not Attempt.objects.get().explores


# Fair share


def test_gpu_seconds_are_counted_by_project_and_hour(node24: Hand, press: Press, film: Project) -> None:
    press(count=2)
    dispatch()
    for _ in range(2):
        node24.finishes(node24.claimed())
    usage = Usage.objects.get(project=film)
    spent = sum(attempt.report["timings"]["execute_s"] for attempt in Attempt.objects.all())
    assert spent > 0
    assert usage.gpu_seconds == pytest.approx(spent)


def test_what_a_project_used_the_night_before_counts_no_more_and_is_forgotten(film: Project) -> None:
    now = database_now()
    for ago, spent in (
        (timedelta(hours=1), 60),
        (USE_WINDOW + timedelta(hours=1), 900),
        (3 * USE_WINDOW, 900),
    ):
        Usage.objects.create(project=film, hour=now - ago, gpu_seconds=spent)
    assert used_lately(now) == {film.pk: 60}
    assert forget_old() == 1
    assert used_lately(now) == {film.pk: 60}
