"""A draft's manifest over HTTP: any JSON is answered, kept or refused, and its page always opens."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.workflows.api import TemplateViewSet
from apps.workflows.catalogues import RECORDED
from apps.workflows.models import WorkflowImport
from apps.workflows.selectors import current_version
from apps.workflows.services import sync_templates
from apps.workflows.services.confirming import RESERVED
from apps.workflows.services.importing import import_file
from apps.workflows.wizard.document import document_of
from apps.workflows.wizard.form import MOST_TARGETS, Wizard
from apps.workflows.wizard.rows import MOST_ROWS
from tests.factories import NodeFactory, UserFactory
from tests.integration.workflows.files import api_file, completed, graph_of
from workflows.catalogue import recorded
from workflows.finding import find
from workflows.load import load
from workflows.schema import manifest_schema

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("artifact_root")]

SEED = {"node": "3", "input": "seed"}


@pytest.fixture
def root(db: None) -> User:
    made: User = UserFactory.create(username="root", is_superuser=True, is_staff=True)
    return made


@pytest.fixture
def row(root: User) -> WorkflowImport:
    file = api_file(graph_of("sd15_t2i"))
    return import_file(file, name="graph.json", catalogue_name=RECORDED, user=root).row


@pytest.fixture
def api(root: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(root)
    return client


def shown(user: User, row: WorkflowImport) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(reverse("admin:workflows_workflowimport_change", args=[row.pk]))
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize(
    ("manifest", "field"),
    [
        ({"bindings": 5}, "bindings"),
        ({"bindings": {"seed": 3}}, "bindings.seed"),
        ({"bindings": {"seed": {"targets": [3]}}}, "bindings.seed.targets"),
        ({"bindings": {"precision": {"choices": [[1]]}}}, "bindings.precision.choices"),
        ({"vram": [5]}, "vram"),
        ({"loras": [{"model": 5}]}, "loras[0].model"),
        ({"outputs": [{"node": {}}]}, "outputs[0].node"),
        ({"title": {"en": "\ud800"}}, "title"),
        ({"title": {"en": "\0"}}, "title"),
    ],
)
def test_a_manifest_that_no_page_could_read_is_refused_at_its_field(
    api: APIClient, row: WorkflowImport, manifest: dict[str, Any], field: str
) -> None:
    body = json.dumps({"manifest": manifest, "row_version": 0})
    answer = api.patch(f"/api/v1/imports/{row.pk}", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "manifest",
    [
        {"bindings": {"seed": {"targets": [{"node": [1], "input": {}}], "optional": 5, "min": "x"}}},
        {"vram": [{"gb": {}, "max_pixels": "x"}], "dim_step": {}, "native_fps": []},
        {"title": {"en": [1]}, "slug": 5, "kind": ["x"], "base_model": [1], "remote": 5},
        {"models": [{"name": 5}], "defaults": {"seed": {"a": 1}}, "bindings": {"nonsense": {}}},
    ],
)
def test_nonsense_of_the_right_shape_is_kept_and_its_page_opens(
    api: APIClient, root: User, row: WorkflowImport, manifest: dict[str, Any]
) -> None:
    answer = api.patch(f"/api/v1/imports/{row.pk}", {"manifest": manifest, "row_version": 0}, format="json")
    assert answer.status_code == 200
    assert "data-wizard" in shown(root, row)


def test_what_the_wizard_has_no_room_for_stays_as_it_was(row: WorkflowImport) -> None:
    document = copy.deepcopy(completed(row.manifest))
    (sampler,) = [node for node, body in row.graph.items() if body["class_type"] == "KSampler"]
    targets = [{"node": sampler, "input": "steps", "times": float(n)} for n in range(1, 2)]
    targets += [{"node": f"gone{n}", "input": "steps"} for n in range(MOST_TARGETS + 3)]
    document["bindings"]["steps"]["targets"] = targets
    document["bindings"]["steps"]["optional"] = {"remove": ["1"]}
    document["packs"] = [{"name": "pack", "repository": "https://x", "version": "1", "classes": {}}]
    document["vram"] = [{**document["vram"][0], "gb": float(n)} for n in range(1, MOST_ROWS + 3)]
    document["loras"] = [{"model": ["4", 0], "note": "kept"}, {"model": ["77", 0], "expert": "high"}]
    found = find(row.graph, recorded())
    blank = Wizard(row.graph, recorded(), found, document)
    data = {field.html_name: field.value() for field in blank if field.value() not in (None, False)}
    form = Wizard(row.graph, recorded(), found, document, data)
    assert form.is_valid(), form.errors
    made = document_of(form)
    assert made["bindings"]["steps"]["targets"] == targets
    assert made["bindings"]["steps"]["optional"] == {"remove": ["1"]}
    assert made["packs"] == document["packs"]
    assert [r["gb"] for r in made["vram"]] == [r["gb"] for r in document["vram"]]
    assert {tuple(r["model"]) for r in made["loras"]} >= {("77", 0)}


def test_a_title_of_megabytes_is_shortened_where_it_is_offered(root: User) -> None:
    graph = graph_of("sd15_t2i")
    for body in graph.values():
        body["_meta"] = {"title": "x" * 200_000}
    row = import_file(api_file(graph), name="long.json", catalogue_name=RECORDED, user=root).row
    assert len(shown(root, row)) < 1_000_000


def test_an_import_tells_what_each_node_of_the_farm_lacks_for_it(
    api: APIClient, root: User, row: WorkflowImport
) -> None:
    NodeFactory.create(name="gpu24", capabilities_of="x")
    (node,) = api.get(f"/api/v1/imports/{row.pk}").json()["nodes"]
    assert node["node"] == "gpu24"
    assert any("v1-5-pruned-emaonly" in told for told in node["lacks"])
    page = shown(root, row)
    assert "On the nodes of this farm" in page
    assert "gpu24" in page


def test_a_version_tells_what_each_node_of_the_farm_lacks_for_it(api: APIClient, root: User) -> None:
    sync_templates()
    NodeFactory.create(name="gpu24", capabilities_of="x")
    (node,) = api.get("/api/v1/templates/wan22_i2v/versions/1").json()["nodes"]
    template = load("wan22_i2v")
    assert node["node"] == "gpu24"
    assert all(any(model.name in told for told in node["lacks"]) for model in template.manifest.models)
    version = current_version("wan22_i2v")
    client = Client()
    client.force_login(root)
    page = client.get(reverse("admin:workflows_workflowtemplateversion_change", args=[version.pk]))
    assert "On the nodes of this farm" in page.content.decode()


def test_no_address_of_the_api_hides_a_template() -> None:
    actions: list[Any] = TemplateViewSet.get_extra_actions()
    assert {action.url_path for action in actions if not action.detail} == RESERVED


def test_a_dry_run_names_what_is_nearest_to_a_model_that_a_node_lacks(api: APIClient) -> None:
    sync_templates()
    NodeFactory.create(
        name="gpu24",
        capabilities_of="y",
        classes=[],
        models_by_folder={"checkpoints": ["v1-5-pruned-emaonly-fp16.sft"]},
    )
    answer = api.post("/api/v1/templates/sd15_t2i/dry-run", {"values": {"positive": "a quay"}}, format="json")
    (node,) = answer.json()["lacking"]
    assert "checkpoints/v1-5-pruned-emaonly-fp16.sft" in node["nearest"]


def test_the_schema_of_manifests_has_an_address(api: APIClient) -> None:
    assert api.get("/api/v1/templates/schema").json() == manifest_schema()


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("imports/ROW/confirm", '{"manifest": {}, "into": "a\\u0000"}'),
        ("imports/ROW/confirm", '{"manifest": {"title": {"en": "a\\u0000"}}}'),
        ("imports/ROW/convert", '{"catalogue": "\\ud800"}'),
        ("templates/sd15_t2i/dry-run", '{"values": {"positive": "\\ud800"}}'),
        ("templates/sd15_t2i/dry-run", '{"values": {"seed": ' + 400 * "9" + "}}"),
    ],
)
def test_what_is_no_text_or_number_is_refused(
    api: APIClient, row: WorkflowImport, address: str, body: str
) -> None:
    sync_templates()
    answer = api.post(f"/api/v1/{address.replace('ROW', str(row.pk))}", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_an_address_with_a_nul_leads_nowhere(api: APIClient, root: User, row: WorkflowImport) -> None:
    pages = Client()
    pages.force_login(root)
    convert = reverse("admin:workflows_workflowimport_convert", args=[row.pk])
    with transaction.atomic():
        assert api.get("/api/v1/templates/a%00b/versions").status_code in (400, 404)
    assert pages.post(convert, {"catalogue": "a\0"}).status_code in (302, 400)


def test_problems_and_questions_are_in_the_language_that_is_asked_for(api: APIClient, root: User) -> None:
    graph = graph_of("sd15_t2i")
    (sampler,) = [node for node, body in graph.items() if body["class_type"] == "KSampler"]
    graph[sampler]["inputs"]["steps"] = 0
    row = import_file(api_file(graph), name="few.json", catalogue_name=RECORDED, user=root).row
    told = {}
    for language in ("en", "ko"):
        answer = api.get(f"/api/v1/imports/{row.pk}", headers={"accept-language": language}).json()
        (problem,) = [one for one in answer["problems"] if one["code"] == "value_smaller_than_min"]
        told[language] = problem["message"], answer["questions"][0]
    assert told["en"][0].endswith("input 'steps': 0 is below the least allowed, 1.")
    assert told["ko"][0].endswith("입력 'steps': 0은(는) 허용된 최솟값 1보다 작습니다.")
    assert told["en"][1] != told["ko"][1]
