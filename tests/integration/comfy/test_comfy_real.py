"""The client, and the node's worker, against a real ComfyUI at COMFYUI_URL, with or without a GPU.

Its stock nodes are enough. COMFYUI_COMMAND, where set, starts another one that a test may kill; ``{port}`` in
it is replaced, such as in ``python /opt/ComfyUI/main.py --cpu --port {port}``.
"""

from __future__ import annotations

import io
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
import requests
from PIL import Image

from farm.contracts import OrderOutput, Outcome, ProbeResult
from tests.comfysim_fixture import free_port
from tests.integration.comfy.attempt import Render, picture
from tests.integration.workers.coordinator import order
from tests.integration.workers.node_farm import StartFarm, farm
from tests.integration.workers.waiting import until
from workers.catalogue import read_catalogue
from workers.comfy.client import ComfyClient, Graph
from workers.comfy.errors import (
    ConnectionCut,
    GraphRejected,
    InputMissing,
    InputUnreadable,
    Interrupted,
    MissingModel,
    MissingNodeClass,
    OutputMissing,
    OutputsDropped,
    TimedOut,
    Unreachable,
    Vanished,
)
from workers.comfy.progress import ProgressSocket
from workers.comfy.standing import Ending, State
from workers.comfy.stats import read_stats
from workers.probe import AskedProbe, Probe

__all__ = ["farm"]  # the fixture

URL = os.environ.get("COMFYUI_URL", "")
COMMAND = os.environ.get("COMFYUI_COMMAND", "")
START_S = 120
pytestmark = [
    pytest.mark.comfyui,
    pytest.mark.skipif(not URL, reason="set COMFYUI_URL to a real ComfyUI, such as http://127.0.0.1:8188"),
]


def new_color() -> int:
    """A colour that no earlier prompt had, so that nothing is taken from ComfyUI's cache."""
    return uuid4().int % 0xFFFFFF


def busy(nodes: int) -> Graph:
    """A picture that keeps any machine busy: frame after frame is scaled with Lanczos, node after node."""
    scaled = ("ImageScale", {"upscale_method": "lanczos", "height": 1536, "crop": "disabled"})
    between = [(scaled[0], {**scaled[1], "width": 1536 + node}) for node in range(nodes)]
    graph = picture(*between[:7], color=new_color())
    graph["1"]["inputs"]["batch_size"] = 8
    for number, (kind, inputs) in enumerate(between[7:], start=10):
        last = graph["9"]["inputs"]["images"]
        graph[str(number)] = {"class_type": kind, "inputs": {"image": last, **inputs}}
        graph["9"]["inputs"]["images"] = [str(number), 0]
    return graph


def clip() -> Graph:
    graph = picture(color=new_color())
    graph["1"]["inputs"]["batch_size"] = 9
    graph["2"] = {"class_type": "CreateVideo", "inputs": {"images": ["1", 0], "fps": 16.0}}
    save = {"video": ["2", 0], "filename_prefix": f"road/{uuid4().hex}", "format": "mp4", "codec": "h264"}
    graph["9"] = {"class_type": "SaveVideo", "inputs": save}
    return graph


@pytest.fixture
def client() -> Iterator[ComfyClient]:
    client = ComfyClient(URL, client_id=uuid4().hex)
    yield client
    client.close()


@pytest.fixture
def foreign(client: ComfyClient) -> Iterator[str]:
    """Somebody else's prompt, which runs for some seconds."""
    prompt_id = str(uuid4())
    client.submit(busy(30), prompt_id)
    until(lambda: prompt_id in client.queue().running)
    yield prompt_id
    until(lambda: client.cancel(prompt_id))


def content(client: ComfyClient, render: Render) -> bytes:
    (file,) = render.run().outputs
    with client.open_output(file) as chunks:
        return b"".join(chunks)


def test_a_real_server_renders_a_picture(client: ComfyClient) -> None:
    render = Render(URL, picture(("ImageInvert", {}), color=new_color()))

    assert Image.open(io.BytesIO(content(client, render))).size == (64, 48)
    assert render.heard.said == ["queued", "started"]
    assert render.heard.fractions[-1] == 1


def test_a_real_server_lists_a_clip_under_images() -> None:
    (file,) = Render(URL, clip()).run().outputs

    assert (file.kind, file.listed_under) == ("video", "images")


def test_a_fully_cached_graph_lists_its_file_until_it_is_gone(client: ComfyClient) -> None:
    graph = picture(color=new_color())

    assert Render(URL, graph).run().outputs == Render(URL, graph).run().outputs


def wrong(*, node: str = "9", **inputs: Any) -> Graph:
    graph = picture(("ImageInvert", {}), color=new_color())
    graph[node]["inputs"] |= inputs
    return graph


def loads(kind: str, **inputs: str) -> Graph:
    graph = picture(color=new_color())
    graph["20"] = {"class_type": kind, "inputs": inputs}
    if kind == "LoadImage":
        graph["9"]["inputs"]["images"] = ["20", 0]
        return graph
    graph["21"] = {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}}
    graph["22"] = {"class_type": "VAEDecode", "inputs": {"samples": ["21", 0], "vae": ["20", 2]}}
    graph["9"]["inputs"]["images"] = ["22", 0]
    return graph


def half_wrong() -> Graph:
    graph = busy(20)
    graph["99"] = {"class_type": "SaveImage", "inputs": {"filename_prefix": "without images"}}
    return graph


@pytest.mark.parametrize(
    ("graph", "error", "words"),
    [
        (picture(("NoSuchNode", {})), MissingNodeClass, "NoSuchNode"),
        (picture(("ImageScale", {"upscale_method": "bogus"})), GraphRejected, "upscale_method"),
        (wrong(node="1", width=0), GraphRejected, "smaller than min"),
        (wrong(images=["77", 0]), GraphRejected, "77"),
        (loads("CheckpointLoaderSimple", ckpt_name="nobody.safetensors"), MissingModel, "nobody"),
        (loads("LoadImage", image="nowhere.png"), InputMissing, r"nowhere\.png"),
        (half_wrong(), OutputsDropped, "SaveImage #99: Required input is missing"),
    ],
)
def test_a_graph_that_cannot_run_is_refused_in_a_real_servers_words(
    client: ComfyClient, graph: Graph, error: type[GraphRejected], words: str
) -> None:
    render = Render(URL, graph)

    with pytest.raises(error, match=words) as refused:
        render.run()

    assert type(refused.value) is error
    until(lambda: client.lookup(render.prompt_id).state in (State.UNKNOWN, State.DONE))


def test_an_uploaded_picture_is_loaded_and_a_broken_one_is_named(client: ComfyClient) -> None:
    drawn = io.BytesIO()
    Image.effect_noise((32, 24), 50).convert("RGB").save(drawn, "PNG")
    name = f"shotfarm/{uuid4().hex}.png"

    assert client.upload(name, io.BytesIO(drawn.getvalue())) == name
    other = client.upload(name, io.BytesIO(drawn.getvalue()[:20]))
    assert other != name
    loaded = content(client, Render(URL, loads("LoadImage", image=name)))
    assert Image.open(io.BytesIO(loaded)).size == (32, 24)
    with pytest.raises(InputUnreadable):
        Render(URL, loads("LoadImage", image=other)).run()


def test_a_running_prompt_is_cancelled_and_the_next_one_runs(client: ComfyClient) -> None:
    render = Render(URL, busy(60))
    render.should_stop = render.heard.executing.is_set

    with pytest.raises(Interrupted, match="as asked"):
        render.run()

    assert render.prompt_id not in client.queue().running
    assert client.lookup(render.prompt_id).ending is Ending.INTERRUPTED
    assert Render(URL, picture(color=new_color())).run().outputs


def test_execution_beyond_its_time_is_interrupted(client: ComfyClient) -> None:
    render = Render(URL, busy(60), execution_timeout_s=0.5)

    with pytest.raises(TimedOut):
        render.run()

    assert client.queue().running == ()


def test_what_waits_is_cancelled_and_what_runs_is_left_alone(client: ComfyClient, foreign: str) -> None:
    waiting = Render(URL, picture(), should_stop=lambda: True)

    with pytest.raises(Interrupted, match="as asked"):
        waiting.run()

    assert client.lookup(foreign).state is State.RUNNING
    assert client.lookup(waiting.prompt_id).state is State.UNKNOWN


def test_a_prompt_behind_somebody_elses_is_waited_for(client: ComfyClient) -> None:
    first = str(uuid4())
    client.submit(busy(4), first)
    render = Render(URL, picture(color=new_color()))

    assert render.run().queued_s > 0
    assert render.heard.said == ["queued", "started"]
    assert client.lookup(first).ending is Ending.SUCCEEDED


def test_a_stolen_socket_loses_no_end() -> None:
    render = Render(URL, busy(6))
    thief = ComfyClient(URL, client_id=render.client.client_id)
    stolen: list[ProgressSocket] = []

    def steal() -> bool:
        if render.heard.executing.is_set() and not stolen:
            stolen.append(ProgressSocket(thief, render.prompt_id))
            stolen[0].__enter__()
        return False

    render.should_stop = steal

    assert render.run().outputs
    stolen[0].__exit__(None, None, None)


def test_a_post_whose_answer_is_lost_is_executed_once(
    client: ComfyClient, foreign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    posts, post = [], client.wire.post

    def lossy(path: str, body: object) -> requests.Response:
        response = post(path, body)
        posts.append(path)
        if posts == ["/prompt"]:
            raise ConnectionCut("the answer was lost")
        return response

    monkeypatch.setattr(client.wire, "post", lossy)
    prompt_id = str(uuid4())
    client.submit(picture(color=new_color()), prompt_id)

    assert posts == ["/prompt"]
    assert client.queue().pending.count(prompt_id) == 1
    assert client.cancel(prompt_id)


def test_a_file_that_a_real_server_does_not_have_is_missing(client: ComfyClient) -> None:
    render = Render(URL, picture(color=new_color()))
    (file,) = render.run().outputs
    gone = type(file)(**{**vars(file), "filename": "never-rendered.png"})

    with pytest.raises(OutputMissing, match="404"), client.open_output(gone):
        pass


def test_a_real_server_tells_what_it_has(client: ComfyClient) -> None:
    assert client.system_stats()["devices"]
    assert "checkpoints" in client.models()
    assert client.object_info("NoSuchNode") == {}
    assert client.upload_limit() is not None
    assert client.lookup(str(uuid4())).state is State.UNKNOWN
    client.free()


def test_a_worker_renders_on_a_real_server(farm: StartFarm) -> None:
    here = farm(env={"COMFYUI_URL": URL})
    wanted = OrderOutput(node="9", kind="video", width=64, height=48, frames=9, fps=16.0)

    report = here.render(order(clip(), outputs=(wanted,)), "vram.0")

    assert (report.outcome, report.simulated) == (Outcome.SUCCEEDED, False)
    assert (report.artifacts[0].kind, report.artifacts[0].frames) == ("video", 9)


def test_a_real_server_tells_from_its_cache_what_it_remembers(client: ComfyClient) -> None:
    """By default the last prompt only: that is what the book of resident models learns from."""
    first, other = picture(color=new_color()), picture(color=new_color())
    cached = []
    for graph in (first, first, other, first):
        graph["9"]["inputs"]["filename_prefix"] = f"road/{uuid4().hex}"
        render = Render(URL, graph)
        render.run()
        cached.append("1" in render.heard.cached_nodes)

    assert cached == [False, True, False, False]


def test_a_waiting_prompt_is_withdrawn_from_a_real_server_and_a_running_one_goes_on(
    client: ComfyClient,
) -> None:
    running, waiting = str(uuid4()), str(uuid4())
    client.submit(busy(9), running)
    until(lambda: running in client.queue().running)
    client.submit(picture(color=new_color()), waiting)

    for prompt_id in (waiting, running):
        client.withdraw(prompt_id)

    assert client.lookup(waiting).state is State.UNKNOWN
    assert client.lookup(running).state in (State.RUNNING, State.DONE)
    until(lambda: client.lookup(running).state is State.DONE, timeout_s=120)
    assert client.lookup(running).ending is Ending.SUCCEEDED


def test_a_probe_renders_on_a_real_server(client: ComfyClient) -> None:
    asked = AskedProbe(Probe(client))

    until(lambda: asked.get_on("p1", busy=False))

    assert asked.result == ProbeResult(id="p1", ok=True)


def test_a_real_servers_catalogue_is_read(client: ComfyClient) -> None:
    listed = client.models(as_listed=True)
    sizes = client.model_sizes(folder for folder, names in listed.items() if names)
    catalogue = read_catalogue(client.object_info(), listed, sizes)
    stats = read_stats(client.system_stats())

    assert {"KSampler", "ImageBlur"} <= set(catalogue.capabilities.classes)
    assert set(sizes) <= {f"{folder}/{name}" for folder, names in listed.items() for name in names}
    assert "custom_nodes" not in catalogue.capabilities.models
    assert stats.room is not None
    assert stats.system.ram_free is not None


@contextmanager
def server_of_ones_own(port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = shlex.split(COMMAND.format(port=port))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    asking = ComfyClient(f"http://127.0.0.1:{port}", client_id="asking")
    try:
        until(lambda: answers(asking), timeout_s=START_S)
        yield process
    finally:
        process.kill()
        process.wait()
        asking.close()


def answers(client: ComfyClient) -> bool:
    try:
        return bool(client.system_stats())
    except Unreachable:
        return False


@pytest.mark.skipif(not COMMAND, reason="set COMFYUI_COMMAND to start a ComfyUI on port {port}")
def test_a_prompt_does_not_survive_a_real_servers_death() -> None:
    port, servers = free_port(), list[Any]()
    with server_of_ones_own(port) as first:
        render = Render(f"http://127.0.0.1:{port}", busy(60))

        def kill() -> bool:
            if render.heard.executing.is_set() and not servers:
                first.kill()
                first.wait()
                servers.append(server_of_ones_own(port))
                servers[0].__enter__()
            return False

        render.should_stop = kill
        try:
            with pytest.raises(Vanished, match="restarted"):
                render.run()
        finally:
            servers[0].__exit__(None, None, None)
