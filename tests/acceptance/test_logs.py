"""One job, followed by its id through the log files of every process of a real farm."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.farm_fixture import Farm

pytestmark = pytest.mark.production

TOKEN = """
from knox.models import AuthToken
from apps.accounts.models import User
answer(AuthToken.objects.create(user=User.objects.get(username="admin"))[1])
"""
STORY = """
import io
from django.core.management import call_command
out = io.StringIO()
call_command("job_story", {job!r}, "--json", "--logs", {folder!r}, stdout=out)
answer([json.loads(line) for line in out.getvalue().splitlines()])
"""
SIGNALLED = ("worker: Warm shutdown (MainProcess)", "worker: Cold shutdown (MainProcess)")
"""Celery writes these from inside its signal handler, where nobody may log."""
OURS = ("web", "coordinator", "media", "ticker", "gpu8-sim")


def _post(url: str, body: dict[str, Any], token: str) -> Any:
    headers = {
        "Authorization": f"Token {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": "followed",
        "X-Request-ID": "request-of-the-test",
    }
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.headers["X-Request-ID"], json.load(answer)


def _lines(farm: Farm, process: str) -> list[dict[str, Any]]:
    """Every line of a process's log file; all of them must be JSON."""
    text = (farm.home.logs / f"{process}.log").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip() and line not in SIGNALLED]


def test_one_jobs_id_is_found_in_the_logs_of_web_ticker_coordinator_node_and_media(
    farm: Callable[..., Farm],
) -> None:
    studio = farm(vram=[8], knobs=("--seconds-per-step", "0", "--model-load-seconds", "0"))
    studio.start(*(name for name in studio.supervisor.children if name != "notices"))
    token = studio.coordinate(TOKEN)

    def web_answers() -> bool:
        try:
            urllib.request.urlopen(f"{studio.plan.web_url}/healthz", timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    studio.wait_until(web_answers, "the web server answers")
    project = studio.rows("SELECT code FROM projects_project")[0]["code"]
    body = {
        "project": project,
        "shots": ["SQ010_SH0010"],
        "steps": [{"template": "sd15_t2i", "width": 512, "height": 288}],
    }
    request_id, batch = _post(f"{studio.plan.web_url}/api/v1/batches", body, token)
    assert request_id == "request-of-the-test"
    studio.wait_until(lambda: studio.states() == ["succeeded"], "the job has succeeded")
    studio.wait_until(
        lambda: studio.rows("SELECT 1 FROM review_take WHERE media_state = 'ready'"), "the take is ready"
    )
    code = studio.rows("SELECT code FROM renders_job")[0]["code"]
    story = studio.coordinate(STORY.format(job=code, folder=str(studio.home.logs)))
    studio.rest()

    job = next(iter(_told(studio, "ticker", "order sent")))["job"]
    for process in OURS:
        lines = _lines(studio, process)
        assert any(job in json.dumps(line) for line in lines), f"{process} never names the job"
        assert {line["process"] for line in lines} <= {process, "celery", "__main__", "manage"}
    assert _lines(studio, "flower")
    (submitted,) = _told(studio, "web", "jobs submitted")
    assert (submitted["request"], submitted["jobs"]) == ("request-of-the-test", [job])
    assert submitted["batch"] == batch["code"]
    (attempt,) = {line["attempt"] for line in _told(studio, "gpu8-sim", "order accepted")}
    assert all(line["job"] == job for line in _lines(studio, "gpu8-sim") if line.get("attempt") == attempt)

    sources = {moment["source"] for moment in story}
    assert {"event", "report", "gpu8-sim", "log web", "log ticker", "log coordinator", "log media"} <= sources
    texts = [moment["text"] for moment in story]
    at = [texts.index(text) for text in ("jobs submitted", "order sent", "prompt queued", "media ready")]
    assert at == sorted(at), "the story is not in order"

    for log in studio.home.logs.glob("*.log"):
        assert studio.home.secrets.broker not in log.read_text(errors="replace"), f"password in {log.name}"


def _told(farm: Farm, process: str, message: str) -> list[dict[str, Any]]:
    return [line for line in _lines(farm, process) if line["message"] == message]
