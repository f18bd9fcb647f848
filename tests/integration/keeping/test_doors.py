"""Archives on the project's page and over HTTP: asked for, looked at, fetched, let go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.keeping.models import ProjectArchive
from apps.keeping.services import asking
from apps.keeping.services.making import write_archive
from apps.keeping.states import ArchiveState
from apps.projects.models import Project
from apps.projects.roles import Role
from tests.factories import MembershipFactory, ShotFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")]


@pytest.fixture(autouse=True)
def unsent(monkeypatch: pytest.MonkeyPatch, artifact_root: Path) -> None:
    monkeypatch.setattr(asking, "request_archive", lambda _archive: None)


@pytest.fixture
def film() -> Project:
    project: Project = ShotFactory.create(sequence__project__code="FROST").project
    return project


@pytest.fixture
def coordinator(film: Project) -> User:
    user: User = UserFactory.create(is_staff=True)
    MembershipFactory.create(project=film, role=Role.COORDINATOR, user=user)
    return user


@pytest.fixture
def browser(coordinator: User) -> Client:
    client = Client()
    client.force_login(coordinator)
    return client


@pytest.fixture
def api(coordinator: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(coordinator)
    return client


def content_of(answer: Any) -> bytes:
    return b"".join(answer)


def more(film: Project, number: int) -> None:
    now = timezone.now()
    for _one in range(number):
        ProjectArchive.objects.create(
            project=film, by=UserFactory.create(), state=ArchiveState.READY, asked_at=now,
            key="archives/a.zip", sha256="0" * 64, expires_at=now,
        )  # fmt: skip


def test_a_coordinator_asks_on_the_page_and_fetches_what_was_written(film: Project, browser: Client) -> None:
    page = reverse("admin:projects_project_archives", args=[film.pk])
    project = browser.get(reverse("admin:projects_project_change", args=[film.pk]))
    assert page in project.content.decode()
    asked = browser.post(
        reverse("admin:projects_project_ask_archive", args=[film.pk]), {"takes": "selected", "next": page}
    )
    assert asked.headers["Location"] == page
    archive = ProjectArchive.objects.get()
    assert (archive.takes, archive.materials, archive.state) == ("selected", False, ArchiveState.WANTED)
    live = reverse("admin:projects_project_archives_live", args=[film.pk])
    assert browser.get(live).status_code == 200

    write_archive(archive.pk)

    done = browser.get(live)
    assert (done.status_code, done.headers["HX-Refresh"]) == (286, "true")
    (address,) = [url for _archive, url in browser.get(page).context["archives"]]
    assert address.replace("&", "&amp;") in browser.get(page).content.decode()
    fetched = Client().get(address)  # signed: it needs no session
    assert content_of(fetched) == default_storage.open(ProjectArchive.objects.get().key).read()
    assert fetched.headers["Content-Disposition"].startswith('attachment; filename="FROST_')
    assert "no-store" in fetched.headers["Cache-Control"] or "max-age=0" in fetched.headers["Cache-Control"]


def test_an_address_that_was_changed_or_whose_reader_was_let_out_fetches_nothing(
    film: Project, coordinator: User, api: APIClient
) -> None:
    archive = ProjectArchive.objects.get(pk=api.post("/api/v1/projects/FROST/archives").json()["id"])
    write_archive(archive.pk)
    address = api.get(f"/api/v1/projects/FROST/archives/{archive.pk}").json()["url"]
    assert Client().get(address.replace("sig=", "sig=x")).status_code == 403
    film.memberships.filter(user=coordinator).update(role=Role.ARTIST)
    assert Client().get(address).status_code == 404


def test_an_archive_over_http_is_asked_for_watched_fetched_and_let_go(film: Project, api: APIClient) -> None:
    at = "/api/v1/projects/FROST/archives"
    made = api.post(at, {"takes": "all", "materials": False})
    assert (made.status_code, made.json()["state"], made.json()["url"]) == (202, "wanted", "")
    assert api.post(at).status_code == 409
    one = f"{at}/{made.json()['id']}"
    file = f"/api/v1/archives/{made.json()['id']}/file"
    assert api.get(file).status_code == 404

    write_archive(made.json()["id"])

    told = api.get(one).json()
    assert (told["state"], told["missing"], len(told["sha256"])) == ("ready", 0, 64)
    whole = content_of(api.get(file))
    assert len(whole) == told["bytes"]
    part = api.get(file, headers={"Range": "bytes=0-1"})
    assert (part.status_code, content_of(part)) == (206, whole[:2])
    assert [row["id"] for row in api.get(at).json()["results"]] == [told["id"]]
    assert api.post(f"{one}/discard").json()["state"] == "expired"
    assert api.get(file).status_code == 404
    assert api.post(f"{one}/discard").status_code == 409


def test_looking_changes_nothing(film: Project, browser: Client, api: APIClient) -> None:
    for address in ("archives", "ask_archive", "discard_archive", "archives_live"):
        browser.get(reverse(f"admin:projects_project_{address}", args=[film.pk]))
    api.get("/api/v1/projects/FROST/archives")
    assert not ProjectArchive.objects.exists()


def test_a_wish_for_what_there_is_not_is_refused_by_name(film: Project, api: APIClient) -> None:
    refused = api.post("/api/v1/projects/FROST/archives", {"takes": "best"})
    assert refused.status_code == 400
    assert "takes" in refused.content.decode() and "selected" in refused.content.decode()


@pytest.mark.parametrize("door", ["page", "api"])
def test_twelve_archives_take_as_many_queries_as_three(
    film: Project, browser: Client, api: APIClient, door: str
) -> None:
    default_storage.save("archives/a.zip", ContentFile(b"PK"))

    def counted() -> int:
        def look() -> Any:
            if door == "api":
                return api.get("/api/v1/projects/FROST/archives")
            return browser.get(reverse("admin:projects_project_archives", args=[film.pk]))

        look()
        with CaptureQueriesContext(connection) as seen:
            assert look().status_code == 200
        return len(seen)

    more(film, 3)
    few = counted()
    more(film, 9)
    assert counted() == few
