"""A node with a key of comfy.org adds it to the prompts of orders that name it, and tells nobody."""

from __future__ import annotations

import json
from typing import Any

from farm.contracts import COMFY_ORG, FailureClass, OrderOutput, Outcome, to_json
from tests.integration.workers.coordinator import order
from tests.integration.workers.node_farm import StartFarm
from workflows.load import load

KEY = "comfyui-4fd1c0ffee0123456789"

CLIP = OrderOutput(node="3", kind="video", width=0, height=0, frames=0)
"""What a service makes is not known beforehand."""


def _kling() -> dict[str, Any]:
    graph: dict[str, Any] = json.loads(json.dumps(load("kling_i2v").graph))
    graph["1"] = {
        "class_type": "EmptyImage",
        "inputs": {"width": 64, "height": 48, "batch_size": 1, "color": 9},
    }
    graph["2"]["inputs"] |= {"multi_shot.prompt": "rain", "multi_shot.duration": 3}
    return graph


def test_a_service_renders_for_the_key_and_the_key_stays_on_the_node(farm: StartFarm) -> None:
    here = farm(env={"SHOTFARM_COMFY_API_KEY": KEY})
    assert here.coordinator.hears(lambda report: report.keys == (COMFY_ORG,))

    without = here.render(order(_kling(), outputs=(CLIP,)))
    report = here.render(order(_kling(), outputs=(CLIP,), key=COMFY_ORG))

    assert without.outcome is Outcome.FAILED, "the order did not name the key"
    assert report.outcome is Outcome.SUCCEEDED, report.failure
    (artifact,) = report.artifacts
    assert (artifact.kind, artifact.frames, artifact.width) == ("video", 73, 64)
    stored = [path.read_bytes() for path in here.worker.artifacts.rglob("*") if path.is_file()]
    spooled = [path.read_bytes() for path in here.worker.spool.rglob("*") if path.is_file()]
    assert not any(KEY.encode() in content for content in stored + spooled)
    told = [json.dumps(to_json(report)), json.dumps(here.comfy_history()), here.worker.log]
    assert not any(KEY in text for text in told)


def test_a_node_without_the_key_says_so_before_anything_is_rendered(farm: StartFarm) -> None:
    here = farm()
    report = here.render(order(_kling(), outputs=(CLIP,), key=COMFY_ORG))
    assert report.failure is not None
    assert (report.failure.failure_class, report.failure.code) == (FailureClass.MISSING_MODEL, "key_absent")
    assert here.comfy_history() == {}
