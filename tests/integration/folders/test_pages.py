"""The pages of folders, as people press them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from apps.accounts.models import User
from apps.folders.models import Mount, PathTemplate, ProjectFolders, Publication, PublishWhen
from apps.folders.services import wanting
from apps.folders.services.layouts import choose_layout, save_version
from apps.projects.models import Project
from apps.projects.roles import Role
from tests.factories import MembershipFactory, ProjectFactory, SequenceFactory, ShotFactory, UserFactory
from tests.integration.admin.html_forms import form_with
from tests.integration.folders.conftest import shot_of, take_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_of_film(film: Project) -> User:
    user = UserFactory.create(is_staff=True)
    MembershipFactory.create(project=film, user=user, role=Role.ADMIN)
    return user


@pytest.fixture
def browser(admin_of_film: User) -> Client:
    client = Client()
    client.force_login(admin_of_film)
    return client


def page_of(film: Project, name: str = "folders") -> str:
    return reverse(f"admin:projects_project_{name}", args=[film.pk])


def test_the_dry_run_is_shown_confirmed_and_shown_as_made(film: Project, root: Path, browser: Client) -> None:
    shown = browser.get(page_of(film), {"sequence": "SQ010"}).content.decode()
    assert "FROST/scenes/SQ010/shots/SH0010/" in shown
    assert "Make what is new of this sequence" in shown
    answer = browser.post(page_of(film, "confirm_folders"), {"sequence": "SQ010"}, follow=True)
    assert "folders" in next(str(message) for message in answer.context["messages"])
    assert (root / "FROST/scenes/SQ010/shots/SH0020/render").is_dir()
    assert not (root / "FROST/edit").exists()
    again = browser.get(page_of(film), {"sequence": "SQ010"})
    assert again.context["plan"].counts["new"] == 0
    assert browser.get(page_of(film), {"sequence": "NONE"}).status_code == 404
    assert browser.get(page_of(film), {"sequence": "SQ010", "page": "x"}).status_code == 200


def test_refusals_are_told_on_the_page(film: Project, root: Path, browser: Client) -> None:
    (root / "FROST").mkdir()
    (root / "FROST/config").write_text("a file")
    shown = browser.get(page_of(film)).content.decode()
    assert "a file stands where the folder should be" in shown
    browser.post(page_of(film, "confirm_folders"))
    assert "FROST/config: a file stands" in browser.get(page_of(film)).content.decode().replace(
        "\n", " "
    ).replace("  ", "")


def test_a_store_that_cannot_be_read_is_said_and_no_traceback(
    film: Project, root: Path, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise OSError("the share is away")

    monkeypatch.setattr("apps.folders.store.FolderRoot.list", fail)
    shown = browser.get(page_of(film))
    assert shown.status_code == 200
    assert "the share is away" in shown.content.decode()
    answer = browser.post(page_of(film, "confirm_folders"), follow=True)
    assert any("store of published files failed" in str(message) for message in answer.context["messages"])


def test_a_project_that_names_a_layout_nobody_has_says_so(film: Project, root: Path, browser: Client) -> None:
    Project.objects.filter(pk=film.pk).update(path_template="gone")
    assert "there is no such layout" in browser.get(page_of(film)).content.decode()
    assert browser.get(reverse("admin:projects_project_change", args=[film.pk])).status_code == 200
    assert browser.get("/api/v1/projects/FROST").json()["paths"]["linux"] is None
    assert browser.get("/api/v1/projects/FROST/folders").status_code == 400


def test_a_layout_is_chosen_and_when_to_publish(film: Project, browser: Client) -> None:
    browser.post(page_of(film, "layout"), {"layout": "aipipeline v1", "publish": "never"})
    folders = ProjectFolders.objects.select_related("template").get(project=film)
    assert (str(folders.template), folders.publish) == ("aipipeline v1", "never")
    answer = browser.post(page_of(film, "layout"), {"layout": "none"}, follow=True)
    assert any("there is no such layout" in str(message) for message in answer.context["messages"])
    film.refresh_from_db()
    assert film.path_template == "aipipeline"


def test_two_who_choose_a_layout_hear_of_each_other(film: Project, browser: Client) -> None:
    opened = form_with(browser.get(page_of(film)).content.decode(), "layout")
    assert (opened["layout"], opened["publish"]) == ("studio v1", "approved")
    browser.post(page_of(film, "layout"), opened | {"publish": "never"})
    late = browser.post(page_of(film, "layout"), opened | {"layout": "aipipeline v1"}, follow=True)
    [told] = late.context["meanwhile"]
    assert (told.was, told.untouched) == (PublishWhen.APPROVED.label, True)
    mine = form_with(late.content.decode(), "layout")
    assert (mine["layout"], mine["publish"]) == ("aipipeline v1", "never"), "theirs where nothing was chosen"
    assert str(ProjectFolders.objects.get(project=film).template) == "studio v1"
    kept = browser.post(page_of(film, "layout"), mine, follow=True)
    assert not kept.context["meanwhile"]
    folders = ProjectFolders.objects.select_related("template").get(project=film)
    assert (str(folders.template), folders.publish) == ("aipipeline v1", "never")


def test_project_shot_and_take_show_their_paths_with_a_button_that_copies(
    film: Project, root: Path, artifact_root: Path, browser: Client
) -> None:
    Mount.objects.create(system="windows", root="P:\\")
    shot = shot_of(film)
    take = take_of(shot, artifact_root)
    browser.post(reverse("admin:review_take_publish", args=[take.pk]))
    path = Publication.objects.get(take=take).path
    for address, told in (
        (reverse("admin:projects_project_change", args=[film.pk]), "P:\\FROST"),
        (reverse("admin:productions_shot_change", args=[shot.pk]), "P:\\FROST\\scenes\\SQ010\\shots\\SH0010"),
        (reverse("admin:productions_shot_change", args=[shot.pk]), "P:\\" + path.replace("/", "\\")),
        (reverse("admin:review_take_change", args=[take.pk]), "P:\\" + path.replace("/", "\\")),
    ):
        shown = browser.get(address).content.decode()
        assert f'data-copy="{told}"' in shown, address
        assert 'onclick="' not in shown


def test_takes_are_published_from_the_list(
    film: Project, root: Path, artifact_root: Path, browser: Client
) -> None:
    takes = [take_of(shot_of(film), artifact_root, number=number) for number in (1, 2)]
    ticked = {"action": "publish", "_selected_action": [str(take.pk) for take in takes]}
    browser.post(reverse("admin:review_take_changelist"), ticked)
    assert Publication.objects.count() == 2


def test_saving_a_layout_makes_the_next_version_and_says_what_is_wrong() -> None:
    browser, boss = Client(), UserFactory.create(is_staff=True, is_superuser=True)
    browser.force_login(boss)
    first = PathTemplate.objects.get(slug="studio")
    page = reverse("admin:folders_pathtemplate_change", args=[first.pk])
    wrong = browser.post(page, {"name": "Studio", "text": "folder shot {project}/{shto}"})
    assert "line 1, column 23: there is no field “shto”" in wrong.content.decode()
    said = {"name": "Studio", "text": first.text + "folder project {project}/refs\n"}
    browser.post(page, said | {"row_version": first.row_version})
    assert list(PathTemplate.objects.filter(slug="studio").values_list("number", flat=True)) == [2, 1]
    first.refresh_from_db()
    assert "refs" not in first.text


def test_two_who_edit_a_layout_hear_of_each_other_whichever_version_they_opened() -> None:
    browser, boss = Client(), UserFactory.create(username="boss", is_staff=True, is_superuser=True)
    browser.force_login(boss)
    first = PathTemplate.objects.get(slug="studio")
    page = reverse("admin:folders_pathtemplate_change", args=[first.pk])
    opened = form_with(browser.get(page).content.decode(), "text")
    theirs, mine = "folder project {project}/theirs", "folder project {project}/mine"
    browser.post(page, opened | {"text": f"{opened['text']}\n{theirs}"})
    second = PathTemplate.objects.get(slug="studio", number=2)
    assert second.saved_by == "boss"
    late = browser.post(page, opened | {"text": f"{opened['text']}\n{mine}"})
    assert PathTemplate.objects.filter(slug="studio").count() == 2
    (told,) = late.context["meanwhile"]
    assert (told.field, told.was, told.now, told.typed, told.who) == ("studio v2", "", theirs, mine, "boss")
    again = form_with(late.content.decode(), "text")
    assert mine in again["text"]
    elsewhere = reverse("admin:folders_pathtemplate_change", args=[second.pk])
    beside = form_with(browser.get(elsewhere).content.decode(), "text")
    browser.post(page, again | {"text": f"{again['text']}\n{theirs}"})
    third = PathTemplate.objects.get(slug="studio", number=3)
    assert mine in third.text
    assert theirs in third.text
    (told,) = browser.post(elsewhere, beside | {"name": "Studio 2"}).context["meanwhile"]
    assert (told.field, told.now, told.typed) == ("studio v3", mine, "Studio 2")
    new = browser.post(
        reverse("admin:folders_pathtemplate_add"), {"slug": "studio", "name": "S", "text": mine}
    )
    assert "There is a layout of this name" in new.content.decode()
    assert PathTemplate.objects.filter(slug="studio").count() == 3


def test_over_http_the_next_version_of_a_layout_names_the_newest_that_was_read() -> None:
    browser, boss = Client(), UserFactory.create(username="boss", is_staff=True, is_superuser=True)
    browser.force_login(boss)
    read = browser.get("/api/v1/layouts/studio").json()
    said = {name: read[name] for name in ("slug", "name", "name_ko", "text")}
    said["text"] += "folder project {project}/refs\n"

    def send(**more: object) -> tuple[int, dict[str, Any]]:
        answer = browser.post("/api/v1/layouts", said | more, content_type="application/json")
        return answer.status_code, answer.json()

    assert send()[1]["errors"][0]["field"] == "row_version"
    status, made = send(row_version=read["row_version"])
    assert (status, made["number"], made["saved_by"]) == (201, 2, "boss")
    status, stale = send(row_version=read["row_version"], text=read["text"])
    assert (status, stale["changed"][0]["now"], stale["changed"][0]["by"]) == (409, said["text"], "boss")
    assert send(row_version=made["row_version"])[1]["number"] == 2, "it says this already"
    assert send(row_version=made["row_version"], name="Ours")[1]["number"] == 3, "a version never changes"
    status, stale = send(row_version=made["row_version"], name="Theirs")
    assert (status, [one["field"] for one in stale["changed"]]) == (409, ["name"])
    assert send(slug="ours")[0] == 201, "nobody has one of this name"


def test_who_may_only_read_a_layout_reads_it_line_by_line(browser: Client) -> None:
    row = PathTemplate.objects.get(slug="studio", number=1)
    page = browser.get(reverse("admin:folders_pathtemplate_change", args=[row.pk])).content.decode()
    assert f'<pre class="sf-code">{escape(row.text)}</pre>' in page


def test_the_api_shows_confirms_chooses_and_publishes(
    film: Project, root: Path, artifact_root: Path, browser: Client
) -> None:
    Mount.objects.create(system="linux", root="/mnt/farm")
    take = take_of(shot_of(film), artifact_root)
    at = "/api/v1/projects/FROST"
    plan = browser.get(f"{at}/folders", {"sequence": "SQ010"}).json()
    assert plan["counts"]["new"] == len(plan["entries"]) > 10
    assert plan["entries"][0]["fate"] == "new"
    made = browser.post(f"{at}/folders", {}, content_type="application/json").json()
    assert (made["refusals"], made["folders"] > 10) == (0, True)
    held = browser.post(f"{at}/layout", {"layout": "aipipeline"}, content_type="application/json").json()
    version = held.pop("row_version")
    assert held == {"layout": "aipipeline", "version": 1, "publish": "approved"}
    silent = browser.post(f"{at}/layout", {"layout": "studio"}, content_type="application/json")
    assert (silent.status_code, silent.json()["errors"][0]["field"]) == (400, "row_version")
    again = {"layout": "aipipeline", "publish": "selected", "row_version": version}
    assert browser.post(f"{at}/layout", again, content_type="application/json").status_code == 200
    stale = browser.post(f"{at}/layout", again, content_type="application/json")
    changed = [(one["field"], one["was"], one["now"]) for one in stale.json()["changed"]]
    assert changed == [("publish", "approved", "selected")]
    assert browser.get(f"{at}/folders").json()["held"]["row_version"] == version + 1
    (row,) = browser.post(f"/api/v1/takes/{take.pk}/publish").json()["published"]
    assert (row["state"], row["paths"]["linux"]) == ("wanted", f"/mnt/farm/{row['path']}")
    assert browser.get("/api/v1/publications", {"project": "FROST"}).json()["results"][0]["id"] == row["id"]
    shots = browser.get("/api/v1/shots", {"project": "FROST"}).json()["results"]
    assert shots[0]["paths"]["linux"] == "/mnt/farm/FROST/scenes/SQ010/shots/SH0010"
    assert browser.get(at).json()["paths"] == {"linux": "/mnt/farm/FROST", "windows": None, "mac": None}
    wrong = browser.get(f"{at}/folders", {"sequence": "NONE"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "sequence")


def test_lists_with_paths_cost_the_same_for_one_row_and_for_many(
    film: Project, artifact_root: Path, root: Path, browser: Client
) -> None:
    boss = UserFactory.create(is_superuser=True)
    browser.force_login(boss)

    def queries(address: str) -> int:
        browser.get(address)
        with CaptureQueriesContext(connection) as caught:
            assert browser.get(address).status_code == 200
        return len(caught)

    def more(number: int) -> None:
        project = ProjectFactory.create(code=f"MORE{number}")
        if number % 2:
            choose_layout(project, PathTemplate.objects.get(slug="aipipeline"), user=None)
        shot = ShotFactory.create(sequence=SequenceFactory.create(project=project), code="SH0010")
        wanting.publish_take(take_of(shot, artifact_root, number=number + 1), user=None)

    more(0)
    more(1)
    lists = [f"/api/v1/{name}" for name in ("projects", "shots", "takes", "publications")]
    before = [queries(address) for address in lists]
    for number in range(2, 6):
        more(number)
    assert [queries(address) for address in lists] == before


def test_a_layout_that_a_bare_project_chose_makes_its_folder_only(
    film: Project, root: Path, browser: Client
) -> None:
    text = "folder shot {project}/{sequence}_{shot}\n"
    choose_layout(film, save_version(slug="bare", name="Bare", text=text, user=None), user=None)
    browser.post(page_of(film, "confirm_folders"))
    assert sorted(path.name for path in (root / "FROST").iterdir()) == ["SQ010_SH0010", "SQ010_SH0020"]
