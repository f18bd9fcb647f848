"""Creating sequences and shots, and moving shots through their statuses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from apps.common.errors import NotAllowed, Refused
from apps.common.models import StateEvent
from apps.productions import states
from apps.productions.models import Shot, ShotStatus
from apps.productions.services import create_sequence, create_shot, move_shot_status
from apps.projects.roles import Role
from tests.factories import MembershipFactory, ProjectFactory, SequenceFactory, ShotFactory

seed_statuses = import_module("apps.productions.migrations.0002_shot_statuses").seed


@pytest.mark.django_db
def test_every_state_of_the_machine_has_a_status_row_in_both_languages() -> None:
    rows = {status.slug: status for status in ShotStatus.objects.all()}
    assert set(rows) == set(states.SHOT.states)
    assert all(status.name and status.name_ko for status in rows.values())


@pytest.mark.django_db
def test_seeding_again_leaves_what_a_studio_renamed() -> None:
    ShotStatus.objects.filter(slug="review").update(name="Dailies")
    seed_statuses(apps, None)
    assert ShotStatus.objects.get(slug="review").name == "Dailies"


@pytest.mark.django_db
def test_codes_step_by_ten() -> None:
    project = ProjectFactory.create()
    sequences = [create_sequence(project=project, name=name, user=None) for name in ("One", "Two")]
    assert [sequence.code for sequence in sequences] == ["SQ010", "SQ020"]
    shots = [create_shot(sequence=sequences[1], user=None) for _n in range(3)]
    assert [shot.full_code for shot in shots] == ["SQ020_SH0010", "SQ020_SH0020", "SQ020_SH0030"]
    assert [shot.order for shot in shots] == [10, 20, 30]
    assert create_shot(sequence=sequences[0], user=None).full_code == "SQ010_SH0010"


@pytest.mark.django_db
def test_a_code_that_somebody_typed_is_passed_over() -> None:
    sequence = SequenceFactory.create()
    ShotFactory.create(sequence=sequence, code="SH0010")
    assert create_shot(sequence=sequence, user=None).code == "SH0020"


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["../SH0010", "sh0010", "SH 10"])
def test_a_code_that_could_not_be_a_folder_name_is_refused(code: str) -> None:
    with pytest.raises(Refused, match="capital letters"):
        create_shot(sequence=SequenceFactory.create(), user=None, code=code)
    assert not Shot.objects.exists()


@pytest.mark.django_db
def test_a_taken_code_and_zero_frames_are_refused() -> None:
    shot = ShotFactory.create(code="SH0010")
    with pytest.raises(Refused, match="already exists"):
        create_shot(sequence=shot.sequence, user=None, code="SH0010")
    with pytest.raises(Refused) as refused:
        create_shot(sequence=shot.sequence, user=None, frames=0)
    assert (refused.value.problems[0].field, refused.value.problems[0].value) == ("frames", "0")


@pytest.mark.django_db
def test_a_viewer_may_not_plan_shots() -> None:
    sequence = SequenceFactory.create()
    viewer = MembershipFactory.create(project=sequence.project, role=Role.CLIENT).user
    with pytest.raises(NotAllowed, match="artist"):
        create_shot(sequence=sequence, user=viewer)


@pytest.mark.django_db(transaction=True)
def test_a_hundred_shots_created_at_once_have_a_hundred_codes() -> None:
    seed_statuses(apps, None)
    sequence = SequenceFactory.create()

    def create(_number: int) -> str:
        try:
            return create_shot(sequence=sequence, user=None).code
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=12) as pool:
        codes = list(pool.map(create, range(100)))

    assert sorted(codes) == [f"SH{number:04}" for number in range(10, 1001, 10)]
    assert Shot.objects.filter(sequence=sequence).count() == 100


@pytest.mark.django_db
def test_a_shot_moves_and_its_story_says_who_and_why() -> None:
    shot = ShotFactory.create(status__slug="draft")
    artist = MembershipFactory.create(project=shot.project, role=Role.ARTIST).user
    shot.assignees.add(artist)
    assert move_shot_status(shot, to="ready", user=artist, reason="broken down")
    shot.refresh_from_db()
    assert shot.status_id == "ready"
    event = StateEvent.objects.get(story=shot.pk)
    assert (event.from_state, event.to_state, event.actor) == ("draft", "ready", artist.get_username())
    assert event.reason == "broken down"


@pytest.mark.django_db
def test_a_move_the_machine_lacks_is_refused_with_those_it_has() -> None:
    shot = ShotFactory.create(status__slug="draft")
    with pytest.raises(Refused, match="in_progress, omitted, on_hold, ready"):
        move_shot_status(shot, to="final", user=None)


@pytest.mark.django_db
def test_who_comes_second_moves_nothing() -> None:
    shot = ShotFactory.create(status__slug="draft")
    Shot.objects.filter(pk=shot.pk).update(status="on_hold")
    assert not move_shot_status(shot, to="ready", user=None)
    assert not StateEvent.objects.filter(story=shot.pk).exists()


@pytest.mark.django_db
def test_approving_takes_the_right_to_review() -> None:
    shot = ShotFactory.create(status__slug="review")
    artist = MembershipFactory.create(project=shot.project, role=Role.ARTIST).user
    with pytest.raises(NotAllowed, match="coordinator"):
        move_shot_status(shot, to="approved", user=artist)
    coordinator = MembershipFactory.create(project=shot.project, role=Role.COORDINATOR).user
    assert move_shot_status(shot, to="approved", user=coordinator)
