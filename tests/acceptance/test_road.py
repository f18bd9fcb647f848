"""The road with real processes: broker, coordinator, ticker, GPU workers, Flower, stand-in ComfyUI."""

from __future__ import annotations

import os
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from tests.acceptance.farm_database import Row
from tests.acceptance.farm_fixture import Farm, Prepared, farms

CORE = ("broker", "coordinator", "media", "ticker")
KNOBS = ("--seconds-per-step", "0.1", "--model-load-seconds", "0", "--faults")


@pytest.fixture(scope="module")
def studio(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """One farm for all these tests (sharing_out.py): each has a batch of its own."""
    with farms(prepared, tmp_path_factory.mktemp("road")) as make:
        studio = make(vram=[8], knobs=KNOBS)
        studio.start(*CORE, *node_processes(studio))
        yield studio


def node_processes(farm: Farm) -> list[str]:
    return [name for node in farm.plan.nodes for name in (f"comfyui-{node.name}", node.name)]


@dataclass(frozen=True)
class Batch:
    """What a test asked for, and what became of it."""

    studio: Farm
    code: str

    def jobs(self) -> list[str]:
        """Every job's state."""
        return [row["state"] for row in self._rows("SELECT state FROM renders_job WHERE {this}")]

    def attempts(self) -> list[Row]:
        return self._rows(
            "SELECT id, state, holds_slot FROM renders_attempt "
            "WHERE job_id IN (SELECT id FROM renders_job WHERE {this})"
        )

    def takes(self) -> list[Row]:
        return self._rows(
            "SELECT id, media_state FROM review_take "
            "WHERE job_id IN (SELECT id FROM renders_job WHERE {this})"
        )

    def takes_are_ready(self, count: int) -> bool:
        return [take["media_state"] for take in self.takes()] == ["ready"] * count

    def _rows(self, query: str) -> list[Row]:
        this = "batch_id IN (SELECT id FROM renders_renderbatch WHERE code = %s)"
        return self.studio.rows(query.format(this=this), self.code)


def submitted(studio: Farm, *, seed: int, shots: int = 1, template: str = "sd15_t2i") -> Batch:
    """A batch of small pictures. ComfyUI would answer from its cache what has a seed that it knows."""
    step = f"template={template!r}, width=512, height=288, seed={seed}"
    return Batch(studio, studio.submit(shots=shots, step=step, key=f"seed {seed}"))


@pytest.mark.long
def test_the_farm_runs_on_the_database_that_this_run_tests(studio: Farm) -> None:
    vendor = "sqlite" if os.environ["SHOTFARM_TEST_DB"] == "sqlite" else "postgresql"
    assert studio.coordinate("from django.db import connection\nanswer(connection.vendor)") == vendor
    assert len(studio.rows("SELECT id FROM accounts_user WHERE username = %s", "admin")) == 1


@pytest.mark.long
def test_flower_shows_queue_node_success_and_readable_arguments_to_who_logs_in(studio: Farm) -> None:
    studio.start("flower")
    tasks_url = f"{studio.plan.flower_url}/api/tasks"
    login = f"admin:{studio.home.secrets.flower}"

    def flower_answers() -> bool:
        try:
            studio.get(tasks_url, login=login)
        except urllib.error.URLError:
            return False
        return True

    studio.wait_until(flower_answers, "Flower answers")
    batch = submitted(studio, seed=1)
    studio.wait_until(lambda: batch.jobs() == ["succeeded"], "the job has succeeded")
    (attempt,) = batch.attempts()

    def render_task() -> dict[str, Any] | None:
        task: dict[str, Any] | None = studio.get(tasks_url, login=login).get(str(UUID(attempt["id"])))
        return task if task and task["state"] == "SUCCESS" else None

    task = studio.wait_until(render_task, "Flower shows the render as SUCCESS")
    assert task["name"] == "shotfarm.render"
    assert task["routing_key"] == "vram.8"
    assert task["worker"].startswith("gpu8-sim@")
    assert task["args"].startswith("SQ010_SH0010 keyframe take 1 · sd15_t2i · 8 GB")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        studio.get(tasks_url)
    studio.rest("flower")


@pytest.mark.long
def test_a_take_comes_once_from_one_render_when_the_bell_is_lost(studio: Farm) -> None:
    rendered = studio.comfyui(0, "/history").keys()
    studio.arm(0, "hang:node=SaveImage")
    batch = submitted(studio, seed=2)
    studio.wait_until(lambda: batch.jobs() == ["running"], "the job runs")
    studio.rest("coordinator")
    studio.arm(0)
    studio.wait_until(
        lambda: studio.comfyui(0, "/history").keys() - rendered, "ComfyUI has finished the prompt"
    )
    attempt = UUID(batch.attempts()[0]["id"])
    studio.wait_until(
        lambda: "SUCCESS" in str(studio.redis.get(f"celery-task-meta-{attempt}")), "the report is stored"
    )
    studio.wait_until(lambda: studio.redis.llen("reports"), "the bell has rung")
    studio.redis.delete("reports")  # every word to the coordinator is lost, the bell among them
    studio.start("coordinator")
    studio.wait_until(lambda: batch.jobs() == ["succeeded"], "the job has succeeded")
    studio.wait_until(lambda: batch.takes_are_ready(1), "the take is ready")
    assert [one["state"] for one in batch.attempts()] == ["succeeded"]
    assert len(studio.comfyui(0, "/history").keys() - rendered) == 1


@pytest.mark.long
def test_cancelling_a_render_interrupts_comfyui(studio: Farm) -> None:
    rendered = studio.comfyui(0, "/history").keys()
    # It stands still until an interrupt has come; its sampler does not hear that one, the node after it does.
    studio.arm(0, "hang:at=step", "deaf")
    batch = submitted(studio, seed=3)
    studio.wait_until(lambda: studio.comfyui(0, "/queue")["queue_running"], "ComfyUI executes the prompt")
    cancel = "from apps.accounts.models import User; from apps.renders.models import Job\n"
    cancel += "from apps.renders.services.control import cancel\n"
    cancel += f"job = Job.objects.get(batch__code={batch.code!r})\n"
    assert studio.coordinate(cancel + "answer(cancel(job, user=User.objects.get(username='admin')))")
    studio.wait_until(lambda: studio.comfyui(0, "/simulated/faults")["deaf"], "an interrupt has come")
    studio.arm(0)
    studio.wait_until(lambda: not studio.comfyui(0, "/queue")["queue_running"], "ComfyUI has stopped")
    history = studio.comfyui(0, "/history")
    (prompt,) = history.keys() - rendered
    assert history[prompt]["status"]["messages"][-1][0] == "execution_interrupted"
    studio.wait_until(lambda: [one["holds_slot"] for one in batch.attempts()] == [0], "the node confirms")
    assert batch.jobs() == ["cancelled"]
    assert batch.takes() == []


@pytest.mark.long
def test_everything_is_kept_when_everything_is_restarted(studio: Farm) -> None:
    batch = submitted(studio, seed=4, shots=4)
    studio.wait_until(lambda: "succeeded" in batch.jobs(), "the first job has succeeded")
    before = {take["id"] for take in batch.takes()}
    studio.rest()
    assert set(batch.jobs()) != {"succeeded"}, "all was done before the restart: make it slower"
    studio.start(*CORE, *node_processes(studio))
    studio.wait_until(lambda: batch.jobs() == ["succeeded"] * 4, "every job has succeeded", patience_s=150)
    studio.wait_until(lambda: batch.takes_are_ready(4), "every take is ready")
    assert before <= {take["id"] for take in batch.takes()}


@pytest.mark.long
def test_a_job_bigger_than_every_node_waits_and_says_why(studio: Farm) -> None:
    batch = submitted(studio, seed=5, template="flux_t2i")
    reason = "from apps.renders.models import Job; from apps.renders.selectors import wait_sentence\n"
    studio.wait_until(
        lambda: studio.rows("SELECT 1 FROM renders_lane WHERE wait_code = 'too_big'"),
        "the dispatcher says why",
    )
    sentence = studio.coordinate(
        reason + f"answer(wait_sentence(Job.objects.get(batch__code={batch.code!r})))"
    )
    assert "GB on one GPU; the largest node here has 8 GB" in sentence
    assert batch.jobs() == ["ready"]
    assert batch.attempts() == []
