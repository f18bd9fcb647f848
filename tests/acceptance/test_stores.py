"""Farms whose nodes share no disk with the coordinator, with real processes: over HTTP, and on S3."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests

from farm.contracts import STORE_MARKER
from tests.acceptance.farm_fixture import Farm
from tests.cutting_proxy import CuttingProxy
from tests.s3_fixture import Bucket
from tests.small_disk_fixture import SmallDisk, fill

pytestmark = pytest.mark.production

MakeFarm = Callable[..., Farm]

STEP = "template='sd15_t2i', width=768, height=768"
SLATE = "template='plain_slate'"
CORE = ("broker", "coordinator", "media", "ticker")
KNOBS = ("--seconds-per-step", "0.2", "--model-load-seconds", "0")


def everything(studio: Farm) -> list[str]:
    nodes = [name for node in studio.plan.nodes for name in (f"comfyui-{node.name}", node.name)]
    return [*CORE, "web", *nodes]


def takes_are_ready(studio: Farm, count: int) -> bool:
    rows = studio.rows("SELECT media_state FROM review_take")
    return [row["media_state"] for row in rows] == ["ready"] * count


def originals(studio: Farm) -> list[Any]:
    return studio.rows(
        "SELECT id, key, sha256, bytes FROM review_artifact WHERE role = 'primary' ORDER BY key"
    )


def through_web(studio: Farm, artifact: UUID, asked: str) -> bytes:
    """Fetch a piece of a take's file as a user of the API does."""
    login = requests.post(
        f"{studio.plan.web_url}/api/v1/auth/login", auth=("admin", studio.home.secrets.admin), timeout=30
    )
    answer = requests.get(
        f"{studio.plan.web_url}/api/v1/artifacts/{artifact}/file",
        headers={"Authorization": f"Token {login.json()['token']}", "Range": asked},
        timeout=30,
    )
    assert answer.status_code == 206, answer.text
    return answer.content


@pytest.fixture
def lines() -> Iterator[list[CuttingProxy]]:
    made: list[CuttingProxy] = []
    yield made
    for line in made:
        line.close()


def test_a_node_without_a_shared_folder_uploads_through_web_although_the_line_is_cut(
    farm: MakeFarm, lines: list[CuttingProxy]
) -> None:
    def through_a_line(web_port: int) -> str:
        lines.append(CuttingProxy(web_port))
        return lines[0].url

    studio = farm(vram=[8], knobs=KNOBS, node_store=through_a_line)
    (line,) = lines
    studio.start(*everything(studio))
    studio.submit(shots=1, step=SLATE, key="slate")  # its input comes down the same line
    studio.wait_until(lambda: takes_are_ready(studio, 1), "the slate is ready")
    line.cut_after_sent(40_000)  # more than the store's marker is asked for in minutes: it is the file
    studio.submit(shots=1, step=STEP, key="picture")
    studio.wait_until(lambda: takes_are_ready(studio, 2), "both takes are ready")
    assert line.cuts == 1, "the line was not cut"
    for original in originals(studio):
        assert original["bytes"] > 40_000
        content = (studio.home.artifacts / original["key"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == original["sha256"]
    assert not list((studio.home.artifacts / ".uploads").rglob("*.part"))
    attempts = studio.rows("SELECT state FROM renders_attempt")
    assert [row["state"] for row in attempts] == ["succeeded"] * 2, "it was rendered again"
    log = (studio.home.logs / f"{studio.plan.nodes[0].name}.log").read_text()
    assert re.search(r"artifact store failed, trying again.*PUT files/", log)


def test_a_farm_keeps_its_artifacts_on_s3(farm: MakeFarm, bucket: Bucket) -> None:
    studio = farm(vram=[8], knobs=KNOBS, store=bucket.url)
    studio.start(*everything(studio))
    studio.submit(shots=1, step=SLATE, key="slate")
    studio.submit(shots=2, step=STEP, key="pictures")
    studio.wait_until(lambda: takes_are_ready(studio, 3), "every take is ready")
    assert not (studio.home.artifacts / "attempts").exists()
    assert not (studio.home.artifacts / "takes").exists()
    for original in originals(studio):
        content = bucket.files.cat_file(f"{bucket.url}/{original['key']}")
        assert hashlib.sha256(content).hexdigest() == original["sha256"]
    original = originals(studio)[0]
    whole = bucket.files.cat_file(f"{bucket.url}/{original['key']}")
    assert through_web(studio, UUID(original["id"]), "bytes=1000-1999") == whole[1000:2000]
    folders = {Path(original["key"]).parent for original in originals(studio)}
    assert {f"{folder}/manifest.json" for folder in folders} <= set(bucket.keys())


@pytest.mark.long
def test_a_job_waits_while_the_store_is_full_and_is_rendered_when_there_is_room(
    farm: MakeFarm, small_disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = small_disk(32)
    studio = farm(
        vram=[8],
        knobs=(*KNOBS, "--faults"),
        store=str(disk),
        node_store=lambda web_port: f"http://127.0.0.1:{web_port}",
        env={"SHOTFARM_MIN_FREE_MB": "8"},
    )
    studio.start(*everything(studio))
    studio.wait_until((disk / STORE_MARKER).exists, "the store is marked")
    studio.arm(0, "hang:node=SaveImage")
    studio.submit(shots=1, step=STEP, key="full")
    studio.wait_until(lambda: studio.comfyui(0, "/queue")["queue_running"], "ComfyUI executes the prompt")
    ballast = fill(disk)
    assert os.statvfs(disk).f_bavail == 0
    studio.arm(0)
    studio.wait_until(lambda: studio.states() == ["ready"], "the job is ready again")
    attempt = studio.rows(
        "SELECT state, counted, failure_class, failure_message FROM renders_attempt ORDER BY number"
    )[0]
    assert (attempt["state"], attempt["failure_class"], attempt["counted"]) == ("failed", "infrastructure", 0)
    assert "artifact store is full; make room there" in attempt["failure_message"]
    assert list(disk.rglob("*.png*")) == []
    says = studio.wait_until(
        lambda: studio.rows("SELECT reason FROM nodes_node WHERE observed = 'deaf'"), "the node is deaf"
    )
    assert "artifact store is full; make room there" in says[0]["reason"]
    ballast.unlink()
    studio.wait_until(lambda: takes_are_ready(studio, 1), "the take is ready")
    attempts = studio.rows("SELECT state, counted FROM renders_attempt ORDER BY number")
    assert [row["state"] for row in attempts].count("succeeded") == 1
    assert attempts[-1]["state"] == "succeeded"
    assert not any(row["counted"] for row in attempts), "the farm's failure was taken off the job's budget"
