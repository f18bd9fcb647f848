"""When … then …: shipped rows say what a shot does by itself, and a studio writes its own."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Refused
from apps.common.models import StateEvent
from apps.ledger.models import Activity
from apps.ledger.services.restoring import bring_back
from apps.notices.services.occurrences import occurrences_in
from apps.productions.automating import remove_automation, save_automation, seen_by
from apps.productions.automations import STOPPED, Happening, happened
from apps.productions.models import Automation, Sequence, Shot, ShotStatus
from apps.productions.rendering import shot_has_take, shots_are_rendering, shots_have_takes
from apps.productions.services import move_shot_status
from apps.productions.verdicts import shot_is_approved, shot_needs_retake
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.review.models import Take
from apps.review.services import review_take
from tests.factories import (
    MembershipFactory,
    ProjectFactory,
    SequenceFactory,
    ShotFactory,
    TakeFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def automation(name: str = "ours", **fields: Any) -> Automation:
    for key in ("status", "target"):
        if isinstance(fields.get(key), str):
            fields[key] = ShotStatus.objects.get(pk=fields[key])
    return save_automation(Automation(**{"name": name, "deed": "move"} | fields), user=None)


def shot_in(status: str, sequence: Sequence | None = None) -> Shot:
    where = {"sequence": sequence} if sequence else {}
    shot: Shot = ShotFactory.create(status_id=status, **where)
    return shot


def status_of(shot: Shot) -> str:
    return str(Shot.objects.values_list("status_id", flat=True).get(pk=shot.pk))


def events_of(shot: Shot) -> list[tuple[str, str, str]]:
    rows = StateEvent.objects.filter(subject=shot.pk).order_by("id")
    return list(rows.values_list("machine", "to_state", "reason"))


def switched_off(name: str) -> None:
    row = Automation.objects.get(name=name)
    row.active = False
    save_automation(row, user=None)


def test_the_shipped_ones_do_what_shots_always_did() -> None:
    shot = shot_in("draft")
    assert shots_are_rendering([shot], actor="alice") == 1
    assert shot_has_take(shot, actor="node1")
    assert shot_is_approved(shot, actor="bob", reason="")
    assert shot_needs_retake(shot, actor="bob", reason="")
    assert [to for _machine, to, _reason in events_of(shot)] == ["in_progress", "review", "approved", "ready"]


def test_its_name_is_the_reason_and_the_person_the_actor_and_why_stands_beside() -> None:
    shot = shot_in("review")
    shot_is_approved(shot, actor="bob", reason="SQ010_SH0010 clip take 2: approved")
    event = StateEvent.objects.get(subject=shot.pk)
    assert (event.reason, event.actor) == ("a take is approved: the shot, too", "bob")
    assert event.data["why"] == "SQ010_SH0010 clip take 2: approved"


def test_one_that_is_switched_off_does_nothing_and_the_rest_goes_on() -> None:
    switched_off("a take is approved: the shot, too")
    shot = shot_in("review")
    assert not shot_is_approved(shot, actor="bob", reason="")
    assert shot_needs_retake(shot, actor="bob", reason="")
    assert status_of(shot) == "ready"


def test_what_a_studio_edited_or_switched_off_stays_when_the_next_release_comes() -> None:
    from django.apps import apps

    from apps.productions.shipped_automations import ship

    switched_off("a take came back")
    Automation.objects.filter(name="a render was submitted").update(order=7)  # behind the service's back
    ship(apps=apps)
    assert not Automation.objects.get(name="a take came back").active
    assert Automation.objects.get(name="a render was submitted").order == 1000  # row_version 0: follows
    assert Automation.objects.filter(builtin=True).count() == 5


def test_a_stage_and_a_project_narrow_it() -> None:
    shot, other = shot_in("review"), shot_in("review")
    switched_off("a take is approved: the shot, too")
    automation(trigger="take_approved", stage="clip", target="approved", project=shot.project)
    shot_is_approved(shot, actor="bob", reason="", stage="keyframe")
    assert status_of(shot) == "review"
    shot_is_approved(other, actor="bob", reason="", stage="clip")
    assert status_of(other) == "review"
    shot_is_approved(shot, actor="bob", reason="", stage="clip")
    assert status_of(shot) == "approved"


def test_one_deed_sets_off_the_next() -> None:
    automation(trigger="shot_reached", status="approved", target="final", from_states=["approved"])
    shot = shot_in("review")
    shot_is_approved(shot, actor="bob", reason="")
    assert [to for _machine, to, _reason in events_of(shot)] == ["approved", "final"]


def test_a_person_who_moves_a_shot_sets_it_off_too() -> None:
    automation(trigger="shot_reached", status="approved", target="final", from_states=["approved"])
    shot = shot_in("review")
    move_shot_status(shot, to="approved", user=None)
    assert status_of(shot) == "final"


def test_what_is_put_aside_is_never_moved_by_itself() -> None:
    automation(trigger="take_approved", target="approved")
    for status in ("on_hold", "omitted", "final"):
        shot = shot_in(status)
        shot_is_approved(shot, actor="bob", reason="")
        assert status_of(shot) == status
    with pytest.raises(Refused, match="from_states"):
        automation("from hold", trigger="take_approved", target="ready", from_states=["on_hold"])


def test_a_sequence_that_is_all_approved_is_told_once_shot_by_shot_but_omitted_ones() -> None:
    sequence: Sequence = SequenceFactory.create()
    first, second = shot_in("review", sequence), shot_in("review", sequence)
    omitted = shot_in("omitted", sequence)
    automation("all in", trigger="sequence_reached", status="approved", target="final")
    shot_is_approved(first, actor="bob", reason="")
    assert status_of(first) == "approved"
    shot_is_approved(second, actor="bob", reason="")
    assert (status_of(first), status_of(second), status_of(omitted)) == ("final", "final", "omitted")


def test_a_circle_is_refused_and_named() -> None:
    automation("back", trigger="shot_reached", status="approved", target="review")
    with pytest.raises(Refused, match="“forth” → “back” → “forth”"):
        automation("forth", trigger="shot_reached", status="review", target="approved")


def test_going_back_closes_no_circle_either() -> None:
    root = UserFactory.create(is_superuser=True)
    back = automation("back", trigger="shot_reached", status="approved", target="review")
    remove_automation(back, user=root)
    automation("forth", trigger="shot_reached", status="review", target="approved")
    gone = Activity.objects.get(kind="automation", verb="deleted")
    with pytest.raises(Refused, match="“back” → “forth” → “back”"):
        bring_back(gone, user=root)
    assert not Automation.objects.filter(name="back").exists()


def test_a_circle_that_stands_in_the_table_all_the_same_ends_and_is_told() -> None:
    automation("back", trigger="shot_reached", status="approved", target="review")
    row = Automation(name="forth", trigger="shot_reached", deed="move")
    row.status_id, row.target_id = "review", "approved"
    row.save()
    shot = shot_in("in_progress")
    move_shot_status(shot, to="review", user=None)
    assert status_of(shot) in ("review", "approved")
    assert ("automation", STOPPED, "forth") in events_of(shot)


def test_many_shots_take_as_many_statements_as_two(django_assert_max_num_queries: Any) -> None:
    project: Project = ProjectFactory.create()
    sequence = SequenceFactory.create(project=project)
    shots = [shot_in("in_progress", sequence) for _ in range(12)]
    told = [Happening(shot=shot.pk, project=project.pk, actor="node1") for shot in shots]
    with django_assert_max_num_queries(11):  # three of them for the shots' history
        assert len(happened("take_arrived", told)) == 12


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"trigger": "shot_reached", "target": "final"}, "say which status it waits for"),
        ({"trigger": "take_approved", "status": "review", "target": "final"}, "leave it empty"),
        ({"trigger": "take_approved"}, "say which status the shot gets"),
        (
            {"trigger": "shot_reached", "status": "review", "deed": "select"},
            "only when one comes",
        ),
        (
            {"trigger": "shot_reached", "status": "review", "stage": "clip", "deed": "notify"},
            "only a take",
        ),
        ({"trigger": "no_such", "target": "final"}, "choose one of: render_submitted"),
        ({"trigger": "take_approved", "deed": "notify", "target": "final"}, "this moves no shot"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(Refused, match=told):
        automation(**fields)


def test_a_project_s_are_written_by_those_who_manage_it_and_the_studio_s_by_permission() -> None:
    project: Project = ProjectFactory.create()
    admin: User = MembershipFactory.create(project=project, role=Role.ADMIN).user
    coordinator: User = MembershipFactory.create(project=project).user
    stranger: User = UserFactory.create()
    fields: dict[str, Any] = {"trigger": "take_approved", "deed": "notify"}
    row = save_automation(Automation(name="tell us", project=project, **fields), user=admin)
    with pytest.raises(NotAllowed):
        save_automation(row, user=coordinator)
    with pytest.raises(NotAllowed, match=r"productions\.add_automation"):
        save_automation(Automation(name="tell all", **fields), user=admin)
    assert row in seen_by(coordinator)
    assert row not in seen_by(stranger)
    remove_automation(row, user=admin)
    with pytest.raises(Refused, match="switch it off"):
        remove_automation(Automation.objects.filter(builtin=True)[0], user=None)


def test_a_take_that_comes_back_is_selected_where_none_is_and_that_sets_off_the_next() -> None:
    shot = shot_in("in_progress")
    automation("first", trigger="take_arrived", stage="clip", deed="select")
    automation("chosen", trigger="take_selected", stage="clip", deed="lock")
    first, second = (TakeFactory.create(shot=shot, kind="clip") for _ in range(2))
    for take in (first, second):
        shots_have_takes([(shot, "node1", "clip", take.pk)])
    assert [take.selected for take in Take.objects.filter(shot=shot).order_by("number")] == [True, False]
    assert Shot.objects.get(pk=shot.pk).locked_by == "node1"


def test_a_retake_counts_once_whoever_asks_for_it_twice() -> None:
    shot = shot_in("review")
    take = TakeFactory.create(shot=shot, media_state="ready")
    user = MembershipFactory.create(project=shot.project).user
    old = Take.objects.get(pk=take.pk)
    assert review_take(take, to="retake", user=user, note="too dark")
    assert not review_take(old, to="retake", user=user, note="too dark")
    assert Shot.objects.get(pk=shot.pk).retake_count == 1


def test_what_it_tells_becomes_a_notice() -> None:
    shot = shot_in("review")
    automation("clients may look", trigger="shot_reached", status="approved", deed="notify")
    move_shot_status(shot, to="approved", user=None)
    [told] = occurrences_in(list(StateEvent.objects.filter(machine="automation")))
    assert (told.kind, told.project, told.item["code"]) == (
        "shot.automation",
        shot.project_id,
        shot.full_code,
    )
    assert told.item["reason"] == "clients may look"
