"""The other side of each ratio: the same prompts, sent to the same ComfyUI by a bare client.

Nothing of ours is in the way: one keep-alive HTTP session and one websocket, as a script would have it.
"""

from __future__ import annotations

import copy
import json
import time
import uuid
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

import requests
import websocket

Graph = dict[str, Any]

PATIENCE_S = 60.0


class DirectClient:
    """A bare client of one ComfyUI."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client_id = str(uuid.uuid4())
        self._http = requests.Session()
        self._http.trust_env = False
        address = f"{url.replace('http', 'ws', 1)}/ws?clientId={self._client_id}"
        self._socket = websocket.create_connection(address, timeout=PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._http.close()

    def queue(self, graph: Graph) -> str:
        """Queue a prompt and return its id."""
        prompt_id = str(uuid.uuid4())
        body = {"prompt": graph, "prompt_id": prompt_id, "client_id": self._client_id}
        answer = self._http.post(f"{self.url}/prompt", json=body, timeout=PATIENCE_S)
        answer.raise_for_status()
        if answer.json()["node_errors"]:
            raise RuntimeError(f"ComfyUI dropped an output: {answer.text}")
        return prompt_id

    def await_end(self, prompt_id: str) -> None:
        """Wait for the message that ends a prompt."""
        while True:
            heard = self._socket.recv()
            if not isinstance(heard, str):
                continue
            message = json.loads(heard)
            data = message.get("data", {})
            if message["type"] == "executing" and data["node"] is None and data.get("prompt_id") == prompt_id:
                return

    def history(self, prompt_id: str) -> dict[str, Any]:
        """The prompt's history entry."""
        answer = self._http.get(f"{self.url}/history/{prompt_id}", timeout=PATIENCE_S)
        entry: dict[str, Any] = answer.json()[prompt_id]
        return entry

    def files(self, prompt_id: str) -> list[bytes]:
        """Read every file the prompt saved."""
        listed = [
            file
            for output in self.history(prompt_id)["outputs"].values()
            for file in output.get("images", [])
            if file["type"] == "output"
        ]
        return [
            self._http.get(f"{self.url}/view", params=file, timeout=PATIENCE_S).content for file in listed
        ]

    def render(self, graph: Graph) -> float:
        """Queue a prompt and return the seconds until its file is read."""
        begun = time.perf_counter()
        prompt_id = self.queue(graph)
        self.await_end(prompt_id)
        read = self.files(prompt_id)
        seconds = time.perf_counter() - begun
        if not read or not all(read):
            raise RuntimeError(f"prompt {prompt_id} gave no file")
        return seconds


def variants(graph: Graph, count: int, *, reseed: bool = True) -> list[Graph]:
    """The same graph again and again with other file names, and other seeds so that nothing is cached.

    Without ``reseed`` all but the saving comes from ComfyUI's cache: a render of no length.
    """
    made = []
    for number in range(count):
        variant = copy.deepcopy(graph)
        for node in variant.values():
            if reseed and "seed" in node["inputs"]:
                node["inputs"]["seed"] = 7_000_000 + number
            if "filename_prefix" in node["inputs"]:
                node["inputs"]["filename_prefix"] = f"direct/{uuid.uuid4()}"
        made.append(variant)
    return made


def gaps_ms(url: str) -> list[float]:
    """Milliseconds between one prompt's end and the next one's start, by ComfyUI's own timestamps."""
    history = requests.get(f"{url}/history", timeout=PATIENCE_S).json()
    spans = sorted(_span(entry) for entry in history.values())
    return [start - end for (_, end), (start, _) in pairwise(spans)]


def _span(entry: dict[str, Any]) -> tuple[float, float]:
    times = {name: data["timestamp"] for name, data in entry["status"]["messages"]}
    return times["execution_start"], times["execution_success"]


def any_graph(url: str) -> Graph:
    """A graph this ComfyUI has rendered for the farm."""
    history = requests.get(f"{url}/history", timeout=PATIENCE_S).json()
    graph: Graph = next(iter(history.values()))["prompt"][2]
    return graph


def forget_history(url: str) -> None:
    """Begin a new page."""
    requests.post(f"{url}/history", json={"clear": True}, timeout=PATIENCE_S).raise_for_status()
