"""A graph from ComfyUI becomes a template, renders, is replaced and renders again, by the mouse."""

from __future__ import annotations

import copy
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.browser import PATIENCE_MS, visit
from tests.acceptance.farm_fixture import Farm

pytestmark = [pytest.mark.timeout(300), pytest.mark.once, pytest.mark.long]
expect.set_options(timeout=PATIENCE_MS)

TEMPLATES: Final = Path(__file__).resolve().parents[1] / "data" / "workflows" / "comfyui_templates.json.xz"
KNOBS: Final = ("--seconds-per-step", "0.02", "--model-load-seconds", "0")
COLLECT: Final = "from farm.demo.stage import collect_static; collect_static()"
DROP: Final = """([name, text]) => {
    const data = new DataTransfer();
    data.items.add(new File([text], name, { type: "application/json" }));
    document.querySelector("form[data-drop]").dispatchEvent(
        new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
FIGURES: Final = {
    "v.0.max_pixels": "1000000",
    "v.0.gb": "8",
    "v.0.evidence": "renders on our 8 GB card",
    "v.0.source": "our studio",
}


@pytest.fixture
def studio(farm: Callable[..., Farm]) -> Farm:
    made = farm(vram=[24], knobs=KNOBS)
    made.coordinate(COLLECT)
    made.serve()
    made.start("coordinator", "media", "ticker", "comfyui-gpu24-sim", "gpu24-sim")
    return made


def saved_from_comfyui(*, steps: int) -> str:
    """ComfyUI's first template as its web client saves it (UI format), with so many steps."""
    with lzma.open(TEMPLATES) as file:
        document: dict[str, Any] = copy.deepcopy(json.load(file)["default"])
    (sampler,) = [node for node in document["nodes"] if node["type"] == "KSampler"]
    sampler["widgets_values"][2] = steps
    return json.dumps(document)


def bring(page: Page, farm: str, name: str, text: str) -> None:
    """Drop a file on the import page; its wizard opens."""
    page.goto(f"{farm}/admin/workflows/workflowimport/add/")
    page.evaluate(DROP, [name, text])
    page.wait_for_url("**/workflowimport/*/change/")
    expect(page.locator(".sf-graph svg")).to_be_visible()


def confirm(page: Page, **fields: str) -> str:
    """Fill in what nobody can know from a graph, and make it a template; return the version's address."""
    for name, text in (FIGURES | fields).items():
        page.locator(f"[name='{name}']").fill(text)
    page.get_by_role("button", name="Make it a template").click()
    page.wait_for_url("**/workflowtemplateversion/*/change/")
    return page.url


def test_a_graph_from_comfyui_becomes_a_template_renders_is_replaced_and_renders_again_exactly(
    studio: Farm, browser: Browser
) -> None:
    web = studio.plan.web_url
    shot = studio.rows("SELECT id FROM productions_shot ORDER BY code LIMIT 1")[0]["id"]
    with visit(browser, "workflow-journey") as visitor:
        page = visitor.page
        visitor.log_in(web, user="admin", password=studio.home.secrets.admin)

        # dropped: the wizard proposes, the drawing marks it
        bring(page, web, "Portrait.json", saved_from_comfyui(steps=3))
        roles = page.locator(".sf-role[data-role]")
        expect(roles.filter(has=page.locator("b", has_text="positive")).first).to_contain_text("sure")
        expect(page.locator(".sf-graph [data-role=seed]")).to_be_visible()

        # one proposal is corrected: steps, on the drawing
        steps = page.locator("select[name='t.steps.0']")
        proposed = steps.input_value()
        steps.focus()
        steps.select_option("")
        page.locator(".sf-graph g.input[data-input=steps]").click()
        expect(steps).to_have_value(proposed)
        page.locator("[name='t.cfg.0']").select_option("")  # and cfg is not for shots to choose
        first = confirm(page, slug="portrait")
        expect(page.locator("h1, h2").filter(has_text="v1").first).to_be_visible()
        made = studio.rows(
            "SELECT manifest FROM workflows_workflowtemplateversion v JOIN workflows_workflowtemplate t "
            "ON t.id = v.template_id WHERE t.slug = 'portrait'"
        )[0]["manifest"]
        bindings = (json.loads(made) if isinstance(made, str) else made)["bindings"]
        assert "cfg" not in bindings
        assert [bindings["steps"]["targets"][0]["input"]] == ["steps"]

        # a shot is rendered with it, and the take arrives by itself
        page.goto(f"{web}/admin/productions/shot/{shot}/render/")
        page.locator("select[name=picture]").select_option("portrait")
        page.locator("input[name=picture_width]").fill("512")
        page.locator("input[name=picture_height]").fill("288")
        page.locator("select[name=clip]").select_option("")
        expect(page.locator("#preview")).to_contain_text("portrait")
        page.get_by_role("button", name="Render").and_(page.locator("[name=submit]")).click()
        page.wait_for_url("**/renders/renderbatch/*/change/")
        expect(page.locator("table a[href*='/review/take/']")).to_have_count(1)
        take = page.locator("table a[href*='/review/take/']").get_attribute("href")

        # the next version takes more steps; the two are compared, the first is deprecated
        bring(page, web, "Portrait2.json", saved_from_comfyui(steps=4))
        page.locator("[name=into]").select_option("portrait")
        confirm(page)
        page.goto(first)
        page.get_by_role("button", name="Compare with it").click()
        expect(page.locator(".sf-page")).to_contain_text("steps")
        expect(page.locator(".sf-graph svg")).to_have_count(2)
        page.goto(first)
        page.locator("[name=reason]").fill("too few steps")
        page.get_by_role("button", name="Deprecate").click()
        expect(page.locator(".sf-page")).to_contain_text("too few steps")

        # the take renders again exactly, with the version that is offered no more
        page.goto(f"{web}{take}")
        page.get_by_role("button", name="Render again exactly").click()
        studio.wait_until(
            lambda: studio.states("renders_job") == ["succeeded", "succeeded"], "the second render has ended"
        )
    jobs = studio.rows('SELECT template_version_id, "values", prompt_build_id FROM renders_job')
    assert jobs[0] == jobs[1]
    graphs = [studio.comfyui(0, f"/history/{one}") for one in _prompts(studio)]
    first_graph, second_graph = (_sent(one) for one in graphs)
    assert first_graph == second_graph


def _prompts(farm: Farm) -> list[str]:
    history: dict[str, Any] = farm.comfyui(0, "/history")
    return list(history)


def _sent(history: dict[str, Any]) -> dict[str, Any]:
    """What ComfyUI was sent, but for the names of its files."""
    (entry,) = history.values()
    graph: dict[str, Any] = copy.deepcopy(entry["prompt"][2])
    for node in graph.values():
        node["inputs"].pop("filename_prefix", None)
    return graph
