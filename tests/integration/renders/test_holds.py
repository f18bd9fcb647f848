"""Pauses of projects, tiers and the farm; limits and their use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import pytest
from django.contrib.auth.models import Permission

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Refused
from apps.common.models import StateEvent
from apps.projects.models import Membership, Project
from apps.projects.roles import Role
from apps.renders.holding import holds, uses
from apps.renders.models import Hold, Job, Lane, Limit
from apps.renders.selectors import wait_sentence
from apps.renders.services.control import pause, pause_batch
from apps.renders.services.dispatch import dispatch, explain_waiting
from apps.renders.services.holds import hold, pause_project, release
from apps.renders.services.limits import LimitFields, delete_limit, save_limit
from apps.renders.services.record import Recorded
from apps.renders.states import AttemptState, JobState
from tests.factories import MembershipFactory, UserFactory
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, attempt_of, dispatched, executing, next_order

pytestmark = pytest.mark.django_db


def operator(*permissions: str) -> User:
    """Somebody with these permissions of the app renders, and no project."""
    user = UserFactory.create()
    rows = Permission.objects.filter(content_type__app_label="renders", codename__in=permissions)
    assert rows.count() == len(permissions)
    user.user_permissions.set(rows)
    return user


def told() -> list[tuple[str, str, Any]]:
    rows = StateEvent.objects.filter(machine="farm_wish")
    return [(row.to_state, row.actor, row.data["scope"]) for row in rows]


def test_an_operator_pauses_the_farm_and_a_tier_and_lets_them_go_on() -> None:
    user = operator("change_hold")
    assert hold("farm", user=user, reason="power cut at noon")
    assert hold("24", user=user)
    assert {scope: (row.by, row.reason) for scope, row in holds().items()} == {
        "farm": (user.username, "power cut at noon"),
        "24": (user.username, ""),
    }
    assert release(Hold.FARM, user=user)
    assert release("24", user=user)
    assert holds() == {}
    name = user.username
    assert told() == [
        ("paused", name, "farm"),
        ("paused", name, "24"),
        ("resumed", name, "farm"),
        ("resumed", name, "24"),
    ]


def test_what_is_so_already_changes_nothing_and_is_not_told() -> None:
    first, second = operator("change_hold"), operator("change_hold")
    assert not release("48", user=first)
    assert hold("0", user=first, reason="first")
    assert not hold("0", user=second, reason="second")
    assert (holds()["0"].by, holds()["0"].reason) == (first.username, "first")
    assert len(told()) == 1


@pytest.mark.parametrize("scope", ("25", "", "Farm", "-1", "vram.24"))
def test_only_the_farm_and_known_tiers_are_paused(scope: str) -> None:
    user = operator("change_hold")
    for deed in (hold, release):
        with pytest.raises(Refused, match="choose one of farm, 0, 8") as refused:
            deed(scope, user=user)
        assert refused.value.problems[0].field == "scope"
    assert not Hold.objects.exists()


def test_the_farm_is_paused_by_whoever_has_the_permission_only() -> None:
    for user in (UserFactory.create(is_staff=True), operator("change_limit")):
        with pytest.raises(NotAllowed, match=r"renders\.change_hold"):
            hold("farm", user=user)
        with pytest.raises(NotAllowed, match=r"renders\.change_hold"):
            release("farm", user=user)
    assert told() == []


def test_a_paused_projects_jobs_wait_and_who_paused_it_is_known(
    node24: Hand, job: Job, film: Project, coordinator: User
) -> None:
    Membership.objects.update(role=Role.ADMIN)
    assert pause_project(film, paused=True, user=coordinator, reason="out of money")
    film.refresh_from_db()
    assert (film.paused, film.paused_by) == (True, coordinator.username)
    assert dispatch() == 0
    assert not pause_project(film, paused=True, user=coordinator)
    assert pause_project(film, paused=False, user=coordinator)
    film.refresh_from_db()
    assert (film.paused, film.paused_by) == (False, "")
    assert dispatch() == 1
    rows = StateEvent.objects.filter(machine="project_wish", story=film.pk)
    assert [(row.to_state, row.reason) for row in rows] == [("paused", "out of money"), ("resumed", "")]


@pytest.mark.usefixtures("bus")
def test_a_pause_wakes_no_lane_that_holds_nothing(film: Project, job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED)
    explain_waiting()
    assert not Lane.objects.get().active, "it fell asleep"
    boss = MembershipFactory.create(project=film, role=Role.ADMIN).user
    for paused in (True, False):
        assert pause_project(film, paused=paused, user=boss)
        assert not Lane.objects.get().active


def test_a_project_is_paused_by_whoever_manages_it_only(film: Project, coordinator: User) -> None:
    for user in (coordinator, operator("change_hold")):
        with pytest.raises(NotAllowed, match="may not manage"):
            pause_project(film, paused=True, user=user)
    film.refresh_from_db()
    assert not film.paused


# --- an order that was on its way ---


def pauses_job(job: Job, user: User, paused: bool) -> None:
    pause(job, paused=paused, user=user)


def pauses_batch(job: Job, user: User, paused: bool) -> None:
    pause_batch(job.batch, paused=paused, user=user)


def pauses_project(job: Job, user: User, paused: bool) -> None:
    Membership.objects.update(role=Role.ADMIN)
    pause_project(job.project, paused=paused, user=user)


def pauses_tier(job: Job, _user: User, paused: bool) -> None:
    user = operator("change_hold")
    hold("8", user=user) if paused else release("8", user=user)


def pauses_farm(_job: Job, _user: User, paused: bool) -> None:
    user = operator("change_hold")
    hold("farm", user=user) if paused else release("farm", user=user)


PAUSES = [pauses_job, pauses_batch, pauses_project, pauses_tier, pauses_farm]


@pytest.mark.parametrize("pauses", PAUSES)
def test_an_order_sent_before_a_pause_does_not_start_after_it(
    node24: Hand, job: Job, coordinator: User, pauses: Callable[[Job, User, bool], None]
) -> None:
    order = dispatched(node24)
    pauses(job, coordinator, True)
    reply = node24.claims(order)
    assert not reply.granted
    assert reply.reason.endswith("is paused")
    assert (again(job).state, attempt_of(order).state) == (JobState.READY, AttemptState.SUPERSEDED)
    assert dispatch() == 0
    explain_waiting()
    assert "paused" in wait_sentence(again(job)).lower()
    pauses(job, coordinator, False)
    assert node24.claims(dispatched(node24)).granted
    assert again(job).attempts_used == 0


@pytest.mark.parametrize("pauses", PAUSES)
def test_what_a_node_has_when_it_is_paused_goes_on(
    node24: Hand, job: Job, coordinator: User, pauses: Callable[[Job, User, bool], None]
) -> None:
    order = next_order(node24)
    pauses(job, coordinator, True)
    assert node24.claims(order).granted, "asked again, as after a lost answer"
    assert node24.finishes(order) is Recorded.DONE
    assert again(job).state == JobState.SUCCEEDED


# --- limits ---


def sets(**said: Unpack[LimitFields]) -> Limit:
    user = operator("add_limit", "change_limit")
    fields: LimitFields = {"name": "licence", "most": 2, "templates": ["sd15_t2i"]}
    return save_limit(Limit(), {**fields, **said}, user=user)


@pytest.mark.usefixtures("templates")
def test_a_limit_is_set_changed_and_taken_away() -> None:
    limit = sets(note="two seats")
    user = operator("change_limit", "delete_limit")
    save_limit(limit, {"most": 5, "templates": ["flux_t2i", "wan22_i2v"]}, user=user)
    [use] = uses()
    assert (use.limit.most, use.limit.note, use.templates) == (5, "two seats", ("flux_t2i", "wan22_i2v"))
    delete_limit(limit, user=user)
    assert uses() == []


@pytest.mark.usefixtures("templates")
@pytest.mark.parametrize(
    ("said", "field", "remedy"),
    [
        ({"templates": ["kling"]}, "templates", "flux_t2i"),
        ({"templates": []}, "templates", "at least one template"),
        ({"name": "two words"}, "name", "letters"),
        ({"most": -1}, "most", "0"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(said: LimitFields, field: str, remedy: str) -> None:
    with pytest.raises(Refused) as refused:
        sets(**said)
    problem = refused.value.problems[0]
    assert problem.field == field
    assert remedy in str(problem.message)
    assert not Limit.objects.exists()


@pytest.mark.usefixtures("templates")
def test_limits_are_set_by_whoever_has_the_permission_only() -> None:
    limit = sets()
    stranger = UserFactory.create(is_staff=True)
    with pytest.raises(NotAllowed, match=r"renders\.add_limit"):
        save_limit(Limit(), {"name": "x", "most": 1, "templates": ["sd15_t2i"]}, user=stranger)
    with pytest.raises(NotAllowed, match=r"renders\.change_limit"):
        save_limit(limit, {"most": 100}, user=stranger)
    with pytest.raises(NotAllowed, match=r"renders\.delete_limit"):
        delete_limit(limit, user=stranger)
    assert Limit.objects.get().most == 2


def test_a_limits_use_is_what_nodes_have_in_hand(node24: Hand, job: Job) -> None:
    sets()
    sets(name="other", templates=["flux_t2i"])
    assert [(use.limit.name, use.in_flight) for use in uses()] == [("licence", 0), ("other", 0)]
    order = executing(node24)
    assert [(use.limit.name, use.in_flight) for use in uses()] == [("licence", 1), ("other", 0)]
    node24.finishes(order)
    assert [(use.limit.name, use.in_flight) for use in uses()] == [("licence", 0), ("other", 0)]


def test_a_limit_that_is_used_up_says_so(node24: Hand, job: Job) -> None:
    sets(most=1)
    assert not uses()[0].full
    executing(node24)
    assert uses()[0].full
