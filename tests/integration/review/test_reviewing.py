"""Verdicts on takes, and what they do to the shot."""

from __future__ import annotations

import pytest

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Refused
from apps.common.models import StateEvent
from apps.projects.roles import Role
from apps.review.models import Take
from apps.review.services import review_take
from apps.review.states import Media, Review
from tests.factories import MembershipFactory, ShotStatusFactory, TakeFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def take() -> Take:
    """A take that can be looked at, of a shot in review."""
    return in_shot_status("review")


def in_shot_status(slug: str, **fields: object) -> Take:
    made: Take = TakeFactory.create(
        shot__status=ShotStatusFactory.create(slug=slug), media_state=Media.READY, **fields
    )
    return made


def reviewer_of(take: Take, role: Role = Role.COORDINATOR) -> User:
    user: User = MembershipFactory.create(project=take.project, role=role).user
    return user


def decide(take: Take, to: str, *, user: User | None = None, note: str = "") -> bool:
    take.refresh_from_db()
    return review_take(take, to=to, user=user or reviewer_of(take), note=note)


def states_of(take: Take) -> tuple[str, str | None]:
    fresh = Take.objects.select_related("shot").get(pk=take.pk)
    return fresh.review_state, fresh.shot.status_id


def test_approving_a_take_approves_its_shot(take: Take) -> None:
    assert decide(take, Review.APPROVED)
    assert states_of(take) == ("approved", "approved")


def test_approving_while_another_take_renders_approves_the_shot_through_review() -> None:
    take = in_shot_status("in_progress")
    decide(take, Review.APPROVED)
    moves = StateEvent.objects.filter(machine="shot", subject=take.shot_id).values_list("to_state", flat=True)
    assert list(moves) == ["review", "approved"]


def test_asking_for_a_retake_makes_the_shot_ready(take: Take) -> None:
    assert decide(take, Review.RETAKE, note="the lantern is missing")
    assert states_of(take) == ("retake", "ready")


def test_the_verdict_its_author_and_the_note_stand_in_the_story(take: Take) -> None:
    user = reviewer_of(take)
    decide(take, Review.RETAKE, user=user, note="the lantern is missing")
    event = StateEvent.objects.get(story=take.job_id, machine="take_review")
    assert (event.to_state, event.actor, event.reason) == ("retake", user.username, "the lantern is missing")


def test_rejecting_a_take_leaves_the_shot_in_review(take: Take) -> None:
    assert decide(take, Review.REJECTED)
    assert states_of(take) == ("rejected", "review")


def test_a_retake_of_one_take_leaves_a_shot_approved_by_another(take: Take) -> None:
    other = TakeFactory.create(shot=take.shot, media_state=Media.READY)
    decide(other, Review.APPROVED)
    decide(take, Review.RETAKE, note="again")
    assert states_of(take) == ("retake", "approved")


def test_taking_the_approval_back_sends_the_shot_back_to_review(take: Take) -> None:
    decide(take, Review.APPROVED)
    decide(take, Review.PENDING)
    assert states_of(take) == ("pending", "review")


@pytest.mark.parametrize("status", ["final", "on_hold", "omitted"])
def test_a_shot_that_was_put_aside_stays_there(status: str) -> None:
    take = in_shot_status(status)
    decide(take, Review.RETAKE, note="again")
    assert states_of(take) == ("retake", status)


def test_the_same_verdict_twice_changes_nothing(take: Take) -> None:
    decide(take, Review.APPROVED)
    events = StateEvent.objects.count()
    assert not decide(take, Review.APPROVED)
    assert StateEvent.objects.count() == events


def test_whoever_decides_second_from_an_old_page_is_told(take: Take) -> None:
    user = reviewer_of(take)
    old = Take.objects.get(pk=take.pk)
    decide(take, Review.APPROVED)
    assert not review_take(old, to=Review.REJECTED, user=user)
    assert states_of(take) == ("approved", "approved")


@pytest.mark.parametrize("role", [Role.ARTIST, Role.CLIENT])
def test_who_may_not_review_is_told_which_role_would(take: Take, role: Role) -> None:
    with pytest.raises(NotAllowed, match="admin, coordinator"):
        decide(take, Review.APPROVED, user=reviewer_of(take, role))
    assert states_of(take) == ("pending", "review")


def test_an_unknown_verdict_is_refused(take: Take) -> None:
    with pytest.raises(Refused, match="choose one of: pending, approved, retake, rejected"):
        decide(take, "lovely")


@pytest.mark.parametrize("media", [Media.BROKEN, Media.MISSING])
def test_what_nobody_can_have_seen_is_not_approved(media: Media) -> None:
    take = TakeFactory.create(media_state=media)
    with pytest.raises(Refused, match="nobody can have seen it"):
        decide(take, Review.APPROVED)
    assert decide(take, Review.RETAKE, note="again")
