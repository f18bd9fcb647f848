"""The client against the stand-in ComfyUI: every road a prompt can take."""

from __future__ import annotations

import io
from collections.abc import Iterator
from uuid import uuid4

import pytest
from PIL import Image

from tests.comfysim_fixture import ComfySim, StartSim
from tests.integration.comfy.attempt import Render, picture, sleep
from workers.comfy.client import ComfyClient, Graph
from workers.comfy.errors import (
    GraphRejected,
    InputMissing,
    Interrupted,
    MissingModel,
    MissingNodeClass,
    OutOfMemory,
    OutputMissing,
    TimedOut,
    Vanished,
)
from workers.comfy.progress import ProgressSocket
from workers.comfy.standing import State


@pytest.fixture
def sim(comfysim: StartSim) -> Iterator[ComfySim]:
    sim: ComfySim = comfysim()
    yield sim
    sim.stop()


def test_a_picture_is_rendered_and_read_back(sim: ComfySim) -> None:
    render = Render(sim.url, picture(("ImageInvert", {}), sleep(0.2)))

    (file,) = render.run().outputs

    with render.client.open_output(file) as chunks:
        shown = Image.open(io.BytesIO(b"".join(chunks)))
    assert shown.size == (64, 48)
    assert shown.getpixel((0, 0)) == (255, 255, 0)
    assert render.heard.said == ["queued", "started"]
    assert render.heard.fractions == sorted(render.heard.fractions)
    assert render.heard.fractions[-1] == 1


def test_a_fully_cached_graph_still_ends(sim: ComfySim) -> None:
    graph = picture()

    assert Render(sim.url, graph).run().outputs == Render(sim.url, graph).run().outputs


def test_a_running_prompt_is_cancelled_and_the_next_one_runs(sim: ComfySim) -> None:
    render = Render(sim.url, picture(sleep(60)))
    render.should_stop = render.heard.executing.is_set

    with pytest.raises(Interrupted, match="as asked"):
        render.run()

    assert render.client.queue().running == ()
    assert Render(sim.url, picture(color=7)).run().outputs


def test_a_waiting_prompt_is_cancelled_and_the_running_one_goes_on(sim: ComfySim) -> None:
    running = ComfyClient(sim.url, client_id="first")
    first = str(uuid4())
    running.submit(picture(sleep(60)), first)
    waiting = Render(sim.url, picture(), should_stop=lambda: True)

    with pytest.raises(Interrupted, match="as asked"):
        waiting.run()

    assert waiting.heard.said == ["queued"]
    assert running.lookup(waiting.prompt_id).state is State.UNKNOWN
    assert running.lookup(first).state is State.RUNNING
    running.cancel(first)


def test_execution_beyond_its_time_is_interrupted(sim: ComfySim) -> None:
    render = Render(sim.url, picture(sleep(60)), execution_timeout_s=0.5)

    with pytest.raises(TimedOut):
        render.run()

    assert render.client.queue().running == ()


def test_out_of_memory_names_the_node(sim: ComfySim) -> None:
    with pytest.raises(OutOfMemory) as failed:
        Render(sim.url, picture(("RecRaise", {"kind": "oom"}))).run()

    assert (failed.value.node_id, failed.value.node_type) == ("2", "RecRaise")
    assert failed.value.exception_type == "torch.OutOfMemoryError"


@pytest.mark.parametrize(
    ("graph", "error", "words"),
    [
        (picture(("NoSuchNode", {})), MissingNodeClass, "NoSuchNode"),
        (picture(("ImageScale", {"upscale_method": "bogus"})), GraphRejected, "upscale_method"),
    ],
)
def test_a_graph_that_cannot_run_is_refused_at_once(
    sim: ComfySim, graph: Graph, error: type[GraphRejected], words: str
) -> None:
    with pytest.raises(error, match=words):
        Render(sim.url, graph).run()


def test_a_model_that_the_server_lacks_is_missing(sim: ComfySim) -> None:
    graph = picture()
    graph["20"] = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "nobody.safetensors"}}
    graph["21"] = {"class_type": "VAEDecode", "inputs": {"samples": ["22", 0], "vae": ["20", 2]}}
    graph["22"] = {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}}
    graph["9"]["inputs"]["images"] = ["21", 0]

    with pytest.raises(MissingModel, match=r"nobody\.safetensors"):
        Render(sim.url, graph).run()


def test_an_uploaded_picture_is_loaded_under_the_name_that_came_back(sim: ComfySim) -> None:
    content = io.BytesIO()
    Image.new("RGB", (32, 32), (9, 8, 7)).save(content, "PNG")
    client = ComfyClient(sim.url, client_id="uploader")
    name = client.upload("shotfarm/0a1b.png", io.BytesIO(content.getvalue()))
    other = client.upload("shotfarm/0a1b.png", io.BytesIO(b"other bytes"))
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": name}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "up"}},
    }

    assert name == "shotfarm/0a1b.png"
    assert other != name
    assert Render(sim.url, graph).run().outputs


def test_an_input_that_was_never_uploaded_is_missing(sim: ComfySim) -> None:
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "nowhere.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "up"}},
    }

    with pytest.raises(InputMissing, match=r"nowhere\.png"):
        Render(sim.url, graph).run()


def test_a_cached_file_that_was_deleted_is_missing(sim: ComfySim) -> None:
    graph = picture()
    Render(sim.url, graph).run()
    for saved in (sim.base_dir / "output").rglob("*.png"):
        saved.unlink()
    again = Render(sim.url, graph)
    (file,) = again.run().outputs

    with pytest.raises(OutputMissing), again.client.open_output(file):
        pass


def test_a_socket_that_is_taken_over_loses_no_end(sim: ComfySim) -> None:
    render = Render(sim.url, picture(sleep(1)))
    thief = ComfyClient(sim.url, client_id=render.client.client_id)

    def steal() -> bool:
        if render.heard.executing.is_set() and not thieves:
            thieves.append(ProgressSocket(thief, render.prompt_id))
            thieves[0].__enter__()
        return False

    thieves: list[ProgressSocket] = []
    render.should_stop = steal

    assert render.run().outputs
    thieves[0].__exit__(None, None, None)


def test_a_prompt_does_not_survive_comfyuis_death(comfysim: StartSim) -> None:
    sim = comfysim(process=True, arguments=("--test-nodes",))
    render = Render(sim.url, picture(sleep(60)))

    def kill() -> bool:
        if render.heard.executing.is_set() and sim.process.poll() is None:
            sim.process.kill()
            sim.process.wait()
            arguments = ("--test-nodes", "--port", str(sim.port))
            comfysim(process=True, arguments=arguments)
        return False

    render.should_stop = kill

    with pytest.raises(Vanished, match="restarted"):
        render.run()


def test_what_a_server_has_is_told(sim: ComfySim) -> None:
    client = ComfyClient(sim.url, client_id="asking")

    assert client.system_stats()["system"]["comfyui_version"]
    assert client.models()["checkpoints"]
    assert set(client.object_info("KSampler")) == {"KSampler"}
    assert client.object_info("NoSuchNode") == {}
    client.free()
