"""Workflows over HTTP: brought, completed, confirmed; versions compared, chosen, deprecated; dry runs."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.workflows.models import WorkflowTemplate
from apps.workflows.services import sync_templates
from tests.factories import MembershipFactory, SequenceFactory, ShotFactory, UserFactory
from tests.integration.workflows.files import api_file, completed, graph_of
from tests.integration.workflows.test_sync_workflows import with_title

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("artifact_root")]

V1 = "/api/v1"


@pytest.fixture
def film(db: None) -> Project:
    made: Project = SequenceFactory.create(project__code="SNOW").project
    return made


def browser_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def root(db: None) -> APIClient:
    return browser_of(UserFactory.create(username="root", is_superuser=True))


@pytest.fixture
def artist(film: Project) -> APIClient:
    return browser_of(MembershipFactory.create(project=film, role=Role.ARTIST).user)


def bring(client: APIClient, content: bytes, name: str = "portrait.json") -> Any:
    file = SimpleUploadedFile(name, content)
    return client.post(f"{V1}/templates/import", {"file": file}, format="multipart")


def test_a_file_is_brought_once_and_confirmed_with_its_completed_manifest(root: APIClient) -> None:
    content = api_file(graph_of("sd15_t2i")).getvalue()
    first = bring(root, content)
    assert (first.status_code, first.json()["state"]) == (201, "draft")
    assert any("VRAM" in question for question in first.json()["questions"])
    assert bring(root, content).status_code == 200
    address = f"{V1}/imports/{first.json()['id']}"
    read = root.get(address).json()
    manifest, version = read["manifest"], {"row_version": read["row_version"]}
    refused = root.post(f"{address}/confirm", {"manifest": manifest} | version)
    assert refused.status_code == 400
    assert {problem["field"] for problem in refused.json()["errors"]} == {"vram"}
    done = root.post(f"{address}/confirm", {"manifest": completed(manifest)} | version)
    assert (done.status_code, done.json()["version"]) == (201, "portrait v1")
    offered = [row["slug"] for row in root.get(f"{V1}/templates").json()["results"]]
    assert offered == ["portrait"]
    again = root.post(f"{address}/confirm", {"manifest": completed(manifest)} | version)
    assert again.status_code == 409


def test_a_file_that_cannot_be_converted_is_told_per_node(root: APIClient) -> None:
    graph = graph_of("sd15_t2i")
    graph["5"]["inputs"]["latent_image"] = ["404", 0]
    answer = bring(root, api_file(graph).getvalue()).json()
    assert "5" in {problem["node"] for problem in answer["problems"]}
    told = bring(root, b"hello", "hello.txt").json()
    assert (told["state"], told["graph"], len(told["problems"])) == ("refused", {}, 1)


def test_who_may_not_bring_is_told_what_it_takes(artist: APIClient) -> None:
    answer = bring(artist, api_file(graph_of("sd15_t2i")).getvalue())
    assert answer.status_code == 403
    assert "workflows.add_workflowtemplate" in answer.json()["detail"]


def test_versions_are_listed_compared_chosen_and_deprecated(root: APIClient, artist: APIClient) -> None:
    sync_templates()
    sync_templates([with_title("Board")])
    at = f"{V1}/templates/plain_slate"

    def read() -> dict[str, int]:
        return {"row_version": WorkflowTemplate.objects.get(slug="plain_slate").row_version}

    assert [(row["number"], row["current"]) for row in artist.get(f"{at}/versions").json()] == [
        (2, True),
        (1, False),
    ]
    differs = artist.get(f"{at}/compare", {"before": 1, "after": 2}).json()
    assert (differs["nodes"], [row["path"] for row in differs["manifest"]]) == ([], ["title.en"])
    told = root.post(f"{at}/versions/2/deprecate", {"reason": "crooked"}).json()
    assert told["deprecated"] == "crooked"
    assert artist.get(at).status_code == 404
    assert root.patch(at, read() | {"version": 2}).status_code == 400
    assert root.patch(at, read() | {"version": 1}).json()["version"] == 1
    assert artist.get(at).json()["version"] == 1
    assert root.post(f"{at}/versions/2/offer").json()["deprecated"] is None
    assert root.patch(at, read() | {"offered": False}).status_code == 200
    assert artist.get(at).status_code == 404
    assert artist.patch(at, read() | {"offered": True}).status_code == 403
    assert root.get(f"{at}/versions/9").status_code == 400


def test_a_dry_run_takes_a_shot_or_values_and_writes_nothing(film: Project, artist: APIClient) -> None:
    sync_templates()
    shot = ShotFactory.create(sequence=film.sequences.get(), description="A girl on the quay")
    at = f"{V1}/templates/sd15_t2i/dry-run"
    answer = artist.post(at, {"shot": str(shot.pk), "values": {"steps": 7}}).json()
    origins = {row["role"]: (row["value"], row["origin"]["kind"]) for row in answer["written"]}
    assert origins["steps"] == (7, "request")
    assert origins["positive"] == ("A girl on the quay", "shot")
    assert {row["kind"] for row in answer["diff"]} == {"changed"}
    wrong = artist.post(at, {"values": {"steps": 7.5}})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "steps")
    stranger = ShotFactory.create()
    assert artist.post(at, {"shot": str(stranger.pk)}).status_code == 400
    assert artist.post(at, {"version": 12}).status_code == 400
