"""What the whole farm shares: nodes, templates, presets, characters; and the API's document and errors."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client as DjangoClient
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.nodes.models import Gpu
from apps.projects.models import Project
from tests.factories import CharacterFactory, CostumeFactory, NodeFactory
from tests.integration.api.conftest import Client, only_error, problem_of


def test_a_node_tells_what_is_measured_and_leaves_the_rest_unknown(coordinator: APIClient) -> None:
    node = NodeFactory.create(name="gpu-a", tier_gb=24)
    Gpu.objects.create(node=node, index=0, name="RTX 4090", source="nvml", total_mib=24564)
    body = coordinator.get(f"/api/v1/nodes/{node.pk}").json()
    (gpu,) = body["gpus"]
    assert (body["tier_gb"], gpu["total_mib"], gpu["source"]) == (24, 24564, "nvml")
    assert gpu["temperature_c"] is None


def test_who_may_steer_nodes_drains_one(client_of: Client, people: dict[str, User]) -> None:
    people["coordinator"].user_permissions.add(Permission.objects.get(codename="change_node"))
    node = NodeFactory.create()
    address = f"/api/v1/nodes/{node.pk}/desired"
    assert client_of("coordinator").post(address, {"desired": "draining"}).json()["desired"] == "draining"
    response = client_of("coordinator").post(address, {"desired": "asleep"})
    assert only_error(response, 400) == ("desired", "asleep", "invalid_choice")


def test_a_template_tells_what_it_needs(coordinator: APIClient, templates: None) -> None:
    body = coordinator.get("/api/v1/templates/wan22_i2v").json()
    needs = body["needs"]
    roles = {role["role"]: role for role in needs["roles"]}
    assert (body["kind"], needs["produces"]) == ("clip", "video")
    assert roles["first_frame"]["required"] is True
    assert roles["positive"]["type"] == "text"
    assert needs["vram"][0]["gb"] > 0
    assert needs["models"][0]["name"]
    assert "LoadImage" in needs["classes"]


def test_presets_are_found_by_category(coordinator: APIClient) -> None:
    body = coordinator.get("/api/v1/presets", {"category": "shot_size"}).json()
    assert body["count"] > 1
    assert all(row["ref"].startswith("shot_size/") for row in body["results"])


def test_a_character_tells_its_costumes(coordinator: APIClient, film: Project) -> None:
    character = CharacterFactory.create(project=film)
    CostumeFactory.create(character=character, name="Winter")
    body = coordinator.get(f"/api/v1/characters/{character.pk}").json()
    assert [costume["name"] for costume in body["costumes"]] == ["Winter"]


def test_a_project_tells_my_role_in_it(client_of: Client) -> None:
    assert client_of("artist").get("/api/v1/projects/FROST").json()["role"] == "artist"


def test_the_openapi_document_is_valid_and_complete(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("schema") / "schema.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(path))
    assert "/api/v1/batches/plan" in path.read_text()


def test_every_operation_documents_its_errors(coordinator: APIClient) -> None:
    schema = coordinator.get("/api/schema/", HTTP_ACCEPT="application/json").json()
    operations = [
        operation
        for path in schema["paths"].values()
        for method, operation in path.items()
        if method != "parameters"
    ]
    assert len(operations) > 30
    for operation in operations:
        assert "application/problem+json" in operation["responses"]["default"]["content"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/nonsense", "/api/nonsense", "/api/v1/shots/not-a-uuid"])
def test_an_address_that_does_not_exist_is_a_problem(coordinator: APIClient, path: str) -> None:
    problem_of(coordinator.get(path), 404)


def test_a_body_that_is_no_json_is_a_problem(coordinator: APIClient) -> None:
    response = coordinator.post("/api/v1/shots", "{not json", content_type="application/json")
    problem_of(response, 400)
    response = coordinator.post("/api/v1/shots", "a=b", content_type="application/x-www-form-urlencoded")
    problem_of(response, 415)


def test_a_method_that_is_not_offered_is_a_problem(coordinator: APIClient) -> None:
    problem_of(coordinator.delete("/api/v1/shots"), 405)


def test_a_bug_is_a_problem_that_tells_nothing(
    coordinator: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("apps.projects.api.ProjectViewSet.get_queryset", broken)
    coordinator.raise_request_exception = False
    response = coordinator.get("/api/v1/projects")
    problem_of(response, 500)
    assert b"secret" not in response.content


def test_a_page_that_is_no_api_keeps_its_own_errors(db: None) -> None:
    response = DjangoClient().get("/nonsense/")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_a_session_is_good_for_the_api_but_writes_take_the_csrf_token(people: dict[str, User]) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(people["coordinator"])
    assert client.get("/api/v1/projects").status_code == 200
    problem_of(client.post("/api/v1/sequences", {"project": "FROST", "name": "x"}), 403)
