"""What going back leaves as it is by now: members, versions, and who works on a shot."""

from __future__ import annotations

import pytest

from apps.common.errors import Refused, Stale
from apps.ledger.models import Activity
from apps.ledger.selectors import history_of
from apps.ledger.services.restoring import bring_back, restore
from apps.productions.assigning import assign
from apps.productions.editing import update_shot
from apps.productions.models import Shot
from apps.productions.outline import delete_shot
from apps.projects.members import add_member, remove_member
from apps.projects.models import Membership, Project
from apps.projects.roles import Role
from apps.projects.services import create_project, update_project
from tests.factories import MembershipFactory, ShotFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_project_that_goes_back_keeps_the_members_it_has_by_now() -> None:
    opened = create_project(code="FROST", name="Frost", user=None)
    alice = UserFactory.create()
    add_member(project=opened, member=alice, role=Role.ADMIN, user=None)
    update_project(opened, user=alice, row_version=1, name="Snow")
    born = history_of(Project, opened.pk).order_by("id")[0]
    assert restore(born, user=alice) == 1
    opened.refresh_from_db()
    assert opened.name == "Frost"
    assert list(Membership.objects.values_list("user", "role")) == [(alice.pk, "admin")]
    with pytest.raises(Refused, match="it says so already"):
        restore(born, user=alice)


def test_a_shot_that_comes_again_counts_its_versions_on() -> None:
    shot = ShotFactory.create()
    admin = MembershipFactory.create(project=shot.project, role=Role.ADMIN).user
    update_shot(shot, user=admin, row_version=0, frames=72)
    delete_shot(shot, user=admin, row_version=1)
    gone = Activity.objects.get(verb="deleted")
    bring_back(gone, user=admin)
    again = Shot.objects.get()
    assert (again.frames, again.row_version) == (72, 3)
    for held_since_before in (0, 1, 2):
        with pytest.raises(Stale):
            update_shot(again, user=admin, row_version=held_since_before, frames=96)


def test_who_leaves_is_taken_off_their_shots_in_words_and_no_going_back_puts_them_there_again() -> None:
    shot = ShotFactory.create()
    admin = MembershipFactory.create(project=shot.project, role=Role.ADMIN).user
    artist = MembershipFactory.create(project=shot.project, role=Role.ARTIST)
    name = artist.user.get_username()
    assign(shot, [name], user=admin)
    given = history_of(Shot, shot.pk)[0]
    remove_member(artist, user=admin, row_version=0)
    left = history_of(Shot, shot.pk)[0]
    assert (left.actor, left.changes) == (admin.get_username(), {"assignees": [[name], []]})
    assert Shot.objects.get(pk=shot.pk).row_version == left.version == 2
    restore(given, user=admin)
    assert not shot.assignees.exists()
