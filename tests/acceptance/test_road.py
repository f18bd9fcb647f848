"""The road with real processes: broker, coordinator, ticker, GPU workers, Flower, stand-in ComfyUI."""

from __future__ import annotations

import os
import urllib.error
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.acceptance.farm_fixture import Farm

SMALL = "template='sd15_t2i', width=512, height=288"
CORE = ("broker", "coordinator", "media", "ticker")
SLOW = ("--seconds-per-step", "1", "--model-load-seconds", "0")
QUICK = ("--seconds-per-step", "0", "--model-load-seconds", "0")

MakeFarm = Callable[..., Farm]


def node_processes(farm: Farm) -> list[str]:
    return [name for node in farm.plan.nodes for name in (f"comfyui-{node.name}", node.name)]


def takes_are_ready(farm: Farm, count: int) -> bool:
    return [row["media_state"] for row in farm.rows("SELECT media_state FROM review_take")] == [
        "ready"
    ] * count


def test_the_farm_runs_on_the_database_that_this_run_tests(farm: MakeFarm) -> None:
    studio = farm(vram=[8])
    vendor = "sqlite" if os.environ["SHOTFARM_TEST_DB"] == "sqlite" else "postgresql"
    assert studio.coordinate("from django.db import connection\nanswer(connection.vendor)") == vendor
    assert len(studio.rows("SELECT id FROM accounts_user WHERE username = %s", "admin")) == 1


def test_flower_shows_queue_node_success_and_readable_arguments_to_who_logs_in(farm: MakeFarm) -> None:
    studio = farm(vram=[8], knobs=QUICK)
    studio.start(*CORE, "flower", *node_processes(studio))
    tasks_url = f"{studio.plan.flower_url}/api/tasks"
    login = f"admin:{studio.home.secrets.flower}"

    def flower_answers() -> bool:
        try:
            studio.get(tasks_url, login=login)
        except urllib.error.URLError:
            return False
        return True

    studio.wait_until(flower_answers, "Flower answers")
    studio.submit(shots=1, step=SMALL, key="flower")
    studio.wait_until(lambda: studio.states() == ["succeeded"], "the job has succeeded")

    def render_task() -> dict[str, Any] | None:
        tasks = studio.get(tasks_url, login=login).values()
        found = [task for task in tasks if task["name"] == "shotfarm.render" and task["state"] == "SUCCESS"]
        return found[0] if found else None

    task = studio.wait_until(render_task, "Flower shows the render as SUCCESS")
    assert task["routing_key"] == "vram.8"
    assert task["worker"].startswith("gpu8-sim@")
    assert task["args"].startswith("SQ010_SH0010 keyframe take 1 · sd15_t2i · 8 GB")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        studio.get(tasks_url)


def test_a_take_comes_once_from_one_render_when_the_bell_is_lost(farm: MakeFarm) -> None:
    studio = farm(vram=[8], knobs=(*QUICK, "--faults"))
    studio.start(*CORE, *node_processes(studio))
    studio.arm(0, "hang:node=SaveImage")
    studio.submit(shots=1, step=SMALL, key="bell")
    studio.wait_until(lambda: studio.states() == ["running"], "the job runs")
    studio.rest("coordinator")
    studio.arm(0)
    studio.wait_until(lambda: studio.comfyui(0, "/history"), "ComfyUI has finished the prompt")
    attempt = UUID(studio.rows("SELECT id FROM renders_attempt")[0]["id"])
    studio.wait_until(
        lambda: "SUCCESS" in str(studio.redis.get(f"celery-task-meta-{attempt}")), "the report is stored"
    )
    studio.wait_until(lambda: studio.redis.llen("reports"), "the bell has rung")
    studio.redis.delete("reports")  # every word to the coordinator is lost, the bell among them
    studio.start("coordinator")
    studio.wait_until(lambda: studio.states() == ["succeeded"], "the job has succeeded")
    studio.wait_until(lambda: takes_are_ready(studio, 1), "the take is ready")
    assert studio.states("renders_attempt") == ["succeeded"]
    assert len(studio.comfyui(0, "/history")) == 1


@pytest.mark.long
def test_everything_is_kept_when_everything_is_restarted(farm: MakeFarm) -> None:
    studio = farm(vram=[8], knobs=("--seconds-per-step", "0.1", "--model-load-seconds", "0"))
    names = (*CORE, *node_processes(studio))
    studio.start(*names)
    studio.submit(shots=4, step=SMALL, key="restart")
    studio.wait_until(lambda: "succeeded" in studio.states(), "the first job has succeeded")
    before = {row["id"] for row in studio.rows("SELECT id FROM review_take")}
    studio.rest()
    assert set(studio.states()) != {"succeeded"}, "all was done before the restart: make it slower"
    studio.start(*names)
    studio.wait_until(lambda: studio.states() == ["succeeded"] * 4, "every job has succeeded", patience_s=150)
    studio.wait_until(lambda: takes_are_ready(studio, 4), "every take is ready")
    assert before <= {row["id"] for row in studio.rows("SELECT id FROM review_take")}


def test_a_job_bigger_than_every_node_waits_and_says_why(farm: MakeFarm) -> None:
    studio = farm(vram=[8], knobs=QUICK)
    studio.start(*CORE, *node_processes(studio))
    studio.submit(shots=1, step="template='flux_t2i', width=512, height=288", key="big")
    reason = "from apps.renders.models import Job; from apps.renders.selectors import wait_sentence\n"
    studio.wait_until(
        lambda: studio.rows("SELECT 1 FROM renders_lane WHERE wait_code = 'too_big'"),
        "the dispatcher says why",
    )
    sentence = studio.coordinate(reason + "answer(wait_sentence(Job.objects.get()))")
    assert "GB on one GPU; the largest node here has 8 GB" in sentence
    assert studio.states() == ["ready"]
    assert studio.rows("SELECT id FROM renders_attempt") == []


def test_cancelling_a_render_interrupts_comfyui(farm: MakeFarm) -> None:
    studio = farm(vram=[8], knobs=SLOW)
    studio.start(*CORE, *node_processes(studio))
    studio.submit(shots=1, step=SMALL, key="cancel")
    studio.wait_until(lambda: studio.comfyui(0, "/queue")["queue_running"], "ComfyUI executes the prompt")
    cancel = "from apps.accounts.models import User; from apps.renders.models import Job\n"
    cancel += "from apps.renders.services.control import cancel\n"
    assert studio.coordinate(
        cancel + "answer(cancel(Job.objects.get(), user=User.objects.get(username='admin')))"
    )
    studio.wait_until(lambda: not studio.comfyui(0, "/queue")["queue_running"], "ComfyUI has stopped")
    (prompt,) = studio.comfyui(0, "/history").values()
    assert prompt["status"]["messages"][-1][0] == "execution_interrupted"
    studio.wait_until(
        lambda: studio.rows("SELECT 1 FROM renders_attempt WHERE NOT holds_slot"), "the node confirms"
    )
    assert studio.states() == ["cancelled"]
    assert studio.rows("SELECT id FROM review_take") == []
