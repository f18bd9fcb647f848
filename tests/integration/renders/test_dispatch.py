"""Ready jobs meet free seats."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.storage import default_storage

from apps.accounts.models import User
from apps.nodes.models import Node
from apps.nodes.states import Desired, Observed
from apps.projects.models import Project
from apps.renders.models import Attempt, Job, Priority
from apps.renders.selectors import wait_sentence
from apps.renders.services.control import cancel, pause, pause_batch, prioritise
from apps.renders.services.dispatch import dispatch, explain_waiting
from apps.renders.services.submit import Step, submit
from apps.renders.states import AttemptState, JobState
from farm.contracts import Stage
from farm.tiers import next_queue_for
from tests.broker_fixture import Broker
from tests.factories import ShotFactory
from tests.integration.renders.hand import Hand, everything

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]


@pytest.fixture
def press(film: Project, coordinator: User) -> Any:
    """Submit ``count`` shots with a template; return the jobs by code."""

    def press(template: str, count: int = 1, **more: Any) -> list[Job]:
        shots = ShotFactory.create_batch(count, sequence=film.sequences.get())
        key = f"{template}{Job.objects.count()}"
        steps = [Step(template=template, **more)]
        batch = submit(user=coordinator, project=film, shots=shots, steps=steps, idempotency_key=key).batch
        return list(batch.jobs.order_by("code"))

    return press


def states(jobs: list[Job]) -> list[str]:
    return [Job.objects.get(pk=job.pk).state for job in jobs]


def test_a_ready_job_travels_on_its_tiers_queue_with_a_readable_label(node24: Hand, press: Any) -> None:
    [job] = press("flux_t2i")
    assert dispatch() == 1
    attempt = Attempt.objects.get(job=job)
    assert (attempt.queue, attempt.state) == ("vram.16", AttemptState.DISPATCHED)
    order = node24.order()
    assert order is not None
    assert order.label == f"{job.shot.full_code} keyframe take 1 · flux_t2i · 16 GB"
    assert order.attempt_id == str(attempt.pk)
    assert states([job]) == [JobState.DISPATCHED]


def test_the_message_shows_the_label_and_neither_graph_nor_key(node24: Hand, press: Any, bus: Broker) -> None:
    press("flux_t2i")
    dispatch()
    [message] = bus.client().lrange("vram.16", 0, -1)
    headers = json.loads(message)["headers"]
    assert headers["argsrepr"].endswith("keyframe take 1 · flux_t2i · 16 GB")
    assert headers["kwargsrepr"] == "{}"
    assert "report_key" not in json.dumps(headers)
    assert "class_type" not in json.dumps(headers)


def test_the_broker_never_holds_more_than_the_seats(node24: Hand, node8: Hand, press: Any) -> None:
    jobs = press("sd15_t2i", 10)
    assert dispatch() == 4
    assert dispatch() == 0
    queues = Attempt.objects.filter(state=AttemptState.DISPATCHED).values_list("queue", flat=True)
    assert sorted(queues) == ["vram.8", "vram.8", "vram.8.next", "vram.8.next"]
    first, second = node24.claimed(), node8.claimed()
    for hand, order in ((node24, first), (node8, second)):
        hand.works_on(order, Stage.EXECUTING)
        hand.reports()
    assert dispatch() == 0
    assert node24.order_on(next_queue_for) is not None
    assert node8.order_on(next_queue_for) is not None
    assert states(jobs).count(JobState.READY) == 6


def test_a_job_larger_than_every_node_waits_and_says_why(node8: Hand, press: Any) -> None:
    [job] = press("flux_t2i")
    assert dispatch() == 0
    explain_waiting()
    job.refresh_from_db()
    assert job.state == JobState.READY
    assert wait_sentence(job) == "Needs 16 GB on one GPU; the largest node here has 8 GB."


def test_a_job_too_large_for_this_farm_does_not_hold_up_smaller_ones(node8: Hand, press: Any) -> None:
    [large] = press("flux_t2i")
    [small] = press("sd15_t2i")
    assert dispatch() == 1
    assert states([large, small]) == [JobState.READY, JobState.DISPATCHED]


def test_without_any_node_a_job_says_so(press: Any) -> None:
    [job] = press("sd15_t2i")
    explain_waiting()
    job.refresh_from_db()
    assert wait_sentence(job) == "No node has ever reported here."


def test_when_no_node_may_be_given_work_a_job_says_what_keeps_them(
    node24: Hand, node8: Hand, press: Any
) -> None:
    [job] = press("sd15_t2i")
    Node.objects.filter(name="gpu24").update(desired=Desired.PAUSED)
    Node.objects.filter(name="gpu8").update(observed=Observed.OFFLINE)
    explain_waiting()
    job.refresh_from_db()
    assert wait_sentence(job) == "No node may be given work: 1 paused, 1 offline."


def test_with_every_seat_taken_a_job_says_so(node24: Hand, press: Any) -> None:
    jobs = press("sd15_t2i", 3)
    dispatch()
    node24.works_on(node24.claimed(), Stage.EXECUTING)
    dispatch()
    explain_waiting()
    last = Job.objects.get(pk=jobs[2].pk)
    assert wait_sentence(last) == "The one fitting node is busy."


def test_a_job_for_a_model_only_one_node_has_goes_to_that_nodes_own_queue(
    node24: Hand, press: Any, bus: Broker
) -> None:
    able = everything()
    poor = type(able)(classes=able.classes, models={})
    Hand("poor", tier_gb=24, broker=bus, able=poor).arrives()
    [job] = press("sd15_t2i")
    assert dispatch() == 1
    attempt = Attempt.objects.get(job=job)
    assert attempt.queue == "node.gpu24.e1"
    assert attempt.node is not None
    assert attempt.node.name == "gpu24"


def test_a_simulated_node_gets_nothing_where_simulation_is_not_allowed(
    node24: Hand, press: Any, settings: Any
) -> None:
    [job] = press("sd15_t2i")
    settings.SIMULATED_ALLOWED = False
    assert dispatch() == 0
    assert states([job]) == [JobState.READY]


@pytest.mark.parametrize("wish", [Desired.DRAINING, Desired.PAUSED])
def test_a_node_that_is_not_wanted_gets_nothing(node24: Hand, press: Any, wish: str) -> None:
    press("sd15_t2i")
    Node.objects.update(desired=wish)
    assert dispatch() == 0


def test_a_node_of_unknown_memory_gets_only_what_needs_none(press: Any, bus: Broker) -> None:
    unknown = Hand("unknown", tier_gb=None, broker=bus).arrives()
    press("sd15_t2i")
    assert dispatch() == 0
    [slate] = press("plain_slate")
    assert dispatch() == 1
    assert unknown.claimed().job_id == str(slate.pk)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("project", "The project is paused."),
        ("batch", "Its batch is paused by {by}."),
        ("job", "Paused by {by}."),
    ],
)
def test_paused_work_is_not_sent_and_says_so(
    node24: Hand, press: Any, coordinator: User, what: str, sentence: str
) -> None:
    [job] = press("sd15_t2i")
    if what == "job":
        pause(job, paused=True, user=coordinator)
    elif what == "batch":
        pause_batch(job.batch, paused=True, user=coordinator)
    else:
        Project.objects.update(paused=True)
    assert dispatch() == 0
    explain_waiting()
    assert wait_sentence(Job.objects.get(pk=job.pk)) == sentence.format(by=coordinator)


def test_urgent_work_goes_first(node24: Hand, press: Any, coordinator: User) -> None:
    jobs = press("sd15_t2i", 3)
    assert prioritise(jobs[2], priority=Priority.URGENT, user=coordinator)
    dispatch()
    order = node24.claimed()
    assert order.job_id == str(jobs[2].pk)


def test_a_slate_travels_on_the_queue_without_vram_with_its_picture_in_the_store(
    bus: Broker, press: Any
) -> None:
    cpu = Hand("cpu", tier_gb=0, broker=bus).arrives()
    press("plain_slate")
    dispatch()
    order = cpu.claimed()
    assert order.tier_gb == 0
    [slate] = order.inputs
    assert default_storage.size(slate.key) == slate.bytes


def test_with_the_broker_away_nothing_is_sent_and_jobs_say_so(
    node24: Hand, press: Any, settings: Any
) -> None:
    [job] = press("sd15_t2i")
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert dispatch() == 0
    explain_waiting()
    job.refresh_from_db()
    assert job.state == JobState.READY
    assert wait_sentence(job) == "The message broker cannot be reached."
    assert not Attempt.objects.exists()


def test_a_clip_whose_keyframe_lost_its_file_fails_with_advice(
    node24: Hand, press: Any, film: Project, coordinator: User
) -> None:
    [keyframe] = press("sd15_t2i")
    dispatch()
    order = node24.claimed()
    node24.finishes(order)
    steps = [Step(template="wan22_i2v", frames=17)]
    clip = submit(
        user=coordinator, project=film, shots=[keyframe.shot], steps=steps, idempotency_key="clip"
    ).batch.jobs.get()
    keyframe.shot.takes.get().artifacts.all().delete()
    assert dispatch() == 0
    clip.refresh_from_db()
    assert (clip.state, clip.failure_class) == (JobState.FAILED, "input_missing")
    assert "render it again" in clip.failure_message


def test_a_cancelled_job_is_not_sent(node24: Hand, press: Any, coordinator: User) -> None:
    [job] = press("sd15_t2i")
    assert cancel(job, user=coordinator)
    assert dispatch() == 0


def test_a_tick_costs_the_same_however_long_the_backlog(
    node24: Hand, press: Any, django_assert_max_num_queries: Any
) -> None:
    press("sd15_t2i", 40)
    dispatch()
    with django_assert_max_num_queries(20):
        assert dispatch() == 0
