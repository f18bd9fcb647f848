"""What many nodes say at once is written down together, and ends as if each had spoken alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, connections
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.common.models import StateEvent
from apps.projects.models import Project
from apps.renders import tasks
from apps.renders.models import Attempt, Job
from apps.renders.services.claim import claim_all
from apps.renders.services.dispatch import dispatch
from apps.renders.services.record import Recorded, record_all
from apps.renders.services.reports import answer_all
from apps.renders.services.submit import Step, submit
from apps.renders.states import AttemptState, JobState
from apps.review.models import Take
from farm.celery import app
from farm.contracts import ClaimRequest, NodeReport, Outcome, RenderOrder, RenderReport, Stage, to_json
from tests.broker_fixture import Broker
from tests.factories import ShotFactory
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, attempt_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]

T = TypeVar("T")
Crew = Callable[..., list[tuple[Hand, RenderOrder]]]
MANY = 20


def everything_of(hand: Hand) -> tuple[str, ...]:
    """All of its model files, as a node names those that are in memory."""
    return tuple(f"{folder}/{name}" for folder, names in hand.able.models.items() for name in names)


@pytest.fixture
def crew(bus: Broker, film: Project, coordinator: User) -> Crew:
    """Make so many nodes and jobs, and give each order to the node it goes to; nobody has claimed yet."""
    hands: list[Hand] = []

    def make(count: int, key: str = "k") -> list[tuple[Hand, RenderOrder]]:
        hands.extend(Hand(f"{key}{number:02d}", tier_gb=24, broker=bus).arrives() for number in range(count))
        shots = [ShotFactory.create(sequence=film.sequences.get()) for _ in range(count)]
        step = Step(template="sd15_t2i")
        submit(user=coordinator, project=film, shots=shots, steps=[step], idempotency_key=key)
        members: list[tuple[Hand, RenderOrder]] = []
        for hand in hands:  # where models are loaded, nothing waits for them to be
            hand.running.clear()
            hand.reports(resident=everything_of(hand))
        while len(members) < count:
            dispatch()
            taken = [(hand, order) for hand in reversed(hands) if (order := hand.order()) is not None]
            assert taken, "no order is sent"
            members += taken
        return members

    return make


def claim_of(hand: Hand, order: RenderOrder) -> ClaimRequest:
    """The hand's question for this order."""
    return ClaimRequest(attempt_id=order.attempt_id, token=order.token, node=hand.name, epoch=hand.epoch)


def at_work(hand: Hand, order: RenderOrder) -> NodeReport:
    """The hand says that it executes this order."""
    hand.works_on(order, Stage.EXECUTING, progress=0.25)
    return hand.writes()


def claimed(members: Sequence[tuple[Hand, RenderOrder]]) -> None:
    """Let every one of them claim its order."""
    replies = claim_all([claim_of(*member) for member in members])
    assert all(reply.granted for reply in replies), replies


def statements(work: Callable[[], object]) -> int:
    """Count the statements that this takes."""
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured)


def from_threads(calls: Sequence[tuple[Any, ...]], work: Callable[..., T]) -> list[T]:
    """Do this with each of these arguments at once, each in a thread and a connection of its own."""

    def one(arguments: tuple[Any, ...]) -> T:
        try:
            return work(*arguments)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(one, calls))


def claims(hand: Hand, order: RenderOrder) -> None:
    """Claim through the coordinator's door."""
    assert tasks.hear_claims([to_json(claim_of(hand, order))])[0]["granted"]


def says_it_executes(hand: Hand, order: RenderOrder) -> None:
    """Report through the coordinator's door."""
    assert not tasks.hear_nodes([to_json(at_work(hand, order))])[0]["cancelled"]


def rings(_hand: Hand, order: RenderOrder) -> None:
    """Ring the bell of a report that stands in the result backend."""
    tasks.hear_bells([{"attempt_id": order.attempt_id}])


# As many at once as one after another


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_twenty_who_claim_report_and_finish_at_once_end_as_one_after_another(crew: Crew) -> None:
    told = {}
    for key, threads in (("alone", 1), ("together", MANY)):
        members = crew(MANY, key)
        for hand, order in members:
            app.backend.store_result(order.attempt_id, to_json(hand.success(order)), "SUCCESS")
        for door in (claims, says_it_executes, rings):
            if threads == 1:
                for member in members:
                    door(*member)
            else:
                from_threads(members, door)
        jobs = Job.objects.filter(batch__idempotency_key=key)
        told[key] = Counter(
            (event.machine, event.from_state, event.to_state, event.reason.partition(" ")[0])
            for event in StateEvent.objects.filter(story__in=jobs.values("pk"))
        )
        assert {job.state for job in jobs} == {JobState.SUCCEEDED}
        attempts = Attempt.objects.filter(job__in=jobs)
        ends = {(str(one.pk), one.state, one.holds_slot, one.node and one.node.name) for one in attempts}
        assert ends == {
            (order.attempt_id, AttemptState.SUCCEEDED, False, hand.name) for hand, order in members
        }
        assert Take.objects.filter(job_id__in=jobs.values("pk")).count() == MANY
    assert told["together"] == told["alone"]
    assert told["alone"]["attempt", "accepted", "executing", ""] == MANY, "the reports were not heard"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_twenty_nodes_that_claim_one_order_at_once_one_has_it(crew: Crew, bus: Broker) -> None:
    [(_, order)] = crew(1)
    hands = [Hand(f"greedy{number:02d}", tier_gb=24, broker=bus).arrives() for number in range(MANY)]
    requests = [(to_json(claim_of(hand, order)),) for hand in hands]
    replies = from_threads(requests, lambda request: tasks.hear_claims([request])[0])
    [winner] = [hand.name for hand, reply in zip(hands, replies, strict=True) if reply["granted"]]
    attempt = attempt_of(order)
    assert attempt.node is not None
    assert attempt.node.name == winner


def test_in_one_group_an_order_is_granted_once_and_again_to_the_same_node(crew: Crew, bus: Broker) -> None:
    [(hand, order)] = crew(1)
    other = Hand("other", tier_gb=24, broker=bus).arrives()
    asked = [claim_of(hand, order), claim_of(other, order), claim_of(hand, order)]
    assert [reply.granted for reply in claim_all(asked)] == [True, False, True]


def test_in_one_group_a_report_is_recorded_once(crew: Crew) -> None:
    [(hand, order)] = members = crew(1)
    claimed(members)
    report = hand.success(order)
    assert record_all([report, report]) == [Recorded.DONE, Recorded.AGAIN]
    assert Take.objects.count() == 1


def test_a_report_that_names_another_job_than_its_attempts_is_refused(crew: Crew) -> None:
    """Reports about one job take turns: by another job's name two of one attempt would meet."""
    [(hand, order)] = members = crew(1)
    claimed(members)
    report = hand.success(order)
    misnamed = replace(report, job_id=str(uuid4())).signed(order.report_key)
    assert record_all([report, misnamed]) == [Recorded.DONE, Recorded.FORGED]
    assert Take.objects.count() == 1


def test_in_one_group_every_report_has_its_own_end(crew: Crew) -> None:
    members = crew(4)
    claimed(members)
    (a, good), (b, dropped), (c, unstored), (d, forged) = members
    reports = [
        a.success(good),
        b.ended(dropped, Outcome.DROPPED),
        c.success(unstored, store=False),
        replace(d.success(forged), node="somebody else"),
        replace(a.success(good), attempt_id="no id at all"),
    ]
    ends = [Recorded.DONE, Recorded.DONE, Recorded.UNSTORED, Recorded.FORGED, Recorded.UNKNOWN]
    assert record_all(reports) == ends
    states = [Job.objects.get(pk=order.job_id).state for _, order in members]
    assert states == [JobState.SUCCEEDED, JobState.READY, JobState.RUNNING, JobState.RUNNING]


def test_in_one_group_a_nodes_reports_follow_each_other(crew: Crew) -> None:
    [(hand, order)] = members = crew(1)
    claimed(members)
    first, second = at_work(hand, order), replace(hand.writes(), epoch="e2", running=())
    answers = answer_all([first, second, first])
    assert [told.new_epoch for told in answers] == [False, False, True]
    assert attempt_of(order).lease_until is None, "the second life has not got it"


# One that is wrong


def poisoned(hand: Hand, order: RenderOrder) -> RenderReport:
    """A signed success with a width no database column takes."""
    report = hand.success(order)
    [fact] = report.artifacts
    return replace(report, artifacts=(replace(fact, width=-1),), signature="").signed(order.report_key)


def test_a_group_with_a_report_the_database_refuses_writes_nothing(crew: Crew) -> None:
    members = crew(3)
    claimed(members)
    good, bad, other = (hand.success(order) for hand, order in members)
    bad = poisoned(*members[1])
    with pytest.raises(IntegrityError):
        record_all([good, bad, other])
    assert not Take.objects.exists()
    assert {again(job).state for job in Job.objects.all()} == {JobState.RUNNING}


def test_such_a_report_harms_nobody_else(crew: Crew) -> None:
    members = crew(3)
    claimed(members)
    (a, one), (b, two), (c, three) = members
    letters = [
        a.writes(finished=(a.success(one),), running=()),
        b.writes(finished=(poisoned(b, two),), running=()),
        replace(at_work(c, three), finished=(replace(c.success(three), signature="forged"),)),
    ]
    answers = answer_all(letters)
    assert [told.confirmed for told in answers] == [(one.attempt_id,), (), ()]
    states = [attempt_of(order).state for _, order in members]
    assert states == [AttemptState.SUCCEEDED, AttemptState.ACCEPTED, AttemptState.EXECUTING]
    assert answers[2].cancelled == ()


# What a group costs


@pytest.mark.usefixtures("farm_time")  # a second that passes is written down once, by whoever comes first
def test_a_group_takes_as_many_statements_however_large_it_is(crew: Crew) -> None:
    counts = []
    for size, key in ((1, "warm"), (2, "few"), (12, "many")):
        members = crew(size, key)
        letters = [at_work(*member) for member in members]
        reports = [hand.success(order) for hand, order in members]
        counts.append(
            (
                statements(partial(claimed, members)),
                statements(partial(answer_all, letters)),
                statements(partial(record_all, reports)),
            )
        )
    assert Take.objects.count() == 15
    assert counts[1] == counts[2]
    assert max(counts[2]) <= 34  # what automations move of the shots stands in their history, too
