"""A staged prompt makes way, or begins meanwhile and is rendered: nothing in between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
import requests

from tests.comfysim_fixture import StartSim
from tests.integration.comfy.attempt import Render, picture, sleep
from tests.integration.workers.waiting import until
from workers.comfy.errors import Interrupted, MadeWay
from workers.comfy.standing import Ending, State
from workers.comfysim.versions import VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_a_staged_prompt_makes_way_and_the_running_one_is_not_disturbed(
    comfysim: StartSim, version: str
) -> None:
    sim = comfysim(comfyui_version=version)
    runs, staged = Render(sim.url, picture(sleep(2))), Render(sim.url, picture(), makes_way=lambda: True)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(runs.run)
        assert runs.heard.executing.wait(30)

        with pytest.raises(MadeWay):
            staged.run()

        assert not running.done()
        assert running.result().outputs
    assert staged.client.lookup(staged.prompt_id).state is State.UNKNOWN


@pytest.mark.parametrize("version", VERSIONS)
def test_a_prompt_that_begins_while_its_withdrawal_is_on_the_way_is_rendered(
    comfysim: StartSim, version: str
) -> None:
    sim = comfysim(comfyui_version=version, faults=["slow:path=POST /queue,ms=3000"])
    asked = Event()
    runs = Render(sim.url, picture(sleep(60)))
    staged = Render(sim.url, picture(sleep(5)), makes_way=asked.is_set)
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(runs.run)
        assert runs.heard.executing.wait(30)
        waiting = pool.submit(staged.run)
        until(lambda: len(staged.client.queue().pending) == 1)

        asked.set()
        until(lambda: sim.acted().get("slow"))  # the withdrawal is held up; meanwhile its turn comes
        requests.post(f"{sim.url}/interrupt", json={"prompt_id": runs.prompt_id}, timeout=10)

        assert waiting.result().outputs
        assert isinstance(running.exception(), Interrupted)
    assert sim.acted()["slow"] == 1
    assert staged.client.lookup(staged.prompt_id).ending is Ending.SUCCEEDED
