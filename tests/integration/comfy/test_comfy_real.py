"""The client against a real ComfyUI at COMFYUI_URL, with or without a GPU."""

from __future__ import annotations

import io
import os
from uuid import uuid4

import pytest
from PIL import Image

from tests.integration.comfy.attempt import Render, picture
from workers.comfy.client import ComfyClient
from workers.comfy.errors import Interrupted, MissingNodeClass
from workers.comfy.standing import State

URL = os.environ.get("COMFYUI_URL", "")
pytestmark = [
    pytest.mark.comfyui,
    pytest.mark.skipif(not URL, reason="set COMFYUI_URL to a real ComfyUI, such as http://127.0.0.1:8188"),
]


def test_a_real_server_renders_a_picture() -> None:
    render = Render(URL, picture(("ImageInvert", {}), color=uuid4().int % 0xFFFFFF))

    (file,) = render.run().outputs

    with render.client.open_output(file) as chunks:
        assert Image.open(io.BytesIO(b"".join(chunks))).size == (64, 48)
    assert render.heard.said == ["queued", "started"]
    assert render.heard.fractions[-1] == 1


def test_a_real_server_refuses_an_unknown_node() -> None:
    with pytest.raises(MissingNodeClass, match="NoSuchNode"):
        Render(URL, picture(("NoSuchNode", {}))).run()


def test_a_real_server_cancels_what_waits_and_leaves_what_runs() -> None:
    """Scaling 32 frames with Lanczos keeps even a fast machine busy for a second."""
    busy = ComfyClient(URL, client_id=uuid4().hex)
    running = str(uuid4())
    big = {"upscale_method": "lanczos", "width": 2048, "height": 2048, "crop": "disabled"}
    graph = picture(("ImageScale", big), color=uuid4().int % 0xFFFFFF)
    graph["1"]["inputs"]["batch_size"] = 32
    busy.submit(graph, running)
    try:
        with pytest.raises(Interrupted, match="as asked"):
            Render(URL, picture(), should_stop=lambda: True).run()
        assert busy.lookup(running).state is not State.UNKNOWN
    finally:
        busy.cancel(running)


def test_a_real_server_tells_what_it_has() -> None:
    client = ComfyClient(URL, client_id=uuid4().hex)

    assert client.system_stats()["devices"]
    assert "checkpoints" in client.models()
    assert client.object_info("NoSuchNode") == {}
    client.free()
