"""What is told to whom: ends of batches, digests, rights, defaults."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Refused
from apps.nodes.services import health
from apps.nodes.states import Health, Observed
from apps.notices.kinds import Kind
from apps.notices.models import Delivery, Notice, Road, Standing, Subscription
from apps.notices.services import subscribing
from apps.notices.words import sentence
from apps.projects.models import Membership, Project
from apps.renders.states import JobState
from tests.factories import MembershipFactory, NodeFactory, ProjectFactory, SequenceFactory, ShotFactory
from tests.integration.notices.scene import (
    Teller,
    all_close,
    batch_of,
    closes,
    ends,
    inbox,
    jobs_of,
    node_becomes,
    requeued,
    subscribes,
)

pytestmark = pytest.mark.django_db

HOOK = "https://hooks.example/farm"


def told(user: User) -> list[str]:
    """The sentences of somebody's inbox, the oldest first."""
    return [sentence(notice) for notice in Notice.objects.filter(recipient=user).order_by("created_at", "pk")]


def test_whoever_pressed_render_is_told_of_the_end_without_setting_anything_up(
    people: dict[str, User], shot: Any, tell: Teller
) -> None:
    batch = batch_of(people["artist"], shot, jobs=3)
    ends(batch)
    tell()
    assert told(people["artist"]) == [f"{batch.code} is done: 3 jobs rendered."]
    assert not [who for who, user in people.items() if who != "artist" and told(user)]


def test_a_batch_with_failed_jobs_ends_with_how_many(coordinator: User, shot: Any, tell: Teller) -> None:
    batch = batch_of(coordinator, shot, jobs=5)
    ends(batch, failed=2)
    tell()
    assert told(coordinator) == [f"{batch.code} has ended: 2 of 5 jobs failed."]


def test_a_batch_of_one_job_that_failed_is_not_counted(coordinator: User, shot: Any, tell: Teller) -> None:
    batch = batch_of(coordinator, shot, jobs=1)
    ends(batch, failed=1)
    tell()
    assert told(coordinator) == [f"{batch.code} has ended: its only job failed."]


def test_a_batch_has_not_ended_while_a_job_is_open(coordinator: User, shot: Any, tell: Teller) -> None:
    batch = batch_of(coordinator, shot, jobs=3)
    first, second, last = jobs_of(batch)
    closes(first)
    closes(second)
    tell()
    assert told(coordinator) == []
    closes(last)
    tell()
    assert len(told(coordinator)) == 1


def test_jobs_that_close_one_by_one_are_one_end_however_they_are_read(
    coordinator: User, shot: Any, tell: Teller
) -> None:
    """All are closed when the first event is read: the others must not end it again."""
    ends(batch_of(coordinator, shot, jobs=3))
    events = tell.waiting()
    for event in events:
        tell.of([event])
    assert len(told(coordinator)) == 1


def test_a_requeued_batch_ends_again(coordinator: User, shot: Any, tell: Teller) -> None:
    batch = batch_of(coordinator, shot, jobs=2)
    ends(batch, failed=1)
    tell()
    failed = batch.jobs.get(state=JobState.FAILED)
    requeued(failed)
    tell()
    assert len(told(coordinator)) == 1
    closes(failed)
    tell()
    assert told(coordinator) == [
        f"{batch.code} has ended: 1 of 2 jobs failed.",
        f"{batch.code} is done: 2 jobs rendered.",
    ]


def test_a_batch_that_ended_and_ended_again_before_anybody_read_is_told_once_as_it_stands(
    coordinator: User, shot: Any, tell: Teller
) -> None:
    batch = batch_of(coordinator, shot, jobs=1)
    ends(batch, failed=1)
    requeued(batch.jobs.get())
    closes(batch.jobs.get())
    tell()
    assert told(coordinator) == [f"{batch.code} is done: 1 job rendered."]


def test_a_late_success_of_a_job_that_had_failed_is_no_second_end(
    coordinator: User, shot: Any, tell: Teller
) -> None:
    batch = batch_of(coordinator, shot, jobs=2)
    ends(batch, failed=1)
    tell()
    closes(batch.jobs.get(state=JobState.FAILED))
    tell()
    assert len(told(coordinator)) == 1


def test_a_batch_that_somebody_cancelled_as_a_whole_is_no_news(
    coordinator: User, shot: Any, tell: Teller
) -> None:
    batch = batch_of(coordinator, shot, jobs=2)
    for job in jobs_of(batch):
        closes(job, JobState.CANCELLED)
    tell()
    assert told(coordinator) == []


def test_five_hundred_failures_of_one_batch_are_one_notice_with_a_count(
    coordinator: User, shot: Any, tell: Teller
) -> None:
    subscribes(coordinator, Kind.JOB_FAILED)
    batch = batch_of(coordinator, shot, jobs=501)
    jobs = jobs_of(batch)
    for start in range(0, 500, 50):
        all_close(jobs[start : start + 50], JobState.FAILED)
        tell()
    assert inbox(coordinator) == [("job.failed", batch.code, 500)]
    assert told(coordinator) == [f"500 jobs of {batch.code} failed."]
    notice = Notice.objects.get()
    assert len(notice.items) == 20
    assert {item["code"] for item in notice.items} <= {job.code for job in jobs[:50]}


def test_what_fails_after_a_notice_was_read_is_a_new_notice(
    coordinator: User, shot: Any, tell: Teller
) -> None:
    subscribes(coordinator, Kind.JOB_FAILED)
    batch = batch_of(coordinator, shot, jobs=4)
    first, second, third, _last = jobs_of(batch)
    for job in (first, second):
        closes(job, JobState.FAILED)
    tell()
    assert subscribing.mark_read(None, user=coordinator) == 1
    closes(third, JobState.FAILED)
    tell()
    assert inbox(coordinator) == [("job.failed", batch.code, 2), ("job.failed", batch.code, 1)]
    assert told(coordinator)[1] == f"{third.code} of {batch.code} failed."


def test_failures_of_two_batches_are_two_notices(coordinator: User, shot: Any, tell: Teller) -> None:
    subscribes(coordinator, Kind.JOB_FAILED)
    for _ in range(2):
        closes(jobs_of(batch_of(coordinator, shot, jobs=2))[0], JobState.FAILED)
    tell()
    assert [count for _kind, _code, count in inbox(coordinator)] == [1, 1]


def test_a_webhook_is_told_every_job_a_hundred_at_a_time(coordinator: User, shot: Any, tell: Teller) -> None:
    subscribes(coordinator, Kind.JOB_DONE, road=Road.WEBHOOK, url=HOOK)
    batch = batch_of(coordinator, shot, jobs=231)
    jobs = jobs_of(batch)
    all_close(jobs[:30], JobState.SUCCEEDED)
    tell()
    all_close(jobs[30:230], JobState.SUCCEEDED)
    tell()
    parts = [notice.items for notice in Notice.objects.filter(kind="job.done").order_by("created_at", "pk")]
    assert [len(part) for part in parts] == [100, 100, 30]
    assert sorted(item["code"] for part in parts for item in part) == [job.code for job in jobs[:230]]
    assert Delivery.objects.count() == 3


def test_an_operator_is_told_of_sick_and_silent_nodes_without_setting_anything_up(
    people: dict[str, User], tell: Teller
) -> None:
    first, second = NodeFactory.create(name="gpu1"), NodeFactory.create(name="gpu2")
    node_becomes(first, Observed.SICK)
    tell()
    node_becomes(second, Observed.OFFLINE, reason="no report for 30 s")
    tell()
    said = ["The node gpu1 is sick.", "The node gpu2 went offline."]
    assert told(people["operator"]) == told(people["root"]) == said
    assert not [who for who, user in people.items() if who not in ("operator", "root") and told(user)]


def test_an_operator_is_told_what_the_farm_concludes_of_a_node_that_calls_itself_idle(
    people: dict[str, User], tell: Teller
) -> None:
    subscribes(people["operator"], Kind.NODE_DEAF, Kind.NODE_BACK)
    sick, deaf = NodeFactory.create(name="gpu1"), NodeFactory.create(name="gpu2")
    assert health.conclude({sick: "3 failures"}, to=Health.SICK, now=timezone.now()) == [sick]
    assert health.conclude({deaf: "silent"}, to=Health.DEAF, now=timezone.now()) == [deaf]
    tell()
    assert sorted(told(people["operator"])) == ["The node gpu1 is sick.", "The node gpu2 is deaf."]
    assert all(health.recover(node, actor="probe", reason="its probe rendered") for node in (sick, deaf))
    tell()
    assert told(people["operator"])[-1] == "The node gpu1 is back."


def test_a_power_cut_is_one_notice(people: dict[str, User], tell: Teller) -> None:
    for number in range(30):
        node_becomes(NodeFactory.create(name=f"gpu{number:02}"), Observed.OFFLINE)
    tell()
    (said,) = told(people["operator"])
    assert said.startswith("Nodes went offline: gpu00, gpu01, ")
    assert said.endswith("gpu19 … + 10.")


def test_a_node_that_works_and_rests_is_no_news(people: dict[str, User], tell: Teller) -> None:
    node = NodeFactory.create()
    for state in (Observed.BUSY, Observed.IDLE, Observed.BUSY):
        node_becomes(node, state)
    assert tell() == 0


def test_an_operator_may_ask_to_be_told_that_a_node_is_back(people: dict[str, User], tell: Teller) -> None:
    subscribes(people["operator"], Kind.NODE_BACK)
    node = NodeFactory.create(name="gpu7", observed=Observed.SICK)
    node_becomes(node, Observed.IDLE)
    tell()
    assert told(people["operator"]) == ["The node gpu7 is back."]


def test_a_quarantined_job_is_told_to_whoever_asks(people: dict[str, User], shot: Any, tell: Teller) -> None:
    subscribes(people["viewer"], Kind.JOB_QUARANTINED)
    job = jobs_of(batch_of(people["artist"], shot, jobs=2))[0]
    closes(job, JobState.QUARANTINED, reason="it has taken 3 workers down")
    tell()
    assert told(people["viewer"]) == [f"{job.code} of {job.batch.code} is quarantined: it took workers down."]


@pytest.mark.parametrize("who", ("viewer", "artist", "coordinator", "admin", "root"))
def test_whoever_sees_a_project_may_be_told_of_it(
    people: dict[str, User], shot: Any, tell: Teller, film: Project, who: str
) -> None:
    subscribes(people[who], Kind.BATCH_DONE, project=film)
    ends(batch_of(people["artist"], shot, jobs=1))
    tell()
    assert len(told(people[who])) == 1


def test_an_outsider_is_told_nothing_whatever_they_ask_for(
    people: dict[str, User], shot: Any, film: Project, tell: Teller
) -> None:
    for project in (film, None):
        with pytest.raises(NotAllowed):
            subscribes(people["outsider"], Kind.BATCH_DONE, project=project)
    membership = MembershipFactory.create(user=people["outsider"])
    subscribes(people["outsider"], Kind.BATCH_DONE, Kind.JOB_DONE)  # of all that they may see
    assert membership.project != film
    ends(batch_of(people["coordinator"], shot, jobs=1))
    tell()
    assert told(people["outsider"]) == []


def test_who_left_a_project_is_told_no_more_of_it(
    people: dict[str, User], shot: Any, film: Project, tell: Teller
) -> None:
    subscribes(people["viewer"], Kind.BATCH_DONE, project=film)
    Membership.objects.filter(user=people["viewer"]).delete()
    ends(batch_of(people["coordinator"], shot, jobs=1))
    tell()
    assert told(people["viewer"]) == []


@pytest.mark.parametrize("who", ("viewer", "coordinator", "admin"))
def test_nodes_are_told_to_operators_only(people: dict[str, User], who: str) -> None:
    with pytest.raises(NotAllowed, match=r"nodes\.change_node"):
        subscribes(people[who], Kind.NODE_SICK)


def test_who_is_no_operator_any_more_hears_no_more_of_nodes(people: dict[str, User], tell: Teller) -> None:
    subscribes(people["operator"], Kind.NODE_SICK)
    people["operator"].user_permissions.clear()
    node_becomes(NodeFactory.create(), Observed.SICK)
    tell()
    assert told(people["operator"]) == []
    assert len(told(people["root"])) == 1, "somebody was told: the event was read"


def test_a_default_can_be_switched_off_and_stays_off(coordinator: User, shot: Any, tell: Teller) -> None:
    ends(batch_of(coordinator, shot, jobs=1))
    tell()
    standing = Subscription.objects.get(owner=coordinator, standing=Standing.OWN_BATCHES)
    subscribing.change(standing, user=coordinator, active=False)
    ends(batch_of(coordinator, shot, jobs=1))
    tell()
    assert len(told(coordinator)) == 1
    with pytest.raises(Refused, match="switch it off"):
        subscribing.end(standing, user=coordinator)


def test_an_inbox_is_told_once_however_many_subscriptions_want_it(
    coordinator: User, shot: Any, tell: Teller
) -> None:
    subscribes(coordinator, Kind.BATCH_DONE)
    subscribes(coordinator, Kind.BATCH_DONE, Kind.BATCH_FAILED, project=shot.project)
    ends(batch_of(coordinator, shot, jobs=1))
    tell()
    assert len(told(coordinator)) == 1


def test_only_what_i_submitted(people: dict[str, User], shot: Any, tell: Teller) -> None:
    subscribes(people["artist"], Kind.JOB_FAILED, only_mine=True)
    closes(jobs_of(batch_of(people["artist"], shot, jobs=2))[0], JobState.FAILED)
    closes(jobs_of(batch_of(people["coordinator"], shot, jobs=2))[0], JobState.FAILED)
    tell()
    assert [count for kind, _code, count in inbox(people["artist"]) if kind == "job.failed"] == [1]


def test_a_subscription_of_one_project_is_not_told_of_another(
    people: dict[str, User], shot: Any, tell: Teller
) -> None:
    other = ShotFactory.create(sequence=SequenceFactory.create(project=ProjectFactory.create()))
    MembershipFactory.create(project=other.project, user=people["viewer"])
    subscribes(people["viewer"], Kind.BATCH_DONE, project=other.project)
    ends(batch_of(people["artist"], shot, jobs=1))
    tell()
    assert told(people["viewer"]) == []
    batch = batch_of(people["artist"], other, jobs=1)
    ends(batch)
    tell()
    assert told(people["viewer"]) == [f"{batch.code} is done: 1 job rendered."]


def channel(user: User, **wanted: Any) -> Subscription:
    """A shared webhook."""
    asked = {"kinds": ["batch.done"], "road": "webhook", "url": HOOK, "name": "#renders"} | wanted
    return subscribing.subscribe(user=user, shared=True, **asked)[0]


@pytest.mark.parametrize("who", ("viewer", "artist", "coordinator", "outsider", "operator"))
def test_a_shared_channel_is_made_by_an_admin_of_its_project(
    people: dict[str, User], film: Project, who: str
) -> None:
    with pytest.raises(NotAllowed):
        channel(people[who], project=film)
    channel(people["admin"], project=film)
    with pytest.raises(NotAllowed):
        channel(people["admin"])  # of all projects
    with pytest.raises(NotAllowed):
        channel(people["admin"], kinds=["node.sick"])
    channel(people["root"])


def test_a_shared_channel_is_told_of_its_project_whoever_submits(
    people: dict[str, User], shot: Any, film: Project, tell: Teller
) -> None:
    mine = channel(people["admin"], project=film)
    other = channel(people["root"], project=ProjectFactory.create())
    ends(batch_of(people["artist"], shot, jobs=1))
    tell()
    assert Delivery.objects.filter(subscription=mine).count() == 1
    assert not Delivery.objects.filter(subscription=other).exists()


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("kinds", {"kinds": []}),
        ("kinds", {"kinds": ["job.exploded"]}),
        ("kinds", {"kinds": ["ping"]}),
        ("url", {"road": "webhook", "url": ""}),
        ("url", {"road": "webhook", "url": "ftp://hooks.example/"}),
        ("url", {"road": "webhook", "url": "https://user:secret@hooks.example/"}),
        ("url", {"road": "webhook", "url": "https://hooks.example/a b"}),
        ("url", {"road": "webhook", "url": "https://hooks.example:99999/"}),
        ("url", {"road": "webhook", "url": "http://127.0.0.1/"}),
        ("url", {"road": "webhook", "url": "http://localhost:6379/"}),
        ("url", {"road": "webhook", "url": "http://169.254.169.254/latest/meta-data"}),
        ("url", {"road": "webhook", "url": "http://[::ffff:10.0.0.1]/"}),
        ("road", {"road": "email"}),
    ],
)
def test_what_is_wrong_with_a_subscription_is_said_at_its_field(
    coordinator: User, field: str, wanted: dict[str, Any]
) -> None:
    with pytest.raises(Refused) as refused:
        subscribing.subscribe(user=coordinator, **({"kinds": ["job.failed"]} | wanted))
    assert {problem.field for problem in refused.value.problems} == {field}
    assert not Subscription.objects.exists()


def test_nodes_and_a_project_do_not_go_together(people: dict[str, User], film: Project) -> None:
    with pytest.raises(Refused, match="nodes belong to no project"):
        subscribes(people["root"], Kind.NODE_SICK, project=film)


def test_many_events_take_no_more_queries_than_few(
    coordinator: User, shot: Any, tell: Teller, django_assert_max_num_queries: Any
) -> None:
    subscribes(coordinator, Kind.JOB_DONE)
    subscribes(coordinator, Kind.JOB_DONE, road=Road.WEBHOOK, url=HOOK)
    batch = batch_of(coordinator, shot, jobs=301)
    all_close(jobs_of(batch)[:300], JobState.SUCCEEDED)
    events = tell.waiting()
    with django_assert_max_num_queries(20):
        tell.of(events)
