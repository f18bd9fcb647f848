"""Notices with real processes: what a render came to is told once, though who tells it is killed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.farm_fixture import Farm
from tests.integration.notices.receiver import Receiver

pytestmark = pytest.mark.production

MakeFarm = Callable[..., Farm]

CORE = ("broker", "coordinator", "media", "ticker", "comfyui-gpu8-sim", "gpu8-sim")
SMALL = "template='sd15_t2i', width=512, height=288"
UNHURRIED = ("--seconds-per-step", "0.2", "--model-load-seconds", "0")
SUBSCRIBE = """
from apps.accounts.models import User
from apps.notices.services.subscribing import subscribe
row, secret = subscribe(
    user=User.objects.get(username="admin"),
    kinds=["job.done", "batch.done"],
    road="webhook",
    url={url!r},
)
answer(secret)
"""


def sentences(studio: Farm) -> list[tuple[str, str]]:
    """Kind and code of what lies in inboxes."""
    rows = studio.rows("SELECT kind, code FROM notices_notice WHERE recipient_id IS NOT NULL")
    return [(row["kind"], row["code"]) for row in rows]


@pytest.mark.long
def test_what_was_rendered_is_told_once_though_the_teller_is_killed(farm: MakeFarm) -> None:
    studio = farm(vram=[8], knobs=UNHURRIED, env={"SHOTFARM_WEBHOOK_PRIVATE": "1"})
    with Receiver() as receiver:
        secret = studio.coordinate(SUBSCRIBE.format(url=receiver.url))
        studio.start(*CORE, "notices")
        batch = studio.submit(shots=3, step=SMALL, key="told")
        studio.wait_until(lambda: "succeeded" in studio.states(), "the first job has succeeded")
        studio.kill("notices")
        studio.wait_until(lambda: studio.states().count("succeeded") >= 2, "the second has succeeded")
        studio.wait_until(lambda: studio.runs("notices"), "the teller of notices is back")
        studio.kill("notices")
        studio.wait_until(lambda: studio.states() == ["succeeded"] * 3, "every job has succeeded")
        studio.wait_until(lambda: sentences(studio), "the end of the batch lies in the inbox")
        told: dict[str, dict[str, Any]] = {}

        def everything_came() -> bool:
            for request in list(receiver.received):
                told[request.headers["x-shotfarm-delivery"]] = json.loads(request.body)
            done = [item for message in told.values() for item in message["items"] if "job" in item]
            return len(done) >= 3 and any(message["event"] == "batch.done" for message in told.values())

        studio.wait_until(everything_came, "the webhook was told of every job and of the end")
        studio.wait_until(
            lambda: not studio.rows("SELECT 1 FROM notices_delivery WHERE state = %s", "pending"),
            "nothing is left to deliver",
        )
        everything_came()
    deaths = [line for line in studio.said if "notices" in line and "SIGKILL" in line]
    assert len(deaths) == 2, studio.said
    assert sentences(studio) == [("batch.done", batch)]
    codes = [item["code"] for message in told.values() for item in message["items"] if "job" in item]
    assert sorted(codes) == sorted(row["code"] for row in studio.rows("SELECT code FROM renders_job"))
    ends = [message for message in told.values() if message["event"] == "batch.done"]
    assert [message["text"] for message in ends] == [f"{batch} is done: 3 jobs rendered."]
    assert ends[0]["url"].startswith(studio.plan.web_url)
    log = (studio.home.logs / "notices.log").read_text()
    assert "delivery tried" in log
    assert secret not in log
