"""Recordings of a real ComfyUI 0.27.0, played against the stand-in; ids, times and numbers made neutral."""

from __future__ import annotations

import json
import re
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import websocket

from tests.comfysim_fixture import ComfySim

RECORDINGS = Path(__file__).parents[2] / "data" / "comfyui" / "v0.27.0"
FLAGS = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_COUNTED = re.compile(r"_\d{5}_\.")
_TEMP = re.compile(r"ComfyUI_temp_[a-z]{5}")
_FOLDER = re.compile(r"(full_output_folder|output_dir|commonpath): \S+")
_MONTH = re.compile(r"\d{4}-\d{2}$")
# Facts of the recording machine, or of Python's own printing, that no client may read.
_DROPPED = ("traceback", "current_inputs", "timestamp", "create_time", "ms", "t", "Content-Length", "Server")
_AS_SETS = ("executed", "current_outputs")
_WAIT_S = 20


def recording(name: str) -> Any:
    return json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))


def neutral(value: Any) -> Any:
    """The same answer whoever gave it and whenever."""
    if isinstance(value, dict):
        items = {neutral(key): neutral(item) for key, item in value.items() if key not in _DROPPED}
        for key in _AS_SETS:
            if key in items and isinstance(items[key], list):
                items[key] = sorted(items[key])
        if isinstance(items.get("errors"), list):  # ComfyUI walks a set of inputs
            items["errors"] = sorted(items["errors"], key=lambda reason: reason["details"])
        if "number" in items:
            items["number"] = _sign(items["number"])
        if isinstance(items.get("prompt"), list) and items["prompt"]:
            items["prompt"] = [_sign(items["prompt"][0]), *items["prompt"][1:]]
        return items
    if isinstance(value, list):
        return [neutral(item) for item in value]
    if isinstance(value, str):
        text = _COUNTED.sub("_#####_.", _UUID.sub("<id>", value))
        text = _MONTH.sub("<month>", _TEMP.sub("ComfyUI_temp_<x>", text))
        text = _FOLDER.sub(r"\1: <folder>", text)
        return "<pixels>" if text.startswith("tensor(") else text
    return value


def _sign(number: Any) -> Any:
    return "front" if isinstance(number, int | float) and number < 0 else "back"


def until(true: Callable[[], object]) -> None:
    """Wait for something that happens in another thread."""
    deadline = time.monotonic() + _WAIT_S
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {_WAIT_S} s in vain")
        time.sleep(0.005)


class Listener:
    """A websocket that keeps what it hears, each message as the recordings print it."""

    def __init__(self, sim: ComfySim, client_id: str, *, flags: bool = False) -> None:
        self._socket = websocket.create_connection(f"{sim.ws_url}?clientId={client_id}", timeout=_WAIT_S)
        self.heard: list[dict[str, Any]] = [self._next()]
        if flags:
            self._socket.send(json.dumps(FLAGS))
            self.heard.append(self._next())

    def _next(self) -> dict[str, Any]:
        content = self._socket.recv()
        if isinstance(content, str):
            return {"text": json.loads(content)}
        kind, length = struct.unpack(">II", content[:8])
        if kind == 4:
            return {"binary": {"event_type": 4, "metadata": json.loads(content[8 : 8 + length])}}
        return {"binary": {"event_type": kind, "image_type": length}}

    def until(self, event: str, **data: Any) -> dict[str, Any]:
        """Listen until an event with these values; return its data."""
        while True:
            message = self._next()
            self.heard.append(message)
            text = message.get("text", {})
            if text.get("type") == event and data.items() <= text["data"].items():
                found: dict[str, Any] = text["data"]
                return found

    def names(self) -> list[str]:
        return [message["text"]["type"] if "text" in message else "preview" for message in self.heard]

    def ping(self) -> None:
        """Make sure that the other side is there: its pong comes before anything new is heard."""
        self._socket.ping("there?")
        opcode, content = self._socket.recv_data(control_frame=True)
        assert (opcode, content) == (websocket.ABNF.OPCODE_PONG, b"there?")

    def close(self) -> None:
        self._socket.close()


def send(sim: ComfySim, request: dict[str, Any]) -> requests.Response:
    """Play a recorded request."""
    url = sim.url + request["path"]
    if request.get("raw") is not None:
        return requests.request(request["method"], url, data=request["raw"], timeout=_WAIT_S)
    return requests.request(request["method"], url, json=request["json"], timeout=_WAIT_S)


def answer(response: requests.Response) -> dict[str, Any]:
    """A response as the recordings print it."""
    content_type = response.headers.get("Content-Type")
    body: Any = response.json() if content_type and "json" in content_type else response.text
    headers = {"Content-Type": content_type} if content_type and body != "" else {}
    return {"status": response.status_code, "headers": headers, "body": body}


def history_of(sim: ComfySim, prompt_id: str) -> dict[str, Any]:
    """The history entry once it is there: it trails execution_success by a moment."""
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        entry: dict[str, Any] = requests.get(f"{sim.url}/history/{prompt_id}", timeout=_WAIT_S).json()
        if entry:
            return entry
        time.sleep(0.005)
    raise TimeoutError(f"{prompt_id} is not in history after {_WAIT_S} s")


def play(sim: ComfySim, recorded: dict[str, Any]) -> dict[str, Any]:
    """Submit a recorded prompt as its client did: what was answered, heard and kept."""
    request = recorded["post"]["request"]
    heard = [message["text"]["type"] for message in recorded.get("ws", ()) if "text" in message]
    listener = None
    if heard:
        listener = Listener(sim, request["json"]["client_id"], flags="feature_flags" in heard)
    response = send(sim, request)
    played: dict[str, Any] = {"post": {"request": request, **answer(response)}}
    if listener and response.ok:
        listener.until("executing", node=None)
    if listener:
        played["ws"] = listener.heard
        listener.close()
    if recorded.get("history"):
        played["history"] = history_of(sim, response.json()["prompt_id"])
    elif "history" in recorded:
        played["history"] = None
    return played


def prompt(**nodes: Any) -> dict[str, Any]:
    """A prompt from `n1=("EmptyImage", {...})`, links as ["1", 0]."""
    return {name[1:]: {"class_type": kind, "inputs": inputs} for name, (kind, inputs) in nodes.items()}


def still(color: int, prefix: str = "t") -> dict[str, Any]:
    return prompt(
        n1=("EmptyImage", {"width": 32, "height": 32, "batch_size": 1, "color": color}),
        n2=("SaveImage", {"images": ["1", 0], "filename_prefix": prefix}),
    )


def sleeper(seconds: float, steps: int = 20, *, deaf: bool = False) -> dict[str, Any]:
    kind = "RecSleepDeaf" if deaf else "RecSleep"
    inputs = {"image": ["1", 0], "seconds": seconds, "steps": steps, "nonce": time.monotonic_ns() % 10**9}
    return prompt(
        n1=("EmptyImage", {"width": 32, "height": 32, "batch_size": 1, "color": 5}),
        n2=(kind, inputs),
        n3=("SaveImage", {"images": ["2", 0], "filename_prefix": "sleep"}),
    )


def submit(sim: ComfySim, graph: dict[str, Any], **body: Any) -> str:
    """Queue a graph; return its prompt id."""
    response = requests.post(f"{sim.url}/prompt", json={"prompt": graph, **body}, timeout=_WAIT_S)
    assert response.status_code == 200, response.text
    prompt_id: str = response.json()["prompt_id"]
    return prompt_id
