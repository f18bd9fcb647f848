"""A client of the stand-in for tests: it sends what was recorded, or prompts of its own, and listens."""

from __future__ import annotations

import http.client
import json
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import websocket

from tests.comfysim_fixture import ComfySim
from tests.integration.comfysim.sameness import Ledger

RECORDINGS = Path(__file__).parents[2] / "data" / "comfyui"
VERSIONS = ("0.27.0", "0.3.64")
FLAGS = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}

_WAIT_S = 20


def names(version: str) -> list[str]:
    """Every recording of a version."""
    return sorted(path.stem for path in (RECORDINGS / f"v{version}").glob("*.json"))


def recording(name: str, version: str = "0.27.0") -> Any:
    return json.loads((RECORDINGS / f"v{version}" / f"{name}.json").read_text(encoding="utf-8"))


def until(true: Callable[[], object]) -> None:
    """Wait for something that happens in another thread."""
    deadline = time.monotonic() + _WAIT_S
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {_WAIT_S} s in vain")
        time.sleep(0.005)


def get(sim: ComfySim, path: str) -> Any:
    """What the server says there."""
    return requests.get(f"{sim.url}{path}", timeout=10).json()


def running_in(sim: ComfySim) -> list[str]:
    """The prompts that it executes."""
    return [row[1] for row in get(sim, "/queue")["queue_running"]]


class Listener:
    """A websocket that keeps what it hears, each message as the recordings print it."""

    def __init__(self, sim: ComfySim, client_id: str | None, *, flags: bool = False) -> None:
        query = "" if client_id is None else f"?clientId={client_id}"
        self._socket = websocket.create_connection(sim.ws_url + query, timeout=_WAIT_S)
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


def send(sim: ComfySim, request: dict[str, Any], **headers: str) -> requests.Response:
    """Play a recorded request."""
    url, method = sim.url + request["path"], request["method"]
    if request.get("raw") is not None:
        return requests.request(method, url, data=request["raw"], headers=headers, timeout=_WAIT_S)
    return requests.request(method, url, json=request["json"], headers=headers, timeout=_WAIT_S)


def send_as_written(sim: ComfySim, path: str) -> dict[str, Any]:
    """GET a path that other clients would tidy up before they send it; answered as recordings print it."""
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=_WAIT_S)
    connection.request("GET", path)
    response = connection.getresponse()
    told = {
        "status": response.status,
        "headers": dict(response.getheaders()),
        "body": response.read().decode(),
    }
    connection.close()
    return told | {"headers": _shown(told["headers"])}


def answer(response: requests.Response) -> dict[str, Any]:
    """A response as the recordings print it."""
    content_type = response.headers.get("Content-Type", "")
    body: Any = response.text
    if "json" in content_type:
        body = response.json()
    elif content_type.startswith("image/"):
        body = f"<binary {len(response.content)} bytes, magic {response.content[:12].hex()}>"
    return {"status": response.status_code, "headers": _shown(response.headers), "body": body}


def _shown(headers: Any) -> dict[str, str]:
    shown = ("Content-Type", "Content-Disposition", "ETag", "Last-Modified")
    return {name: headers[name] for name in shown if name in headers}


def exchange(sim: ComfySim, recorded: dict[str, Any], ledger: Ledger, **headers: str) -> dict[str, Any]:
    """Play one recorded exchange in the ids of this run; the answer comes back in those of the recording."""
    response = send(sim, ledger.request(recorded["request"]), **headers)
    played = answer(response)
    if response.ok and isinstance(played["body"], dict) and "prompt_id" in played["body"]:
        ledger.learn(recorded["body"], played["body"])
    told: dict[str, Any] = ledger.recorded(played)
    return {"request": recorded["request"], **told}


def history_of(sim: ComfySim, prompt_id: str) -> dict[str, Any]:
    """The history entry once it is there: it trails execution_success by a moment."""
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        entry: dict[str, Any] = requests.get(f"{sim.url}/history/{prompt_id}", timeout=_WAIT_S).json()
        if entry:
            return entry
        time.sleep(0.005)
    raise TimeoutError(f"{prompt_id} is not in history after {_WAIT_S} s")


def play(
    sim: ComfySim,
    recorded: dict[str, Any],
    ledger: Ledger,
    during: Callable[[Listener, str], object] | None = None,
) -> dict[str, Any]:
    """Submit a recorded prompt as its client did: what was answered, heard and kept, in the recorded words.

    `during(listener, prompt_id)` may interfere after the prompt was queued.
    """
    client_id = recorded["post"]["request"]["json"].get("client_id")
    heard = [message["text"]["type"] for message in recorded.get("ws", ()) if "text" in message]
    listener = Listener(sim, client_id, flags="feature_flags" in heard) if heard else None
    played: dict[str, Any] = {"post": exchange(sim, recorded["post"], ledger)}
    accepted = recorded["post"]["status"] == 200
    prompt_id = ledger.ids.get(recorded["post"]["body"]["prompt_id"]) if accepted else None
    if listener:
        if during and prompt_id:
            during(listener, prompt_id)
        if prompt_id:
            listener.until("executing", node=None)
        played["ws"] = ledger.recorded(listener.heard)
        listener.close()
    if recorded.get("history") and prompt_id:
        played["history"] = ledger.recorded(history_of(sim, prompt_id))
    return played


def warm(sim: ComfySim, recorded: dict[str, Any]) -> None:
    """Run the nodes that were cached when a prompt was recorded, so that they are cached now, too."""
    body = recorded["post"]["request"]["json"]
    if body.get("front"):
        history_of(sim, submit(sim, still(0)))  # the number of the first prompt is 0, with or without a front
    graph = body.get("prompt")
    told = [message.get("text", {}) for message in recorded.get("ws", ())]
    cached = next((text["data"]["nodes"] for text in told if text.get("type") == "execution_cached"), ())
    if not cached:
        return
    nodes = {node_id: graph[node_id] for node_id in cached}
    sinks = {
        f"shown-{node_id}": {"class_type": "PreviewAny", "inputs": {"source": [node_id, 0]}}
        for node_id in cached
        if not graph[node_id]["class_type"].startswith("Save")
    }
    history_of(sim, submit(sim, nodes | sinks))


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
