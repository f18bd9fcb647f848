"""A golden render on a farm of real processes: asked for at the command line, rendered, and proven."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from tests.acceptance.farm_fixture import Farm

pytestmark = [pytest.mark.timeout(300), pytest.mark.production]

MakeFarm = Callable[..., Farm]

ASK: Final = """
import io, json
from django.core.management import call_command
told = io.StringIO()
call_command("farm", "prove", {node!r}, {template!r}, "--json", stdout=told)
answer(json.loads(told.getvalue()))
"""
STANDING: Final = """
import io, json
from django.core.management import call_command
told = io.StringIO()
call_command("farm", "proofs", "--json", stdout=told)
answer(json.loads(told.getvalue())["proofs"])
"""


def test_an_idle_node_proves_a_template_that_starts_from_a_picture(farm: MakeFarm) -> None:
    studio = farm(vram=[24], knobs=("--seconds-per-step", "0.05", "--model-load-seconds", "0"))
    node = studio.plan.nodes[0].name
    studio.start("broker", "coordinator", "media", "ticker", f"comfyui-{node}", node)
    studio.wait_until(
        lambda: studio.rows("SELECT 1 FROM nodes_node WHERE capabilities_of <> ''"), "the node is known"
    )
    (name,) = [row["name"] for row in studio.rows("SELECT name FROM nodes_node")]
    asked = studio.coordinate(ASK.format(node=name, template="wan22_i2v"))
    assert asked["state"] == "waiting"
    studio.wait_until(
        lambda: studio.states("renders_proof") in (["proven"], ["failed"]), "the golden render has ended"
    )
    (shown,) = [one for one in studio.coordinate(STANDING) if one["template"] == "wan22_i2v"]
    assert (shown["standing"], shown["simulated"]) == ("proven", True), shown["message"]
    assert studio.states("renders_job") == []
