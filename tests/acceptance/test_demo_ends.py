"""``make demo`` that is killed, stopped, refused, or lent a ComfyUI of no GPU: back to nothing each time."""

from __future__ import annotations

import sqlite3

import pytest

from tests.acceptance.demo import StartDemo, wait_until, wait_until_gone
from tests.comfysim_fixture import StartSim

# The demo brings its own SQLite.
pytestmark = [pytest.mark.timeout(400), pytest.mark.once]


def test_neither_killing_it_in_the_middle_nor_stopping_the_next_run_leaves_a_process(
    demo_in: StartDemo,
) -> None:
    demo = demo_in()
    wait_until(lambda: " jobs ·" in demo.output, demo)
    demo.process.kill()
    demo.process.wait(10)
    wait_until_gone(demo.folder)

    demo = demo_in(demo.folder)
    wait_until(lambda: " jobs ·" in demo.output, demo)
    demo.process.terminate()
    assert demo.finish(30) == 130
    wait_until_gone(demo.folder)


def test_an_unreachable_comfyui_is_named_before_anything_starts(demo_in: StartDemo) -> None:
    demo = demo_in(COMFYUI_URL="http://127.0.0.1:1")
    assert demo.finish(60) == 1
    wait_until_gone(demo.folder)
    assert "COMFYUI_URL is 'http://127.0.0.1:1'" in demo.output
    assert not demo.folder.exists()


@pytest.mark.long
def test_a_comfyui_without_a_gpu_renders_a_slate_of_every_shot(
    demo_in: StartDemo, comfysim: StartSim
) -> None:
    server = comfysim(vram=0)
    demo = demo_in(COMFYUI_URL=server.url, DEMO_EXIT="1")
    assert demo.finish() == 0, demo.output
    assert demo.summary["takes"] == 24
    with sqlite3.connect(demo.folder / "shotfarm.sqlite3") as database:
        rows = database.execute("SELECT DISTINCT template, node FROM review_take").fetchall()
        queues = database.execute("SELECT DISTINCT queue FROM renders_attempt").fetchall()
    assert rows == [("plain_slate v1", "gpu1")]
    assert {queue for (queue,) in queues} <= {"vram.0", "vram.0.next"}
