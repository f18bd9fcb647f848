"""Bringing a workflow through the pages: dropped, looked at, completed, made a template; versions managed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.workflows.models import WorkflowImport, WorkflowTemplate, WorkflowTemplateVersion
from apps.workflows.selectors import current_version
from apps.workflows.services import sync_templates
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.html_forms import form_with
from tests.integration.admin.rows import listing, page
from tests.integration.workflows.files import api_file, graph_of, png_of
from tests.integration.workflows.test_sync_workflows import with_title

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("artifact_root", "film")]

ADD = "admin:workflows_workflowimport_add"
FIGURES = {
    "v.0.precision": "fp16",
    "v.0.max_pixels": "1000000",
    "v.0.max_frames": "1",
    "v.0.gb": "8",
    "v.0.source_kind": "secondary",
    "v.0.evidence": "renders on our card",
    "v.0.source": "our studio",
}


def drop(browser: Client, content: bytes, name: str = "Portrait.json") -> Any:
    file = SimpleUploadedFile(name, content)
    return browser.post(reverse(ADD), {"file": file, "catalogue": "ComfyUI 0.27.0"}, follow=True)


def brought(browser: Client, graph: Any = None) -> WorkflowImport:
    drop(browser, api_file(graph or graph_of("sd15_t2i")).getvalue())
    return WorkflowImport.objects.get()


def filled(browser: Client, row: WorkflowImport, **more: str) -> dict[str, str]:
    """The wizard's form as the browser would send it, with these fields typed over."""
    shown = browser.get(page(row)).content.decode()
    return form_with(shown, "slug") | more


def test_a_dropped_picture_leads_to_its_wizard_with_the_graph_and_what_was_found(as_: Browser) -> None:
    answer = drop(as_("root"), png_of(graph_of("sd15_t2i")).getvalue(), "ComfyUI_00001_.png")
    shown = answer.content.decode()
    assert answer.redirect_chain
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in shown
    assert 'data-role="positive"' in shown
    assert "KSampler" in shown


def test_the_same_file_again_is_said_and_shown(as_: Browser) -> None:
    root = as_("root")
    brought(root)
    shown = drop(root, api_file(graph_of("sd15_t2i")).getvalue()).content.decode()
    assert "imported before" in shown
    assert WorkflowImport.objects.count() == 1


def test_a_file_that_holds_no_workflow_is_kept_and_says_why_without_a_form(as_: Browser) -> None:
    shown = drop(as_("root"), b"hello").content.decode()
    assert "neither JSON nor" in shown
    assert "Make it a template" not in shown


def test_a_hostile_graph_cannot_write_into_the_page(as_: Browser) -> None:
    graph = graph_of("sd15_t2i")
    graph["<script>alert(1)</script>"] = {
        "class_type": "<img src=x onerror=alert(2)>",
        "inputs": {'"><script>alert(3)</script>': "</svg><script>alert(4)</script>"},
        "_meta": {"title": "</title><script>alert(5)</script>"},
    }
    shown = drop(as_("root"), api_file(graph).getvalue()).content.decode()
    assert "alert(5)" in shown
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown


def test_confirming_is_refused_at_the_field_until_memory_is_known_then_makes_a_template(
    as_: Browser,
) -> None:
    root = as_("root")
    row = brought(root)
    refused = root.post(page(row), filled(root, row, confirm="1"))
    assert refused.context["form"].errors.keys() == {"v.0.gb"}
    row.refresh_from_db()
    assert row.state == "draft"
    data = filled(root, row, confirm="1", title_ko="초상", **FIGURES)
    answer = root.post(page(row), data)
    version = current_version("portrait")
    assert answer["Location"] == page(version)
    assert version.template.slug == "portrait"
    assert (version.template.title, version.template.title_ko) == ("Portrait", "초상")
    assert version.manifest["vram"][0]["gb"] == 8


def test_two_at_one_draft_hear_of_each_other(as_: Browser) -> None:
    """What both typed is kept: mine where I typed, theirs elsewhere; nothing is saved before that."""
    root = as_("root")
    row = brought(root)
    hers, his = filled(root, row), filled(root, row, save="1", title_en="His portrait")
    root.post(page(row), his)
    refused = root.post(page(row), hers | {"save": "1", "title_ko": "초상"})
    assert refused.status_code == 200
    shown = refused.content.decode()
    assert "Changed after you opened this page" in shown
    assert "<ins>" in shown
    row.refresh_from_db()
    assert row.manifest["title"]["en"] == "His portrait"
    assert row.manifest["title"]["ko"] != "초상"
    again = form_with(shown, "slug")
    assert again["title_ko"] == "초상", "what was typed is still there"
    assert root.post(page(row), again | {"save": "1"}).status_code == 302
    row.refresh_from_db()
    assert row.manifest["title"]["ko"] == "초상"
    late = root.post(
        f"{page(row).removesuffix('change/')}convert/", {"catalogue": row.catalogue, **his}, follow=True
    )
    assert "Changed after you opened this page" in late.content.decode()
    row.refresh_from_db()
    assert row.manifest["title"]["ko"] == "초상"


def test_a_role_can_be_led_elsewhere_removed_and_added(as_: Browser) -> None:
    root = as_("root")
    row = brought(root)
    data = filled(root, row)
    del data["t.steps.0"]
    data["t.cfg.0"] = ""
    data["d.cfg.default"] = ""
    root.post(page(row), data | {"save": "1"})
    row.refresh_from_db()
    assert not {"cfg", "steps"} & row.manifest["bindings"].keys()
    with_row = root.post(page(row), filled(root, row) | {"add": "1", "add_role": "steps"})
    data = form_with(with_row.content.decode(), "slug")
    sampler = next(key for key, node in row.graph.items() if node["class_type"] == "KSampler")
    root.post(page(row), data | {"save": "1", "t.steps.0": f'["{sampler}", "steps"]'})
    row.refresh_from_db()
    assert row.manifest["bindings"]["steps"]["targets"] == [{"node": sampler, "input": "steps"}]


def test_the_next_version_of_an_imported_template_is_chosen_in_the_form(as_: Browser) -> None:
    root = as_("root")
    first = brought(root)
    root.post(page(first), filled(root, first, confirm="1", **FIGURES))
    graph = graph_of("sd15_t2i")
    next(node for node in graph.values() if node["class_type"] == "KSampler")["inputs"]["steps"] = 9
    drop(root, api_file(graph).getvalue(), "better.json")
    second = WorkflowImport.objects.get(file_name="better.json")
    root.post(page(second), filled(root, second, confirm="1", into="portrait", **FIGURES))
    assert current_version("portrait").number == 2


@pytest.mark.parametrize("who", ("admin", "coordinator", "viewer"))
def test_members_look_and_import_nothing(as_: Browser, who: str) -> None:
    row = brought(as_("root"))
    shown = as_(who).get(page(row)).content.decode()
    assert "KSampler" in shown
    assert "Make it a template" not in shown
    assert as_(who).post(page(row), {"save": "1"}).status_code == 403
    assert as_(who).get(reverse(ADD)).status_code == 403
    assert "Import…" not in as_(who).get(listing(WorkflowTemplate)).content.decode()


def test_a_version_is_deprecated_another_chosen_and_both_compared(as_: Browser, templates: None) -> None:
    root = as_("root")
    first = current_version("plain_slate")
    sync_templates([with_title("Board")])
    second = current_version("plain_slate")

    def press(version: WorkflowTemplateVersion, deed: str, **data: str) -> str:
        address = reverse(f"admin:workflows_workflowtemplateversion_{deed}", args=[version.pk])
        return root.post(address, data, follow=True).content.decode()

    assert "say why" in press(second, "deprecate")
    assert "the frame is crooked" in press(second, "deprecate", reason="the frame is crooked")
    press(first, "current")
    assert current_version("plain_slate") == first
    compare = reverse("admin:workflows_workflowtemplateversion_compare", args=[first.pk])
    shown = root.get(compare, {"number": second.number}).content.decode()
    assert "title.en" in shown
    assert "Board" in shown


def test_a_dry_run_says_where_each_value_comes_from(as_: Browser, film: Film, templates: None) -> None:
    version = current_version("sd15_t2i")
    address = reverse("admin:workflows_workflowtemplateversion_dry_run", args=[version.pk])
    shot = f"{film.project.code} {film.shot.full_code}"
    answer = as_("viewer").get(address, {"try": "1", "shot": shot, "r-steps": "7"})
    written = {one.role: one for one in answer.context["tried"].run.written}
    assert (written["steps"].value, written["steps"].origin.kind) == (7, "request")
    assert written["positive"].origin.kind == "shot"
    assert written["width"].origin.kind == "project"
    assert written["cfg"].origin.kind == "default"
    wrong = as_("viewer").get(address, {"try": "1", "r-steps": "many"}).content.decode()
    assert "steps = many" in wrong
    nobody = as_("viewer").get(address, {"try": "1", "shot": "SECRET SQ1_SH1"}).content.decode()
    assert "no such shot of yours" in nobody


def test_a_take_is_rendered_again_from_its_page_and_from_the_list(as_: Browser, film: Film) -> None:
    shown = as_("coordinator").get(page(film.take)).content.decode()
    assert "Render again exactly" in shown
    assert "Render again exactly" not in as_("viewer").get(page(film.take)).content.decode()


def test_a_file_that_may_be_left_out_is_ticked_and_the_template_says_what_goes_with_it(as_: Browser) -> None:
    root = as_("root")
    row = brought(root, graph_of("controlnet_pose"))
    shown = root.get(page(row)).content.decode()
    assert "Without it these go: 4 ControlNetLoader" in shown
    assert re.search(r"12 KSampler.* · positive then takes output 0 of 5 CLIPTextEncode", shown)
    assert ' going"' not in shown
    root.post(page(row), filled(root, row, **{"o.control": "on"}, save="1"))
    row.refresh_from_db()
    assert row.manifest["bindings"]["control"]["optional"] == {
        "remove": ["4", "7", "8", "9"],
        "relink": [
            {"node": "12", "input": "positive", "to": ["5", 0]},
            {"node": "12", "input": "negative", "to": ["6", 0]},
        ],
    }
    assert root.get(page(row)).content.decode().count(' going"') == 4
    unticked = {name: text for name, text in filled(root, row, save="1").items() if name != "o.control"}
    root.post(page(row), unticked)
    row.refresh_from_db()
    assert "optional" not in row.manifest["bindings"]["control"]


def test_what_everything_starts_from_cannot_be_left_out(as_: Browser) -> None:
    root = as_("root")
    shown = root.get(page(brought(root, graph_of("flux_i2i")))).content.decode()
    assert "It must be given: nothing would be rendered without it." in shown
    assert 'name="o.first_frame"' not in shown


def test_custom_nodes_want_a_repository_and_a_version_before_it_is_a_template(as_: Browser) -> None:
    root = as_("root")
    row = brought(root)
    pack = {"name": "Fancy", "repository": "", "version": "", "classes": {"FancySampler": {}}}
    row.manifest["packs"] = [pack]
    row.save(update_fields=["manifest"])
    assert "FancySampler" in root.get(page(row)).content.decode()
    again = root.post(page(row), filled(root, row, **FIGURES, confirm="1"))
    assert {"p.0.repository", "p.0.version"} <= set(again.context["form"].errors)
    told = {"p.0.repository": "https://github.com/me/fancy", "p.0.version": "1.4"}
    root.post(page(row), filled(root, row, **FIGURES, **told, confirm="1"))
    version = WorkflowTemplateVersion.objects.get(template__slug="portrait")
    assert version.manifest["packs"] == [pack | {"repository": told["p.0.repository"], "version": "1.4"}]
    assert told["p.0.repository"] in root.get(page(version)).content.decode()


def test_pictures_of_a_take_go_only_where_a_clip_is_read(as_: Browser) -> None:
    root = as_("root")
    row = brought(root, graph_of("frames_join"))
    data = filled(root, row, add="1", add_role="pictures")
    shown = root.post(page(row), data).content.decode()
    assert "all pictures of a take in their order" in shown
    assert "1 LoadVideo" in shown
    still = brought_beside(root, graph_of("flux_i2i"))
    assert "pictures" not in root.get(page(still)).context["form"].addable()


def brought_beside(browser: Client, graph: Any) -> WorkflowImport:
    drop(browser, api_file(graph).getvalue(), "Second.json")
    return WorkflowImport.objects.get(file_name="Second.json")


def test_on_korean_pages_what_is_wrong_with_a_graph_is_korean(as_: Browser) -> None:
    root = as_("root")
    graph = graph_of("sd15_t2i")
    (sampler,) = [node for node, body in graph.items() if body["class_type"] == "KSampler"]
    graph[sampler]["inputs"] |= {"steps": 0, "model": ["99", 0]}
    (saving,) = [node for node, body in graph.items() if body["class_type"] == "SaveImage"]
    del graph[sampler]["inputs"]["model"]
    graph[saving]["class_type"] = "SaveImages"
    row = brought(root, graph)
    shown = root.get(page(row), headers={"accept-language": "ko"}).content.decode()
    assert "클래스 &#x27;SaveImages&#x27;이(가) 없습니다. 가장 비슷한 것: " in shown
    assert "this ComfyUI has no class" not in shown
    assert (
        "this ComfyUI has no class" in root.get(page(row), headers={"accept-language": "en"}).content.decode()
    )
