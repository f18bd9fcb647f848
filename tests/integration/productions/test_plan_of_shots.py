"""What a shot's plan holds: its place in the cut, its lock, its episode; what the database lets through."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError

from apps.common.errors import Refused
from apps.productions.editing import update_shot
from apps.productions.locking import lock_shot, unlock_shot
from apps.productions.models import Shot
from apps.productions.services import create_episode, create_sequence, create_shot
from apps.projects.roles import Role
from tests.factories import MembershipFactory, ProjectFactory, SequenceFactory, ShotFactory

pytestmark = pytest.mark.django_db


def test_a_new_shot_has_the_projects_handles_and_counts_from_its_first_frame() -> None:
    sequence = SequenceFactory.create(project=ProjectFactory.create(handles=8, frame_start=1001))
    shot = create_shot(sequence=sequence, user=None, frames=48)
    assert (shot.handles, shot.first_cut_frame, shot.cut_out) == (8, 1009, 1056)
    moved = create_shot(sequence=sequence, user=None, frames=48, cut_in=1100, handles=0)
    assert (moved.handles, moved.first_cut_frame, moved.cut_out) == (0, 1100, 1147)


def test_a_locked_shot_keeps_its_plan_until_it_is_unlocked() -> None:
    member = MembershipFactory.create(role=Role.COORDINATOR)
    shot = ShotFactory.create(sequence=SequenceFactory.create(project=member.project))
    assert lock_shot(shot, user=member.user) and not lock_shot(shot, user=member.user)
    with pytest.raises(Refused, match=f"{member.user} locked this shot"):
        update_shot(shot, user=member.user, row_version=1, description="Gerda leaves")
    assert unlock_shot(shot, user=member.user) and not unlock_shot(shot, user=member.user)
    update_shot(shot, user=member.user, row_version=2, description="Gerda leaves")
    shot.refresh_from_db()
    assert (shot.description, shot.locked_by) == ("Gerda leaves", "")


@pytest.mark.parametrize(
    "wrong", ({"locked_by": "kay"}, {"handles": 1001}, {"continuity_frames": 0}, {"frames": 0})
)
def test_the_database_knows_what_a_shot_may_be(wrong: dict[str, Any]) -> None:
    shot = ShotFactory.create()
    with pytest.raises(IntegrityError):
        Shot.objects.filter(pk=shot.pk).update(**wrong)


def test_a_shot_does_not_continue_itself() -> None:
    shot = ShotFactory.create()
    with pytest.raises(IntegrityError):
        Shot.objects.filter(pk=shot.pk).update(continuity_from=shot)


def test_sequences_stand_in_episodes_of_their_own_project() -> None:
    project = ProjectFactory.create()
    first = create_episode(project=project, name="The mirror", user=None)
    assert (first.code, create_episode(project=project, name="The sledge", user=None).code) == (
        "EP01",
        "EP02",
    )
    assert create_sequence(project=project, name="The yard", user=None, episode=first).episode == first
    with pytest.raises(Refused, match="another project"):
        create_sequence(project=ProjectFactory.create(), name="The yard", user=None, episode=first)
