"""A node that keeps failing, with real processes: blocked, probed, and asked whether it hears."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.acceptance.farm_fixture import Farm

pytestmark = pytest.mark.production

MakeFarm = Callable[..., Farm]

CORE = ("broker", "coordinator", "media", "ticker")
RAISES = (
    *("--seconds-per-step", "0", "--model-load-seconds", "0"),
    *("--fault", "fail:node=KSampler,times=always"),
)
"""Every graph that samples raises; a probe, which only blurs a picture, renders."""


@pytest.mark.long
def test_a_node_that_fails_two_jobs_is_sick_until_its_probe_and_the_template_stays_blocked(
    farm: MakeFarm,
) -> None:
    studio = farm(vram=[8], knobs=RAISES)
    node = studio.plan.nodes[0].name
    studio.start(*CORE, f"comfyui-{node}", node)
    studio.submit(shots=2, step="template='sd15_t2i', width=512, height=288", key="raises")

    def told(machine: str) -> list[str]:
        query = "SELECT to_state FROM common_stateevent WHERE machine = %s ORDER BY id"
        return [row["to_state"] for row in studio.rows(query, machine)]

    studio.wait_until(lambda: "sick" in told("node_health"), "the node is concluded sick")
    studio.wait_until(lambda: told("node_health")[-1] == "well", "its probe rendered")
    studio.wait_until(lambda: "blocked" in told("node_block"), "the pair is blocked")
    assert studio.rows("SELECT failures FROM renders_nodeblock WHERE until IS NOT NULL")[0]["failures"] >= 3
    studio.submit(shots=1, step="template='sd15_t2i', width=512, height=288", key="waits")
    studio.wait_until(
        lambda: studio.rows("SELECT 1 FROM renders_lane WHERE wait_code = 'blocked'"), "the job says why"
    )
    heard = "SELECT canary_heard_at FROM nodes_node WHERE canary_heard_at IS NOT NULL"
    studio.wait_until(lambda: studio.rows(heard), "idle while work waits, it was asked and has heard")
    assert studio.rows("SELECT health FROM nodes_node")[0]["health"] == "well"
