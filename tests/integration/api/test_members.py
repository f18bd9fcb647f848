"""Members of a project and who works on its shots, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import User
from apps.ledger.models import Activity
from apps.productions.models import Shot
from apps.projects.models import Membership, Project
from tests.factories import MembershipFactory, UserFactory
from tests.integration.api.conftest import Client, only_error

pytestmark = pytest.mark.django_db

AT = "/api/v1/projects/FROST/members"


def of(people: dict[str, User], who: str) -> str:
    return f"{AT}/{Membership.objects.get(user=people[who], project__code='FROST').pk}"


def test_everybody_in_a_project_reads_who_may_do_what(film: Project, client_of: Client) -> None:
    told = {row["user"]: row for row in client_of("viewer").get(AT).json()["results"]}
    assert told["artist"]["rights"]["plan"] == ["assigned"]
    assert told["supervisor"]["rights"]["review"] == ["all"], "no department is named, so it is all of them"
    assert told["client"]["rights"] == {"watch": ["shared"], "comment": ["shared"]}
    assert client_of("client").get(AT).status_code == 404


def test_an_admin_lets_somebody_in_changes_them_and_takes_them_out(film: Project, client_of: Client) -> None:
    admin, lena = client_of("admin"), UserFactory.create(username="lena")
    made = admin.post(AT, {"user": "lena", "role": "supervisor", "departments": ["clip"]}, format="json")
    assert made.status_code == 201, made.content
    assert made.json()["rights"]["review"] == ["department"]
    at = f"{AT}/{made.json()['id']}"
    changed = admin.patch(at, {"role": "artist", "row_version": 0}, format="json").json()
    assert (changed["role"], changed["departments"]) == ("artist", []), "departments go with the role"
    seen = {"row_version": changed["row_version"]}
    assert only_error(admin.delete(at), 400)[2] == "required"
    assert admin.delete(at, seen, format="json").status_code == 204
    assert not Membership.objects.filter(user=lena).exists()
    assert Activity.objects.filter(kind="project", actor="admin").count() == 3


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ({"user": "nobody-such", "role": "artist"}, "user", "nobody-such"),
        ({"user": "lena", "role": "viewer"}, "role", "viewer"),
        ({"user": "lena", "role": "artist", "departments": ["clip"]}, "departments", "clip"),
        ({"user": "lena", "role": "supervisor", "departments": ["sound"]}, "departments[0]", "sound"),
        ({"user": "gone", "role": "artist"}, "user", "gone"),
    ],
)
def test_what_is_wrong_with_a_new_member_is_said_by_field(
    film: Project, client_of: Client, body: dict[str, Any], field: str, value: str
) -> None:
    UserFactory.create(username="lena")
    UserFactory.create(username="gone", is_active=False)
    told = only_error(client_of("admin").post(AT, body, format="json"), 400)
    assert told[:2] == (field, value)


def test_the_last_admin_stays_and_one_who_is_deactivated_does_not_count(
    film: Project, client_of: Client, people: dict[str, User]
) -> None:
    admin, at = client_of("admin"), of(people, "admin")
    other = MembershipFactory.create(project=film, role="admin", user=UserFactory.create(is_active=False))
    less = {"role": "artist", "row_version": 0}
    for answer in (admin.patch(at, less, format="json"), admin.delete(at, {"row_version": 0}, format="json")):
        assert only_error(answer, 400)[2] == "last_admin"
    User.objects.filter(pk=other.user_id).update(is_active=True)
    assert admin.patch(at, less, format="json").status_code == 200


def test_a_membership_that_somebody_else_changed_is_not_written_over(
    film: Project, client_of: Client, people: dict[str, User]
) -> None:
    admin, at = client_of("admin"), of(people, "viewer")
    admin.patch(at, {"role": "supervisor", "row_version": 0}, format="json")
    seen = {"row_version": 0}
    for stale in (
        admin.patch(at, {"role": "client", **seen}, format="json"),
        admin.delete(at, seen, format="json"),
    ):
        assert only_error(stale, 409)[2] == "stale"
        [changed] = stale.json()["changed"]
        assert (changed["field"], changed["by"]) == ("members", "admin")
        assert changed["now"][0]["role"] == "supervisor"
    assert Membership.objects.get(user=people["viewer"]).role == "supervisor"


def test_a_deactivated_member_may_do_nothing(
    film: Project, client_of: Client, people: dict[str, User]
) -> None:
    coordinator = client_of("coordinator")
    User.objects.filter(pk=people["coordinator"].pk).update(is_active=False)
    assert coordinator.get("/api/v1/shots").status_code == 401


def test_a_coordinator_says_who_works_on_a_shot(
    shots: list[Shot], client_of: Client, people: dict[str, User]
) -> None:
    shot, artist = shots[0], client_of("viewer")
    at, change = f"/api/v1/shots/{shot.pk}/assignees", {"row_version": shot.row_version, "notes": "mine"}
    assert artist.patch(f"/api/v1/shots/{shot.pk}", change, format="json").status_code == 403
    planner, seen = client_of("coordinator"), {"row_version": shot.row_version}
    told = planner.post(at, {"users": ["viewer"], **seen}, format="json").json()
    assert told["users"] == ["viewer"]
    late = client_of("admin").post(at, {"users": ["supervisor"], **seen}, format="json")
    assert only_error(late, 409)[2] == "stale"
    (missed,) = late.json()["changed"]
    assert (missed["field"], missed["by"], missed["now"]) == ("assignees", "coordinator", ["viewer"])
    assert planner.get(at).json()["row_version"] == told["row_version"] == shot.row_version + 1
    assert "client" not in told["assignable"]
    change["row_version"] = Shot.objects.get(pk=shot.pk).row_version
    assert artist.patch(f"/api/v1/shots/{shot.pk}", change, format="json").status_code == 200
    mine = artist.get("/api/v1/shots", {"assigned": "me"}).json()["results"]
    assert [row["full_code"] for row in mine] == [shot.full_code]
    assert artist.get("/api/v1/shots", {"assigned": "none"}).json()["count"] == len(shots) - 1


@pytest.mark.parametrize("name", ("client", "outsider", "nobody-such"))
def test_a_shot_is_assigned_to_members_who_work_on_it_only(
    shots: list[Shot], client_of: Client, name: str
) -> None:
    answer = client_of("coordinator").post(
        f"/api/v1/shots/{shots[0].pk}/assignees",
        {"users": [name], "row_version": shots[0].row_version},
        format="json",
    )
    assert only_error(answer, 400) == ("users[0]", name, "not_assignable")


@pytest.mark.parametrize("leave", ("take out", "make a client"))
def test_whoever_leaves_works_on_no_shot_any_more(
    shots: list[Shot], client_of: Client, people: dict[str, User], leave: str
) -> None:
    shots[0].assignees.add(people["viewer"])
    admin, at = client_of("admin"), of(people, "viewer")
    out, change = {"row_version": 0}, {"role": "client", "row_version": 0}
    answer = (admin.delete if leave == "take out" else admin.patch)(
        at, out if leave == "take out" else change, format="json"
    )
    assert answer.status_code < 300
    assert not shots[0].assignees.filter(pk=people["viewer"].pk).exists()
