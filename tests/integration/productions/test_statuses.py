"""A studio's own statuses are shades of the machine's eight: what people read, never what may be done."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Refused
from apps.common.machines import Move, move, move_each
from apps.common.models import StateEvent
from apps.ledger.models import Activity, Batch
from apps.productions.admin_filters import with_flag
from apps.productions.automating import save_automation
from apps.productions.models import Automation, Shot, ShotStatus
from apps.productions.moving import move_shots
from apps.productions.rendering import shot_has_take
from apps.productions.services import move_shot_status, statuses_from
from apps.productions.states import SHOT
from apps.productions.statuses import save_status
from apps.productions.verdicts import count_retake, shot_is_approved
from apps.projects.history import undo_batch
from apps.projects.roles import Role
from tests.factories import MembershipFactory, ShotFactory, UserFactory

pytestmark = pytest.mark.django_db


def status(slug: str = "client-review", state: str = "review", **fields: Any) -> ShotStatus:
    row = ShotStatus(slug=slug, state=state, name=slug.replace("-", " ").capitalize(), order=35, **fields)
    return save_status(row, user=None)


def shot_in(slug: str) -> Shot:
    shot: Shot = ShotFactory.create(status_id=slug)
    return shot


def shown(shot: Shot) -> tuple[str, str | None]:
    return Shot.objects.values_list("status_id", "studio_status_id").get(pk=shot.pk)


def test_a_shot_is_moved_to_a_studio_s_status_as_the_machine_allows() -> None:
    status()
    shot = shot_in("in_progress")
    assert move_shot_status(shot, to="client-review", user=None)
    assert shown(shot) == ("review", "client-review")
    with pytest.raises(Refused, match="a shot may go to"):
        move_shot_status(shot_in("draft"), to="client-review", user=None)


def test_the_machine_s_next_move_leaves_the_shade_behind() -> None:
    status()
    shot = shot_in("in_progress")
    move_shot_status(shot, to="client-review", user=None)
    shot_is_approved(shot, actor="bob", reason="")
    assert shown(shot) == ("approved", None)


def test_from_shade_to_shade_is_no_move_of_the_machine_but_an_event() -> None:
    status()
    shot = shot_in("review")
    assert move_shot_status(shot, to="client-review", user=None, reason="sent them the link")
    shot.refresh_from_db()
    assert move_shot_status(shot, to="review", user=None)
    events = StateEvent.objects.filter(subject=shot.pk).order_by("id")
    assert list(events.values_list("machine", "from_state", "to_state", "reason")) == [
        ("shot_label", "review", "client-review", "sent them the link"),
        ("shot_label", "client-review", "review", ""),
    ]
    assert shown(shot) == ("review", None)


def test_what_comes_into_a_state_by_itself_gets_its_default() -> None:
    status("wfa", is_default=True, is_feedback_request=True)
    shot = shot_in("in_progress")
    shot_has_take(shot, actor="node1")
    assert shown(shot) == ("review", "wfa")
    assert not ShotStatus.objects.get(pk="review").is_default


def test_taking_the_mark_away_gives_it_back_to_the_machine_s_own() -> None:
    row = status("wfa", is_default=True)
    row.is_default = False
    save_status(row, user=None)
    assert ShotStatus.objects.get(pk="review").is_default


def test_a_shade_follows_its_state_in_what_may_be_rendered() -> None:
    assert not status("legal", "on_hold").renderable
    own = ShotStatus.objects.get(pk="on_hold")
    own.renderable = True
    save_status(own, user=None)
    assert ShotStatus.objects.get(pk="legal").renderable


def test_an_archived_status_is_offered_no_more_and_stays_where_it_is() -> None:
    row = status()
    shot = shot_in("review")
    move_shot_status(shot, to="client-review", user=None)
    row.archived = True
    save_status(row, user=None)
    assert shown(shot) == ("review", "client-review")
    assert "client-review" not in statuses_from(shot_in("in_progress"))
    with pytest.raises(Refused):
        move_shot_status(shot_in("in_progress"), to="client-review", user=None)


def test_the_eight_stay() -> None:
    for slug in SHOT.states:
        row = ShotStatus.objects.get(pk=slug)
        row.archived = True
        with pytest.raises(Refused, match="stay"):
            save_status(row, user=None)
        row.archived, row.name = False, f"our {slug}"
        save_status(row, user=None)
    row = ShotStatus.objects.get(pk="review")
    row.state = "ready"
    with pytest.raises(Refused, match="stays what it is of"):
        save_status(row, user=None)


@pytest.mark.parametrize(
    "fields",
    [
        {"slug": "x", "state": "no_such"},
        {"slug": "x", "state": "review", "is_default": True},  # a second one
    ],
)
def test_the_database_knows_it_too(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ShotStatus.objects.create(name="x", order=1, **fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        ShotStatus.objects.filter(pk="ready").update(state="review")
    with pytest.raises(IntegrityError), transaction.atomic():
        ShotStatus.objects.filter(pk="ready").update(archived=True)


def test_artists_set_what_they_may() -> None:
    status("director-ok", is_artist_allowed=False)
    shot = shot_in("in_progress")
    artist: User = MembershipFactory.create(project=shot.project, role=Role.ARTIST).user
    coordinator: User = MembershipFactory.create(project=shot.project).user
    with pytest.raises(NotAllowed):
        move_shot_status(shot, to="director-ok", user=artist)
    assert move_shot_status(shot, to="director-ok", user=coordinator)


def test_what_a_save_changes_of_the_statuses_beside_it_is_remembered_too() -> None:
    def told(slug: str) -> tuple[dict[str, Any], bool]:
        newest = Activity.objects.filter(kind="shot_status", object_id=slug).latest("id")
        return newest.changes, newest.version == ShotStatus.objects.get(pk=slug).row_version

    status("client-review", is_default=True)
    assert told("review") == ({"is_default": [True, False]}, True)
    own = ShotStatus.objects.get(pk="review")
    own.closed = not own.closed
    save_status(own, user=None)
    assert told("client-review") == ({"closed": [not own.closed, own.closed]}, True)


def test_writing_statuses_takes_the_permission() -> None:
    with pytest.raises(NotAllowed, match=r"productions\.add_shotstatus"):
        save_status(ShotStatus(slug="x", state="review", name="X", order=1), user=UserFactory.create())


def test_shots_are_found_by_what_their_status_means() -> None:
    status("fix", "ready", is_retake=True)
    shot, plain = shot_in("draft"), shot_in("ready")
    move_shot_status(shot, to="fix", user=None)
    assert list(with_flag(Shot.objects.all(), "is_retake")) == [shot]
    assert plain not in with_flag(Shot.objects.all(), "is_wip")


def test_many_shots_move_together_and_those_that_cannot_stay() -> None:
    automation = Automation(name="then hold", trigger="shot_reached", deed="lock")
    automation.status = ShotStatus.objects.get(pk="ready")
    save_automation(automation, user=None)
    first, final = shot_in("draft"), shot_in("final")
    user = MembershipFactory.create(project=first.project, role=Role.COORDINATOR).user
    others = [ShotFactory.create(sequence=first.sequence, status_id="draft") for _ in range(11)]
    held = ShotFactory.create(sequence=first.sequence, status_id="on_hold")
    gone = Shot.objects.get(pk=others[0].pk)
    move_shot_status(others[0], to="omitted", user=user)
    with CaptureQueriesContext(connection) as many:
        assert move_shots([first, *others, held], to="ready", user=user).count == 12
    assert gone.status_id == "draft"  # as it was read: it stays, for somebody was faster
    assert shown(others[0]) == ("omitted", None)
    told = Activity.objects.filter(kind="shot", object_id=str(held.pk)).latest("id")
    assert (told.verb, told.changes["status"]) == ("status", ["on_hold", "ready"])
    assert set(told.changes) == {"status", "locked_by"}  # the automation's deed stands in the same row
    fewer = [ShotFactory.create(sequence=first.sequence, status_id=now) for now in ("draft", "on_hold")]
    with CaptureQueriesContext(connection) as few:
        assert move_shots(fewer, to="ready", user=user).count == 2
    assert len(many) == len(few)
    with pytest.raises(NotAllowed):
        move_shots([shot_in("draft"), ShotFactory.create(sequence=first.sequence)], to="ready", user=user)
    assert move_shots([final], to="in_progress", user=user).count == 0


def test_many_shots_go_back_to_the_studios_own_status_in_as_many_queries_as_a_few() -> None:
    """From on hold the machine has no step back to either: the undo goes by ready, which sets off nothing."""
    status("client-review")
    lock = Automation(name="then lock", trigger="shot_reached", deed="lock")
    lock.status = ShotStatus.objects.get(pk="ready")
    save_automation(lock, user=None)
    first = shot_in("draft")
    user = MembershipFactory.create(project=first.project, role=Role.COORDINATOR).user
    counts = []
    for count in (2, 12):
        shots = [ShotFactory.create(sequence=first.sequence, status_id="in_progress") for _ in range(count)]
        for shot in shots[1:]:
            move_shot_status(shot, to="client-review", user=user)
        before = [shown(shot) for shot in shots]
        done = move_shots(Shot.objects.filter(pk__in=[shot.pk for shot in shots]), to="on_hold", user=user)
        assert {shown(shot) for shot in shots} == {("on_hold", None)}
        with CaptureQueriesContext(connection) as seen:
            undone = undo_batch(Batch.objects.get(pk=done.batches[0]), user=user)
        counts.append(len(seen))
        assert [shown(shot) for shot in shots] == before
        assert (undone.count, undone.left) == (count, ())
        assert not Shot.objects.exclude(locked_by="").exists()
    assert counts[0] == counts[1]


def test_retakes_are_counted() -> None:
    shot = shot_in("review")
    count_retake(shot.pk, actor="bob")
    assert Shot.objects.get(pk=shot.pk).retake_count == 1


@pytest.mark.parametrize("named", ("studio_status", "studio_status_id"))
def test_many_shots_move_to_a_shade_by_either_name_of_its_column(named: str) -> None:
    """What comes with the state by itself gives way to what is asked for; no column is written twice."""
    status("our-review", is_default=True)
    wanted = status()
    shots = [shot_in("in_progress"), shot_in("in_progress")]
    value = wanted if named == "studio_status" else wanted.pk
    moves = [Move(row=shot, actor="farm", changes={named: value}) for shot in shots]
    assert move_each(SHOT, moves, from_=("in_progress",), to="review") == {shot.pk for shot in shots}
    assert {shown(shot) for shot in shots} == {("review", "client-review")}
    alone = shot_in("in_progress")
    assert move(SHOT, alone, from_=("in_progress",), to="review", actor="farm", changes={named: value})
    assert shown(alone) == ("review", "client-review")
