"""What an automation would have done lately, and that asking does nothing."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import User
from apps.common.models import StateEvent
from apps.productions.models import Automation, Shot, ShotStatus
from apps.productions.services import move_shot_status
from apps.projects.roles import Role
from apps.renders import rehearsal
from apps.renders.rehearsal import rehearse
from apps.review.services import review_take
from tests.factories import MembershipFactory, ShotFactory, TakeFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> User:
    user: User = UserFactory.create(username="root", is_superuser=True, is_staff=True)
    return user


def planned(**said: Any) -> Automation:
    """An automation that was never saved, or never was active."""
    for key in ("status", "target"):
        if key in said:
            said[key] = ShotStatus.objects.get(pk=said[key])
    return Automation(**{"name": "ours", "deed": "move"} | said)


def in_review(user: User) -> Shot:
    shot: Shot = ShotFactory.create(status_id="draft")
    for to in ("ready", "review"):
        move_shot_status(shot, to=to, user=user)
        shot.refresh_from_db()
    return shot


def told(row: Automation, user: User) -> list[tuple[str, str, str]]:
    return [(one.shot.full_code, one.before, one.after) for one in rehearse(row, user=user).would]


def test_it_tells_which_shots_a_verdict_would_have_moved_and_moves_none(root: User) -> None:
    Automation.objects.update(active=False)
    shot, other = in_review(root), in_review(root)
    take = TakeFactory.create(shot=shot, media_state="ready")
    review_take(take, to="approved", user=root)
    events = StateEvent.objects.count()
    row = planned(trigger="take_approved", target="approved")
    assert told(row, root) == [(shot.full_code, "review", "approved")]
    assert told(planned(trigger="take_approved", target="approved", from_states=["ready"]), root) == []
    assert told(planned(trigger="take_approved", target="approved", stage="finish"), root) == []
    shot.refresh_from_db()
    assert (shot.status_id, other.status_id, StateEvent.objects.count()) == ("review", "review", events)


def test_it_goes_by_how_shots_stood_then_not_by_how_they_stand(root: User) -> None:
    shot = in_review(root)
    review_take(TakeFactory.create(shot=shot, media_state="ready"), to="approved", user=root)
    shot.refresh_from_db()
    assert shot.status_id == "approved"  # as shipped; the rehearsal tells what has happened
    assert told(planned(trigger="take_approved", target="approved"), root) == [
        (shot.full_code, "review", "approved")
    ]


def test_a_retake_beside_an_approved_take_would_have_moved_nothing(root: User) -> None:
    Automation.objects.update(active=False)
    shot = in_review(root)
    first, second = (TakeFactory.create(shot=shot, media_state="ready") for _ in range(2))
    review_take(first, to="approved", user=root)
    review_take(second, to="retake", user=root, note="darker")
    again = planned(trigger="take_retake", target="ready")
    assert told(again, root) == []
    lonely = in_review(root)
    review_take(TakeFactory.create(shot=lonely, media_state="ready"), to="retake", user=root, note="no")
    assert told(again, root) == [(lonely.full_code, "review", "ready")]


def test_a_sequence_counts_when_its_last_shot_got_there(root: User) -> None:
    shot = in_review(root)
    ShotFactory.create(sequence=shot.sequence, status_id="omitted")
    row = planned(trigger="sequence_reached", status="review", target="approved")
    assert told(row, root) == [(shot.full_code, "review", "approved")]
    late = ShotFactory.create(sequence=shot.sequence, status_id="draft")
    for to in ("ready", "review"):
        move_shot_status(late, to=to, user=root)
        late.refresh_from_db()
    assert {code for code, _before, _after in told(row, root)} >= {late.full_code, shot.full_code}


def test_nobody_is_told_of_films_they_do_not_see(root: User) -> None:
    shot = in_review(root)
    row = planned(trigger="shot_reached", status="review", target="approved")
    member = MembershipFactory.create(project=shot.project, role=Role.COORDINATOR).user
    client = MembershipFactory.create(project=shot.project, role=Role.CLIENT).user
    assert told(row, member) == [(shot.full_code, "review", "approved")]
    assert told(row, client) == told(row, MembershipFactory.create().user) == []


def test_it_says_that_more_happened_than_it_looks_at(root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    row = planned(trigger="shot_reached", status="review", target="approved")
    shots = [in_review(root) for _ in range(3)]
    assert not rehearse(row, user=root).cut
    monkeypatch.setattr(rehearsal, "MOST_OCCASIONS", 2)
    cut = rehearse(row, user=root)
    assert (cut.cut, cut.occasions, {one.shot for one in cut.would}) == (True, 3, set(shots[1:]))
    monkeypatch.setattr(rehearsal, "MOST_EVENTS", 1)
    assert rehearse(row, user=root).cut


def test_the_page_and_the_api_tell_the_same(root: User, client: Any) -> None:
    shot = in_review(root)
    Automation.objects.update(active=False)
    row = planned(trigger="shot_reached", status="review", target="approved", active=False)
    row.save()
    client.force_login(root)
    page = client.get(f"/admin/productions/automation/{row.pk}/change/", {"days": 7})
    assert shot.full_code in page.content.decode()
    answer = client.get(f"/api/v1/automations/{row.pk}/rehearsal?days=7").json()
    assert [(one["code"], one["before"], one["after"]) for one in answer["would"]] == [
        (shot.full_code, "review", "approved")
    ]
    assert client.get(f"/api/v1/automations/{row.pk}/rehearsal?days=400").status_code == 400


def test_of_long_sequences_it_reads_only_so_many_shots(root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    row = planned(trigger="sequence_reached", status="review", target="approved")
    older, newer = in_review(root), in_review(root)
    assert older.sequence != newer.sequence
    monkeypatch.setattr(rehearsal, "MOST_SHOTS", 1)
    found = rehearse(row, user=root)
    assert ([one.shot for one in found.would], found.cut, found.occasions) == ([newer], True, 2)
    assert found.since == StateEvent.objects.filter(subject=newer.pk, to_state="review").get().at
