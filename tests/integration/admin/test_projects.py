"""Projects on their pages: who belongs to one and may do what, its picture, and the switch in the header."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from apps.accounts.models import User
from apps.productions.models import Shot
from apps.projects.models import Membership, Project
from apps.projects.roles import Role
from tests.factories import MembershipFactory, SequenceFactory, ShotFactory, UserFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import listing, page
from tests.integration.admin.test_forms import form_of

pytestmark = pytest.mark.django_db

FILTER = "project__id__exact"
CHOOSE = "admin:projects_project_choose"


def shown(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def link_to_shots(browser: Client) -> str:
    """Where the sidebar leads."""
    items = browser.get(reverse("admin:index")).context["sidebar_navigation"]
    found = [item for group in items for item in group["items"] if str(item["title"]) == "Shots"]
    return str(found[0].get("link_callback") or found[0]["link"])


def turn_to(browser: Client, project: Project | None, before: str = "") -> str:
    """Press a project in the switch; return where that leads."""
    sent = {"project": str(project.pk) if project else "", "next": before}
    answer = browser.post(reverse(CHOOSE), sent)
    assert answer.status_code == 302
    return str(answer["Location"])


def test_members_read_who_may_do_what_and_admins_change_it(film: Film, as_: Browser) -> None:
    at = reverse("admin:projects_project_rights", args=[film.project.pk])
    told = shown(as_("artist"), at)
    assert at in shown(as_("artist"), page(film.project))
    assert "assigned shots" in told
    assert "what was shared" in told
    assert "Change members" not in told
    assert "Change members" in shown(as_("admin"), at)
    assert as_("client").get(at).status_code == 404


def test_an_admin_gives_roles_and_departments_on_the_projects_page(film: Film, as_: Browser) -> None:
    browser, lena = as_("admin"), UserFactory.create(username="lena", is_staff=True)
    sent = form_of(browser, page(film.project))
    place = int(sent["memberships-TOTAL_FORMS"])
    sent["memberships-TOTAL_FORMS"] = str(place + 1)
    new = {"user": str(lena.pk), "role": "supervisor", "departments": ["clip", "finish"]}
    sent |= {f"memberships-{place}-{name}": value for name, value in new.items()}
    sent[f"memberships-{place}-project"] = str(film.project.pk)
    answer = browser.post(page(film.project), sent)
    assert answer.status_code == 302, answer.context["errors"]
    assert Membership.objects.get(user=lena).departments == ["clip", "finish"]
    again = form_of(browser, page(film.project))
    [row] = [name.removesuffix("-user") for name, value in again.items() if value == lena.pk]
    refused = browser.post(
        page(film.project), again | {f"{row}-role": "artist", f"{row}-departments": "clip"}
    )
    assert "Only supervisors have departments" in refused.content.decode()
    browser.post(page(film.project), again | {f"{row}-DELETE": "on"})
    assert not Membership.objects.filter(user=lena).exists()


def test_who_was_deactivated_is_offered_for_no_role(film: Film, as_: Browser) -> None:
    UserFactory.create(username="gone-away", is_active=False)
    UserFactory.create(username="still-there")
    told = shown(as_("admin"), page(film.project))
    assert "still-there" in told
    assert "gone-away" not in told


def test_the_switch_keeps_the_list_and_changes_its_project(
    film: Film, other_film: Film, as_: Browser, people: dict[str, User]
) -> None:
    MembershipFactory.create(project=other_film.project, user=people["coordinator"])
    browser, jobs = as_("coordinator"), reverse("admin:renders_job_changelist")
    offered = shown(browser, reverse("admin:projects_project_choices"))
    assert "FROST" in offered
    assert "SECRET" in offered
    assert turn_to(browser, other_film.project, f"{jobs}?{FILTER}={film.project.pk}&p=3") == (
        f"{jobs}?{FILTER}={other_film.project.pk}"
    )
    assert turn_to(browser, film.project, page(other_film.shot)) == (
        f"{listing(Shot)}?{FILTER}={film.project.pk}"
    )
    assert turn_to(browser, None, f"{jobs}?{FILTER}={film.project.pk}") == jobs


def test_a_project_of_others_cannot_be_turned_to(film: Film, other_film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    assert browser.post(reverse(CHOOSE), {"project": str(other_film.project.pk)}).status_code == 404
    assert "SECRET" not in shown(browser, reverse("admin:projects_project_choices"))


def test_the_last_project_is_remembered_and_only_begins_lists(
    film: Film, other_film: Film, as_: Browser, people: dict[str, User]
) -> None:
    MembershipFactory.create(project=other_film.project, user=people["coordinator"])
    browser = as_("coordinator")
    assert link_to_shots(browser) == listing(Shot)
    turn_to(browser, other_film.project)
    begins = link_to_shots(as_("coordinator"))  # another browser of the same person, tomorrow
    assert begins == f"{listing(Shot)}?{FILTER}={other_film.project.pk}"
    rows = browser.get(f"{listing(Shot)}?{FILTER}={film.project.pk}").context["cl"].result_list
    assert {row.project_id for row in rows} == {film.project.pk}, "the address decides"
    assert len(browser.get(listing(Shot)).context["cl"].result_list) == 2
    Membership.objects.filter(project=other_film.project, user=people["coordinator"]).delete()
    assert link_to_shots(as_("coordinator")) == listing(Shot), "it is not theirs any more"


def test_two_people_on_two_projects_never_see_each_others_rows(
    film: Film, other_film: Film, as_: Browser, people: dict[str, User]
) -> None:
    elsewhere = UserFactory.create(username="elsewhere-coordinator", is_staff=True)
    MembershipFactory.create(project=other_film.project, user=elsewhere, role=Role.COORDINATOR)
    mine, theirs = as_("coordinator"), Client()
    theirs.force_login(elsewhere)
    lists = [listing(type(film.rows[name])) for name in ("shot", "sequence", "character", "job", "take")]
    for address in (*lists, "/api/v1/shots", "/api/v1/jobs", "/api/v1/takes"):
        for _turn in range(2):  # one after the other, each turning to their project between
            turn_to(mine, film.project)
            seen_by_them = theirs.get(address).content.decode()
            turn_to(theirs, other_film.project)
            seen_by_me = mine.get(address).content.decode()
            assert str(film.project.pk) not in seen_by_them
            assert "FROST" not in seen_by_them
            assert "SECRET" not in seen_by_me
            assert str(other_film.project.pk) not in seen_by_me


def test_every_list_in_the_sidebar_opens_for_the_last_project(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    turn_to(browser, film.project)
    items = browser.get(reverse("admin:index")).context["sidebar_navigation"]
    links = [str(item.get("link_callback") or "") for group in items for item in group["items"]]
    narrowed = [link for link in links if FILTER in link]
    assert len(narrowed) > 8
    assert [link for link in narrowed if browser.get(link).status_code != 200] == []
    assert [link for link in narrowed if "assigned=me" in link]


def test_a_client_is_led_to_what_was_shared(film: Film, as_: Browser) -> None:
    told = shown(as_("client"), reverse("admin:index"))
    assert reverse("admin:review_playlist_changelist") in told
    assert "FROST" not in told


def test_the_header_says_which_project_a_page_is_about(film: Film, as_: Browser) -> None:
    browser = as_("artist")
    switch = "<b>FROST</b>"
    assert switch in shown(browser, page(film.shot))
    assert switch in shown(browser, f"{listing(Shot)}?{FILTER}={film.project.pk}")
    assert switch not in shown(browser, reverse("desk:farm"))
    assert "sf-switch" not in shown(as_("client"), reverse("admin:index"))


def test_a_project_has_a_picture_that_its_members_see(
    film: Film, as_: Browser, artifact_root: object
) -> None:
    buffer = BytesIO()
    Image.new("RGB", (1920, 1080), "teal").save(buffer, "PNG")
    cover = reverse("admin:projects_project_cover", args=[film.project.pk])
    sent: dict[str, Any] = {"file": SimpleUploadedFile("poster.png", buffer.getvalue())}
    assert as_("coordinator").post(cover, sent).status_code == 403
    sent = {"file": SimpleUploadedFile("poster.png", buffer.getvalue()), "row_version": 999}
    told = as_("admin").post(cover, sent, follow=True).content.decode()
    assert "so nothing is saved" in told, "it was made from another version"
    now = {"row_version": Project.objects.get(pk=film.project.pk).row_version}
    sent = {"file": SimpleUploadedFile("poster.png", buffer.getvalue()), **now}
    assert as_("admin").post(cover, sent).status_code == 302
    kept = Project.objects.get(pk=film.project.pk).thumbnail_key
    with default_storage.open(kept) as file:
        assert Image.open(file).size == (480, 270)
    listed = shown(as_("artist"), listing(Project))
    [address] = {part.split('"')[0] for part in listed.split('src="') if part.startswith("/media/project/")}
    assert Client().get(address.replace("&amp;", "&")).status_code == 200
    now = {"row_version": Project.objects.get(pk=film.project.pk).row_version}
    not_a_picture: dict[str, Any] = {"file": SimpleUploadedFile("poster.png", b"GIF89a?"), **now}
    told = as_("admin").post(cover, not_a_picture, follow=True).content.decode()
    assert "This is not a picture" in told
    as_("admin").post(cover, {"remove": "1", **now})
    assert Project.objects.get(pk=film.project.pk).thumbnail_key == ""


def test_a_coordinator_assigns_many_shots_and_an_artist_finds_theirs(film: Film, as_: Browser) -> None:
    more = ShotFactory.create_batch(3, sequence=SequenceFactory.create(project=film.project))
    ticked = {"_selected_action": [str(shot.pk) for shot in more], "action": "assign_shots", "index": "0"}
    asked = as_("coordinator").post(listing(Shot), ticked).content.decode()
    assert "Who works on the selected shots" in asked
    assert "viewer" in asked
    as_("coordinator").post(listing(Shot), ticked | {"confirmed": "1", "add": ["viewer", "artist"]})
    as_("coordinator").post(listing(Shot), ticked | {"confirmed": "1", "remove": ["artist"]})
    found = as_("viewer").get(listing(Shot), {"assigned": "me"}).context["cl"].result_list
    assert {shot.pk for shot in found} == {shot.pk for shot in more}
    assert "assign_shots" not in as_("artist").get(listing(Shot)).content.decode()


def test_departments_are_told_in_words_to_whoever_only_reads(film: Film, as_: Browser) -> None:
    """As a form field of none they would be JSON, in colours that the content policy blocks."""
    Membership.objects.filter(project=film.project, role="supervisor").update(departments=["clip", "finish"])
    read = as_("artist").get(page(film.project)).content.decode()
    assert "clip, finish" in read and 'style="' not in read
    written = as_("admin").get(page(film.project)).content.decode()
    assert 'value="finish"' in written and "clip, finish" not in written


def test_lists_never_read_which_shots_are_assigned(film: Film, as_: Browser, people: dict[str, User]) -> None:
    """The database looks it up: neither queries nor their texts grow with what is assigned."""

    def asked() -> list[str]:
        as_("artist").get(listing(Shot), {"assigned": "me"})
        with CaptureQueriesContext(connection) as seen:
            assert as_("artist").get(listing(Shot), {"assigned": "me"}).status_code == 200
        return [query["sql"] for query in seen.captured_queries]

    def assign(count: int) -> None:
        for shot in ShotFactory.create_batch(count, sequence=film.shot.sequence):
            shot.assignees.add(people["artist"])

    assign(51)  # more than a page: a list of several pages asks for the keys of its page first
    few = asked()
    assign(60)
    many = asked()
    assert len(many) == len(few)
    pairs = [sql for sql in many if "productions_shot_assignees" in sql]
    keys = [sql for sql in pairs if sql.startswith('SELECT "productions_shot"."id" AS "pk"')]
    assert keys  # of all that are found, which are counted by them
    assert all(len(sql) < 3_000 for sql in keys)
