"""One attempt at one picture, as the worker makes it, with what was heard of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from workers.comfy.client import ComfyClient, Graph
from workers.comfy.follow import Finished, follow
from workers.comfy.progress import ProgressSocket
from workers.render import INTERRUPT_S, LOST_S


def picture(*between: tuple[str, dict[str, Any]], color: int = 255) -> Graph:
    """A 64 × 48 picture, sent through the given nodes, saved under a prefix of its own."""
    graph: Graph = {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 64, "height": 48, "batch_size": 1, "color": color},
        }
    }
    for class_type, inputs in between:
        graph[str(len(graph) + 1)] = {
            "class_type": class_type,
            "inputs": {"image": [str(len(graph)), 0], **inputs},
        }
    save = {"images": [str(len(graph)), 0], "filename_prefix": f"road/{uuid4().hex}"}
    graph["9"] = {"class_type": "SaveImage", "inputs": save}
    return graph


def sleep(seconds: float) -> tuple[str, dict[str, Any]]:
    return "RecSleep", {"seconds": seconds, "steps": 20, "nonce": uuid4().int % 10**6}


@dataclass
class Heard:
    said: list[str] = field(default_factory=list)
    fractions: list[float] = field(default_factory=list)
    cached_nodes: tuple[str, ...] = ()
    executing: threading.Event = field(default_factory=threading.Event)

    def queued(self) -> None:
        self.said.append("queued")

    def started(self) -> None:
        self.said.append("started")
        self.executing.set()

    def cached(self, nodes: tuple[str, ...]) -> None:
        self.cached_nodes = nodes

    def progress(self, fraction: float, doing: str) -> None:
        self.fractions.append(fraction)


@dataclass
class Render:
    """One attempt: a client, a prompt id and what was heard."""

    url: str
    graph: Graph
    should_stop: Callable[[], bool] = lambda: False
    makes_way: Callable[[], bool] = lambda: False
    execution_timeout_s: float = 60
    heard: Heard = field(default_factory=Heard)
    prompt_id: str = field(default_factory=lambda: str(uuid4()))

    def __post_init__(self) -> None:
        self.client = ComfyClient(self.url, client_id=uuid4().hex)

    def run(self) -> Finished:
        with ProgressSocket(self.client, self.prompt_id) as socket:
            self.client.submit(self.graph, self.prompt_id)
            return follow(
                self.client,
                self.prompt_id,
                socket=socket,
                graph=self.graph,
                listener=self.heard,
                should_stop=self.should_stop,
                makes_way=self.makes_way,
                execution_timeout_s=self.execution_timeout_s,
                hang_s=30,
                interrupt_s=INTERRUPT_S,
                lost_s=LOST_S,
            )
