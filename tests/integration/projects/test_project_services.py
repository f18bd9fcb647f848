"""Opening projects and letting people in."""

from __future__ import annotations

import pytest
from django.db import IntegrityError

from apps.common.errors import NotAllowed, Refused
from apps.projects.members import add_member
from apps.projects.models import Membership, Project
from apps.projects.roles import Act, Role
from apps.projects.selectors import may
from apps.projects.services import create_project
from tests.factories import MembershipFactory, ProjectFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_the_creator_of_a_project_becomes_its_admin() -> None:
    boss = UserFactory.create(is_superuser=True)
    project = create_project(code="FROST", name="Frost", user=boss, fps=25)
    assert (project.fps, Membership.objects.get(project=project).user) == (25, boss)
    assert Membership.objects.get(project=project).role == Role.ADMIN


@pytest.mark.parametrize("code", ["frost", "../FROST", "F", "FROST\n../X", ""])
def test_a_bad_code_is_refused_with_the_rule(code: str) -> None:
    with pytest.raises(Refused) as refused:
        create_project(code=code, name="Frost", user=None)
    assert refused.value.problems[0].field == "code"
    assert not Project.objects.exists()


def test_a_taken_code_is_refused() -> None:
    ProjectFactory.create(code="FROST")
    with pytest.raises(Refused, match="already exists"):
        create_project(code="FROST", name="Frost", user=None)


def test_opening_a_project_takes_the_permission() -> None:
    with pytest.raises(NotAllowed, match=r"projects\.add_project"):
        create_project(code="FROST", name="Frost", user=UserFactory.create())


def test_a_member_is_added_and_their_role_is_changed() -> None:
    admin = MembershipFactory.create(role=Role.ADMIN)
    someone = UserFactory.create()
    add_member(project=admin.project, member=someone, role=Role.CLIENT, user=admin.user)
    assert not may(someone, Act.VIEW, admin.project)
    add_member(project=admin.project, member=someone, role=Role.ARTIST, user=admin.user)
    assert may(someone, Act.VIEW, admin.project)
    assert Membership.objects.filter(project=admin.project, user=someone).count() == 1


def test_only_an_admin_adds_members() -> None:
    coordinator = MembershipFactory.create(role=Role.COORDINATOR)
    with pytest.raises(NotAllowed, match="roles: admin"):
        add_member(
            project=coordinator.project, member=UserFactory.create(), role=Role.CLIENT, user=coordinator.user
        )


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(Refused, match="admin, coordinator, supervisor, artist, client"):
        add_member(project=ProjectFactory.create(), member=UserFactory.create(), role="king", user=None)


def test_the_last_admin_stays_admin() -> None:
    admin = MembershipFactory.create(role=Role.ADMIN)
    with pytest.raises(Refused, match="only admin"):
        add_member(project=admin.project, member=admin.user, role=Role.CLIENT, user=admin.user)
    MembershipFactory.create(project=admin.project, role=Role.ADMIN)
    add_member(project=admin.project, member=admin.user, role=Role.CLIENT, user=admin.user)


@pytest.mark.parametrize(
    ("told", "kept"),
    (
        (23.976, (24000, 1001)),
        ("24000/1001", (24000, 1001)),
        ("29.97", (30000, 1001)),
        (25, (25, 1)),
        ("12.5", (25, 2)),
    ),
)
def test_a_frame_rate_is_kept_as_the_fraction_it_is(told: float | str, kept: tuple[int, int]) -> None:
    project = create_project(code="FROST", name="Frost", user=None, fps=told)
    project.refresh_from_db()
    assert (project.fps_num, project.fps_den) == kept


@pytest.mark.parametrize("told", ("fast", "0", -24, 241, "1/0", "nan", "1/1000000007"))
def test_what_is_no_frame_rate_is_refused_by_name(told: float | str) -> None:
    with pytest.raises(Refused, match=r"such as 24, 23\.976 or 24000/1001") as caught:
        create_project(code="FROST", name="Frost", user=None, fps=told)
    assert caught.value.problems[0].field == "fps"
    assert not Project.objects.exists()


def test_the_database_knows_what_a_frame_rate_is() -> None:
    project = ProjectFactory.create()
    with pytest.raises(IntegrityError):
        Project.objects.filter(pk=project.pk).update(fps_den=0)


def test_a_start_timecode_counts_no_more_frames_than_a_second_has() -> None:
    with pytest.raises(Refused, match="from 00 to 23"):
        create_project(code="FROST", name="Frost", user=None, start_timecode="01:00:00:24")
    create_project(code="FROST", name="Frost", user=None, start_timecode="01:00:00:23")
    create_project(code="SNOW", name="Snow", user=None, fps=23.976, start_timecode="01:00:00:23")
