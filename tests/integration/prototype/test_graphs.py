"""The prototype's workflows come over as drafts: told what they lack, mended by a press, made templates."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.common.models import StateEvent
from apps.workflows.models import WorkflowImport
from apps.workflows.selectors import current_version
from apps.workflows.services import template_of
from apps.workflows.services.confirming import confirm
from apps.workflows.services.importing import import_file
from apps.workflows.services.mending import connect, offers_of
from tests.factories import UserFactory
from tests.integration.prototype.conftest import a_project, written
from tests.integration.workflows.files import api_file, completed, graph_of
from workflows.catalogue import recorded
from workflows.mending import MOST_ABSENT
from workflows.problems import without_missing_models
from workflows.validate import check_graph

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("artifact_root", "templates")]

FLUX_BASIC: dict[str, Any] = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "flux1-dev.safetensors"}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a quay", "clip": ["1", 1]}},
    "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["1", 1]}},
    "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1}},
    "5": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 0,
            "steps": 20,
            "cfg": 8.0,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1.0,
            "model": ["1", 0],
            "positive": ["2", 0],
            "negative": ["3", 0],
            "latent_image": ["4", 0],
        },
    },
    "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
    "7": {"class_type": "SaveImage", "inputs": {"filename_prefix": "flux_basic"}},
}
"""Written by us: seven nodes as the prototype has them, and its flaw: what saves the picture takes none."""

FLAW = "Node 7 (SaveImage), input 'images': is required and missing; it takes IMAGE."


@pytest.fixture
def root(db: None) -> User:
    made: User = UserFactory.create(username="root", is_staff=True, is_superuser=True)
    return made


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    """A prototype's installation: one project, one workflow, a graph of ours that lies in the way."""
    project = written(tmp_path / "projects", a_project())
    graphs = tmp_path / "workflows" / "text_to_image"
    graphs.mkdir(parents=True)
    (graphs / "flux_basic.json").write_text(json.dumps(FLUX_BASIC))
    ours = tmp_path / "workflows" / "sd15_t2i"
    ours.mkdir()
    (ours / "graph.json").write_bytes(api_file(graph_of("sd15_t2i")).read())
    (ours / "manifest.json").write_text("{}")
    (graphs / "elsewhere.json").symlink_to(project / "data.json")
    return project


def imported(source: Path, *options: str) -> str:
    said = io.StringIO()
    call_command("import_aipipeline", str(source), "--without-takes", *options, stdout=said)
    return said.getvalue()


def draft(root: User) -> WorkflowImport:
    """The flaw as it comes by the page."""
    browser = Client()
    browser.force_login(root)
    file = SimpleUploadedFile("flux_basic.json", json.dumps(FLUX_BASIC).encode())
    add = reverse("admin:workflows_workflowimport_add")
    browser.post(add, {"file": file, "catalogue": "ComfyUI 0.27.0"})
    return WorkflowImport.objects.get()


def test_an_import_makes_a_draft_of_a_prototypes_workflow_and_says_what_it_lacks_and_what_would_be_right(
    studio: Path,
) -> None:
    planned = imported(studio, "--dry-run")
    assert not WorkflowImport.objects.exists()
    told = imported(studio)
    row = WorkflowImport.objects.get()
    assert (row.state, row.file_name, row.imported_by) == ("draft", "flux_basic.json", None)
    assert row.graph == FLUX_BASIC
    where = "workflow text_to_image/flux_basic.json"
    right = "It could take 6 VAEDecode · IMAGE: Connect, on the draft's page."
    for report in (planned, told):
        assert f"doubtful: {where}, node 7, input images: {FLAW} {right}" in report
        assert f"told: {where}: a draft: who makes it a template says its licence" in report
        assert "1 workflow drafts" in report
    again = imported(studio)
    assert "already there, left as they are:" in again
    assert WorkflowImport.objects.count() == 1


def test_the_same_file_twice_is_one_draft_in_the_plan_too(studio: Path) -> None:
    folder = studio.parents[1] / "workflows" / "text_to_image"
    (folder / "copy.json").write_bytes((folder / "flux_basic.json").read_bytes())
    planned = imported(studio, "--dry-run")
    assert planned.count("1 workflow drafts") == imported(studio).count("1 workflow drafts") == 2


def test_a_file_that_is_no_workflow_stops_no_import(studio: Path) -> None:
    other = studio.parents[1] / "workflows" / "wan_animate"
    other.mkdir()
    (other / "empty.json").write_text("")
    (other / "broken.json").write_text("{")
    told = imported(studio)
    assert "dropped: workflow wan_animate/empty.json" in told
    assert "doubtful: workflow wan_animate/broken.json" in told
    assert sorted(WorkflowImport.objects.values_list("state", flat=True)) == ["draft", "refused"]


def test_what_is_missing_is_connected_by_one_press_and_the_draft_becomes_a_template(root: User) -> None:
    row, browser = draft(root), Client()
    browser.force_login(root)
    address = reverse("admin:workflows_workflowimport_change", args=[row.pk])
    shown = browser.get(address).content.decode()
    assert "is required and missing" in shown
    assert '<option value="0:6">6 VAEDecode · IMAGE · nothing takes it yet</option>' in " ".join(
        shown.split()
    )
    WorkflowImport.objects.update(manifest=row.manifest | {"slug": "flux_quay"})
    press = reverse("admin:workflows_workflowimport_connect", args=[row.pk])
    answer = browser.post(press, {"node": "7", "name": "images", "source": "0:6"}, follow=True)
    assert "is required and missing" not in answer.content.decode()
    row.refresh_from_db()
    assert row.graph["7"]["inputs"]["images"] == ["6", 0]
    assert without_missing_models(check_graph(row.graph, recorded())) == []
    assert row.manifest["slug"] == "flux_quay", "what a person wrote stays"
    assert row.manifest["outputs"], "what the picture's way tells is read anew"
    event = StateEvent.objects.filter(story=row.pk).latest("pk")
    assert (event.actor, event.reason) == ("root", "7.images takes 6:0")
    version = confirm(row, completed(row.manifest), user=root)
    assert current_version("flux_quay") == version
    assert template_of(version).graph["7"]["inputs"]["images"] == ["6", 0]


def test_of_two_who_connect_at_once_neither_loses_a_link(root: User) -> None:
    graph = FLUX_BASIC | {"6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0]}}}
    file = io.BytesIO(json.dumps(graph).encode())
    import_file(file, name="flaws.json", catalogue_name="ComfyUI 0.27.0", user=root)
    one, other = WorkflowImport.objects.get(), WorkflowImport.objects.get()
    connect(one, node="7", name="images", source="6", slot=0, user=root)
    connect(other, node="6", name="vae", source="1", slot=2, user=root)
    kept = WorkflowImport.objects.get().graph
    assert (kept["7"]["inputs"]["images"], kept["6"]["inputs"]["vae"]) == (["6", 0], ["1", 2])
    assert other.graph == kept


def test_an_output_that_is_no_number_breaks_no_page(root: User) -> None:
    row, browser = draft(root), Client()
    browser.force_login(root)
    press = reverse("admin:workflows_workflowimport_connect", args=[row.pk])
    answer = browser.post(press, {"node": "7", "name": "images", "source": "1" * 5_000 + ":6"}, follow=True)
    assert "it takes one of 6 VAEDecode · IMAGE" in answer.content.decode()


def test_of_very_many_absent_inputs_the_first_are_offered_and_every_one_can_be_connected(root: User) -> None:
    many = {f"s{number}": FLUX_BASIC["7"] for number in range(MOST_ABSENT + 10)}
    file = io.BytesIO(json.dumps(FLUX_BASIC | many).encode())
    row = import_file(file, name="many.json", catalogue_name="ComfyUI 0.27.0", user=root).row
    assert len(offers_of(row)) == MOST_ABSENT
    connect(row, node=f"s{MOST_ABSENT + 9}", name="images", source="6", slot=0, user=root)
    assert row.graph[f"s{MOST_ABSENT + 9}"]["inputs"]["images"] == ["6", 0]


def test_over_http_only_what_fits_is_connected_and_only_once(root: User) -> None:
    row, client = draft(root), APIClient()
    client.force_authenticate(root)
    address = f"/api/v1/imports/{row.pk}"
    with CaptureQueriesContext(connection) as asked:
        (offer,) = client.get(address).json()["offers"]
    assert len(asked) <= 8
    assert (offer["node"], offer["input"]) == ("7", "images")
    assert offer["sources"] == [
        {"node": "6", "slot": 0, "title": "VAEDecode", "type": "IMAGE", "used": False}
    ]
    wish = {"node": "7", "input": "images", "output_of": "5", "slot": 0}
    wrong = client.post(f"{address}/connect", wish)
    assert wrong.status_code == 400
    assert "it takes one of 6 VAEDecode · IMAGE" in wrong.json()["errors"][0]["message"]
    assert client.post(f"{address}/connect", wish | {"output_of": "6"}).json()["offers"] == []
    assert client.post(f"{address}/connect", wish | {"output_of": "6"}).status_code == 400, "it has it"
    confirm(WorkflowImport.objects.get(), completed(WorkflowImport.objects.get().manifest), user=root)
    assert client.post(f"{address}/connect", wish).status_code == 409
