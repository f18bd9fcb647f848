"""One take of a shot and stage is selected: by hand, or by the first approval."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.common.errors import Conflict, NotAllowed, Refused
from apps.common.models import StateEvent
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.projects.stages import Stage
from apps.review.models import Take
from apps.review.services import review_take, select_take, unselect_take
from apps.review.signals import take_selected
from apps.review.states import Media, Review
from tests.factories import MembershipFactory, ShotFactory, TakeFactory


def takes_of_a_shot(count: int = 3, **fields: Any) -> list[Take]:
    shot = ShotFactory.create(status_id="review")
    told = {"shot": shot, "stage": Stage.KEYFRAME, "media_state": Media.READY} | fields
    return [TakeFactory.create(**told) for _ in range(count)]


def member(project: Project, role: Role = Role.COORDINATOR) -> User:
    user: User = MembershipFactory.create(project=project, role=role).user
    return user


def selected(take: Take) -> list[Take]:
    return list(Take.objects.filter(shot=take.shot_id, stage=take.stage, selected=True))


@pytest.fixture
def heard() -> Iterator[list[dict[str, Any]]]:
    """What take_selected said."""
    told: list[dict[str, Any]] = []

    def listen(**facts: Any) -> None:
        told.append({name: facts[name] for name in ("shot", "stage", "take", "before", "actor")})

    take_selected.connect(listen, weak=False)
    yield told
    take_selected.disconnect(listen)


@pytest.mark.django_db
def test_selecting_another_take_lets_the_first_go_and_says_so(
    heard: list[dict[str, Any]], django_capture_on_commit_callbacks: Any
) -> None:
    first, second, _third = takes_of_a_shot()
    user = member(first.project)
    with django_capture_on_commit_callbacks(execute=True):
        assert select_take(first, user)
        assert select_take(second, user, "better eyes")
    assert selected(first) == [second]
    now = Take.objects.get(pk=second.pk)
    assert (now.selected_by, now.selected_at is not None) == (user.username, True)
    assert [(told["take"], told["before"]) for told in heard] == [
        (first.pk, None),
        (second.pk, first.pk),
    ]
    story = StateEvent.objects.filter(machine="take_selection").order_by("pk")
    assert list(story.values_list("subject", "to_state", "actor", "reason")) == [
        (first.pk, "selected", user.username, ""),
        (first.pk, "unselected", user.username, "better eyes"),
        (second.pk, "selected", user.username, "better eyes"),
    ]


@pytest.mark.django_db
def test_each_stage_has_its_own_selected_take() -> None:
    keyframe, *_rest = takes_of_a_shot(1)
    clip = TakeFactory.create(shot=keyframe.shot, stage=Stage.CLIP, kind="clip", media_state=Media.READY)
    user = member(keyframe.project)
    assert select_take(keyframe, user)
    assert select_take(clip, user)
    assert (selected(keyframe), selected(clip)) == ([keyframe], [clip])


@pytest.mark.django_db
def test_selecting_what_is_selected_changes_nothing() -> None:
    take, *_rest = takes_of_a_shot(1)
    user = member(take.project)
    select_take(take, user)
    events = StateEvent.objects.count()
    assert not select_take(take, user)
    assert StateEvent.objects.count() == events


@pytest.mark.django_db
def test_the_selection_can_be_taken_back(
    heard: list[dict[str, Any]], django_capture_on_commit_callbacks: Any
) -> None:
    take, other = takes_of_a_shot(2)
    user = member(take.project)
    select_take(take, user)
    with django_capture_on_commit_callbacks(execute=True):
        assert unselect_take(take, user)
        assert not unselect_take(other, user)
    assert selected(take) == []
    assert heard[-1] | {"take": None, "before": take.pk} == heard[-1]


@pytest.mark.django_db
def test_the_first_approval_selects_and_the_second_leaves_the_selection() -> None:
    first, second = takes_of_a_shot(2)
    user = member(first.project)
    review_take(first, to=Review.APPROVED, user=user)
    review_take(second, to=Review.APPROVED, user=user)
    assert selected(first) == [first]


@pytest.mark.django_db
def test_a_rejected_take_is_selected_no_longer_and_cannot_be() -> None:
    take, *_rest = takes_of_a_shot(1)
    user = member(take.project)
    select_take(take, user)
    review_take(take, to=Review.REJECTED, user=user)
    assert selected(take) == []
    take.refresh_from_db()
    with pytest.raises(Refused, match="was rejected"):
        select_take(take, user)


@pytest.mark.django_db
def test_a_take_that_is_to_be_made_again_stays_until_a_better_one_comes() -> None:
    take, *_rest = takes_of_a_shot(1)
    user = member(take.project)
    select_take(take, user)
    review_take(take, to=Review.RETAKE, user=user, note="the lantern is missing")
    assert selected(take) == [take]


@pytest.mark.django_db
@pytest.mark.parametrize("state", [Media.BROKEN, Media.MISSING])
def test_a_take_without_a_file_is_not_selected(state: str) -> None:
    take, *_rest = takes_of_a_shot(1, media_state=state)
    with pytest.raises(Refused, match="nothing can be made of it"):
        select_take(take, member(take.project))


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.ARTIST, Role.CLIENT])
def test_who_may_not_review_selects_nothing(role: Role) -> None:
    take, *_rest = takes_of_a_shot(1)
    user = member(take.project, role)
    with pytest.raises(NotAllowed):
        select_take(take, user)
    with pytest.raises(NotAllowed):
        unselect_take(take, user)
    assert selected(take) == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one at a time")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("before", [False, True], ids=["none selected", "one selected"])
def test_of_people_who_select_different_takes_at_once_one_wins_and_the_others_are_told(before: bool) -> None:
    takes = takes_of_a_shot(4)
    user = member(takes[0].project)
    if before:
        select_take(takes[3], user)
    together = Barrier(3)

    def press(take: Take) -> str:
        together.wait()
        try:
            return "won" if select_take(take, user) else "was"
        except Conflict:
            return "told"
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as people:
        said = list(people.map(press, takes[:3]))
    assert len(selected(takes[0])) == 1
    assert "won" in said
    # Whoever came after the winner had finished simply selected another; nobody failed with an error.
    assert set(said) <= {"won", "told"}
    chosen = selected(takes[0])[0]
    last = StateEvent.objects.filter(machine="take_selection", to_state="selected").latest("pk")
    assert last.subject == chosen.pk
