"""The page of model files, the list to fetch what is missing, and golden renders on node pages."""

from __future__ import annotations

import json

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from apps.common.clock import database_now
from apps.nodes.models import Node, NodeFile
from apps.renders.models import Proof
from apps.renders.states import ProofState
from apps.workflows.models import WorkflowTemplate
from apps.workflows.services import template_of
from tests.factories import NodeFactory
from tests.integration.admin.conftest import Browser
from tests.integration.desk.terminal import farm, tool
from workflows.bind import classes_needed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates")]

ONE, OTHER = "1" * 64, "2" * 64
HOSTILE = "$(touch pwned)\n<script>alert(1)</script>"


def able(name: str, sha256: str = "", *, lacks: str = "") -> Node:
    """A node that has what flux_t2i needs, but for the files of one folder."""
    version = WorkflowTemplate.objects.get(slug="flux_t2i").current
    assert version is not None
    folders: dict[str, list[str]] = {}
    for need in version.models_needed:
        if need["folder"] != lacks:
            folders.setdefault(need["folder"], []).append(need["name"])
    node = NodeFactory.create(
        name=name,
        simulated=True,
        capabilities_of=f"without {lacks}"[:16],
        models_by_folder=folders,
        classes=list(classes_needed(template_of(version))),
    )
    if sha256:
        NodeFile.objects.create(
            node=node, folder="vae", name="ae.safetensors", size=7, sha256=sha256, seen_at=database_now()
        )
    return node


def shown(browser: Client, **asked: str) -> str:
    return browser.get(reverse("desk:models"), asked).content.decode()


@pytest.fixture(autouse=True)
def _simulated(settings: object) -> None:
    cache.clear()  # conflicts are remembered for a while
    settings.SIMULATED_ALLOWED = True  # type: ignore[attr-defined]


def test_the_page_shows_what_is_there_what_differs_and_what_is_missing(as_: Browser) -> None:
    able("a", ONE), able("b", OTHER), able("c", lacks="vae")
    page = shown(as_("viewer"), template="flux_t2i")
    assert "another file of this name" in page
    assert "contents differ: renders would differ" in page
    assert "missing" in page
    assert ONE[:12] in page
    assert "unproven" in page


def test_the_page_gives_lines_to_copy_for_the_chosen_tool(as_: Browser) -> None:
    able("c", lacks="vae")
    page = shown(as_("viewer"), template="flux_t2i", tool="wget")
    assert 'id="download-lines"' in page
    assert "wget -c -O" in page
    answer = as_("viewer").get(reverse("desk:models-list"), {"template": "flux_t2i", "tool": "aria2"})
    assert answer["Content-Disposition"] == 'attachment; filename="models.txt"'
    assert "out=ae.safetensors" in answer.content.decode()


def test_a_hostile_name_is_text_on_the_page(as_: Browser) -> None:
    NodeFactory.create(name="evil", capabilities_of="x", models_by_folder={"loras": [HOSTILE]})
    page = shown(as_("viewer"), show="all")
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_the_page_takes_the_same_number_of_queries_for_one_node_and_for_many(
    as_: Browser, django_assert_max_num_queries: object
) -> None:
    for number in range(12):
        able(f"n{number}", ONE)
    browser = as_("viewer")
    shown(browser, template="flux_t2i")
    with django_assert_max_num_queries(22):  # type: ignore[operator]
        shown(browser, template="flux_t2i")


def test_an_operator_asks_for_a_golden_render_on_the_nodes_page_and_calls_it_off(as_: Browser) -> None:
    node, browser = able("a"), as_("root")
    page = browser.get(reverse("admin:nodes_node_change", args=[node.pk])).content.decode()
    assert reverse("admin:nodes_node_prove", args=[node.pk]) in page
    browser.post(reverse("admin:nodes_node_prove", args=[node.pk]), {"template": "flux_t2i"})
    assert Proof.objects.get().state == ProofState.WAITING
    assert "asked for" in browser.get(reverse("admin:nodes_node_change", args=[node.pk])).content.decode()
    browser.post(reverse("admin:nodes_node_unprove", args=[node.pk]), {"template": "flux_t2i"})
    assert Proof.objects.get().state == ProofState.CANCELLED


def test_a_node_that_lacks_a_file_is_not_asked_and_the_page_names_it(as_: Browser) -> None:
    node, browser = able("a", lacks="vae"), as_("root")
    answer = browser.post(
        reverse("admin:nodes_node_prove", args=[node.pk]), {"template": "flux_t2i"}, follow=True
    )
    assert "a lacks vae/ae.safetensors" in answer.content.decode()
    assert not Proof.objects.exists()


def template_page(browser: Client, **asked: str) -> str:
    template = WorkflowTemplate.objects.get(slug="flux_t2i")
    address = reverse("admin:workflows_workflowtemplate_change", args=[template.pk])
    return browser.get(address, asked).content.decode()


def asks(browser: Client, **body: object) -> str:
    template = WorkflowTemplate.objects.get(slug="flux_t2i")
    address = reverse("admin:workflows_workflowtemplate_prove", args=[template.pk])
    return browser.post(address, body, follow=True).content.decode()


def test_the_templates_page_says_how_it_stands_on_each_node_and_how_to_fetch_what_is_missing(
    as_: Browser,
) -> None:
    able("a"), able("c", lacks="vae")
    page = template_page(as_("viewer"), tool="wget")
    assert "unproven" in page
    assert "c lacks vae/ae.safetensors" in page
    assert "wget -c -O" in page
    assert 'id="sf-prove"' not in page, "who may not steer nodes is offered nothing to press"


def test_an_operator_proves_a_template_on_chosen_nodes_or_on_all_that_can(as_: Browser) -> None:
    able("a"), able("b"), able("c", lacks="vae")
    root = as_("root")
    assert "Prove on all 2 nodes that can" in template_page(root)
    assert "choose a node that can do it" in asks(root)
    assert "1 node renders flux_t2i" in asks(root, node=["b"])
    assert "c lacks vae/ae.safetensors" in asks(root, node=["c"])
    assert set(Proof.objects.values_list("node__name", flat=True)) == {"b"}
    assert "2 nodes render flux_t2i" in asks(root, all="1")
    assert set(Proof.objects.values_list("node__name", flat=True)) == {"a", "b"}
    assert "Call off" in template_page(root)


def test_who_may_not_steer_nodes_proves_nothing_from_the_templates_page(as_: Browser) -> None:
    able("a")
    asks(as_("coordinator"), all="1")
    assert not Proof.objects.exists()


def test_a_nodes_own_bound_is_written_on_its_page(as_: Browser) -> None:
    node, root = able("a"), as_("root")
    address = reverse("admin:nodes_node_bound", args=[node.pk])
    root.post(address, {"prove_minutes": "15", "row_version": node.row_version})
    node.refresh_from_db()
    assert node.prove_minutes == 15
    wrong = root.post(address, {"prove_minutes": "soon"}, follow=True).content.decode()
    assert "write minutes from 2 to 10080, or nothing" in wrong
    assert 'value="soon"' in wrong, "what was typed is still there"
    said = {"prove_minutes": None, "row_version": node.row_version}
    changed = root.patch(f"/api/v1/nodes/{node.pk}", said, "application/json")
    assert changed.json()["prove_minutes"] is None


def test_the_farm_page_tells_of_files_that_differ(as_: Browser) -> None:
    able("a", ONE), able("b", OTHER)
    page = as_("viewer").get(reverse("desk:farm")).content.decode()
    assert "model vae/ae.safetensors has another content on b" in page


def test_the_api_tells_the_same_and_proves(as_: Browser) -> None:
    node, browser = able("a", lacks="text_encoders"), as_("root")
    able("b")
    rows = browser.get("/api/v1/models", {"template": "flux_t2i", "missing": "1"}).json()
    assert {row["folder"] for row in rows} == {"text_encoders"}
    assert {tuple(row["missing_on"]) for row in rows} == {("a",)}
    files = browser.get("/api/v1/models/downloads", {"node": "a"}).json()
    assert all(file["path"].startswith("models/") for file in files)
    text = browser.get("/api/v1/models/downloads", {"tool": "curl"})
    assert text["Content-Type"].startswith("text/plain")
    assert browser.get("/api/v1/models/downloads", {"tool": "ftp"}).status_code == 400
    assert browser.get("/api/v1/models", {"node": "nobody"}).status_code == 400
    refused = browser.post(f"/api/v1/nodes/{node.pk}/prove", {"template": "flux_t2i"}, "application/json")
    assert refused.status_code == 400
    other = Node.objects.get(name="b")
    made = browser.post(f"/api/v1/nodes/{other.pk}/prove", {"template": "flux_t2i"}, "application/json")
    assert (made.status_code, made.json()["state"]) == (201, "waiting")
    assert browser.get("/api/v1/proofs", {"node": "b"}).json()["results"][0]["template"] == "flux_t2i"


def test_the_command_line_tells_the_same(as_: Browser) -> None:
    able("a", ONE), able("b", lacks="vae")
    said = farm("models", "--template", "flux_t2i", "--missing")
    assert "vae/ae.safetensors" in said.out
    assert "    b: missing" in said.lines
    told = tool("models", "--template", "flux_t2i", "--node", "b")
    assert told["nodes"] == ["b"]
    script = farm("models", "--template", "flux_t2i", "--script").out
    assert script.startswith("#!/bin/sh\n")
    assert "curl -fL" in script
    assert tool("prove", "a", "flux_t2i")["state"] == "waiting"
    assert [one["standing"] for one in tool("proofs")["proofs"] if one["template"] == "flux_t2i"] == [
        "asked",
        "unproven",
    ]
    refused = farm("prove", "b", "flux_t2i")
    assert refused.code == 1
    assert "b lacks vae/ae.safetensors" in refused.err
    assert farm("models", "--template", "nothing").code == 1
    assert json.loads(farm("prove", "zzz", "flux_t2i", "--json").out)["problems"]
