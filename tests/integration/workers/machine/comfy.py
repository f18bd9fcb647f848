"""ComfyUI as one node sees it: a queue, one prompt at work, a history; and what happens to it."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

from tests.integration.workers.machine.turns import Mortality, give_way
from workers.comfy.client import Queue
from workers.comfy.errors import ComfyError, Interrupted, OutOfMemory, Unreachable
from workers.comfy.outputs import OutputFile
from workers.comfy.standing import PENDING, RUNNING, UNKNOWN, Ending, Standing, State

SIZE = (16, 8)


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", SIZE, "grey").save(file, "PNG")
    return file.getvalue()


PICTURE = _picture()


class FakeComfy:
    """It outlives the workers beside it. ``rendered``: successes by attempt; ``of``: whose a prompt is."""

    def __init__(self) -> None:
        self.queue: list[str] = []
        self.running = ""
        self.done: dict[str, Standing] = {}
        self.of: dict[str, str] = {}
        self.rendered: Counter[str] = Counter()
        self.deaf = self.away = False

    def starts_the_next(self) -> None:
        """Its executor takes the next prompt."""
        if not self.running and self.queue:
            self.running = self.queue.pop(0)

    def ends(self, error: ComfyError | None = None) -> None:
        """What runs has ended."""
        prompt_id, self.running = self.running, ""
        if error is not None:
            ending = Ending.INTERRUPTED if isinstance(error, Interrupted) else Ending.FAILED
            self.done[prompt_id] = Standing(state=State.DONE, ending=ending, error=error)
            return
        self.rendered[self.of[prompt_id]] += 1
        file = OutputFile(
            node_id="2",
            listed_under="images",
            filename=f"{prompt_id}.png",
            subfolder="",
            folder="output",
            kind="image",
        )
        self.done[prompt_id] = Standing(
            state=State.DONE, ending=Ending.SUCCEEDED, outputs=(file,), executed_s=0.0
        )

    def runs_out_of_memory(self) -> None:
        """What runs has ended for want of memory."""
        self.ends(OutOfMemory("Allocation on device"))

    def is_restarted(self) -> None:
        """It forgets all it had."""
        self.queue, self.running, self.done, self.deaf = [], "", {}, False

    def has(self, attempt_id: str) -> list[str]:
        """The prompts of an attempt that wait or run."""
        return [each for each in (self.running, *self.queue) if self.of.get(each) == attempt_id]


class FakeClient:
    """One attempt's door to it; every request is an edge, before and after it has its effect."""

    def __init__(self, comfy: FakeComfy, mortality: Mortality, attempt_id: str) -> None:
        self._comfy = comfy
        self._attempt_id = attempt_id
        self._edge = mortality.edge

    @contextmanager
    def _request(self, what: str) -> Iterator[FakeComfy]:
        self._edge(f"before {what}")
        if self._comfy.away:
            raise Unreachable("connection refused")
        yield self._comfy
        self._edge(f"after {what}")

    def submit(self, _graph: object, prompt_id: str) -> None:
        with self._request("submit") as comfy:
            comfy.queue.append(prompt_id)
            comfy.of[prompt_id] = self._attempt_id

    def lookup(self, prompt_id: str) -> Standing:
        with self._request("lookup") as comfy:
            if prompt_id in comfy.queue:
                return PENDING
            return RUNNING if prompt_id == comfy.running else comfy.done.get(prompt_id, UNKNOWN)

    def queue(self) -> Queue:
        with self._request("queue") as comfy:
            return Queue(running=(comfy.running,) if comfy.running else (), pending=tuple(comfy.queue))

    def withdraw(self, prompt_id: str) -> None:
        with self._request("withdraw") as comfy:
            comfy.queue = [each for each in comfy.queue if each != prompt_id]

    def cancel(self, prompt_id: str) -> bool:
        self.withdraw(prompt_id)
        with self._request("cancel") as comfy:
            if prompt_id == comfy.running and not comfy.deaf:
                comfy.ends(Interrupted("ComfyUI interrupted the prompt"))
        return self.lookup(prompt_id).state in (State.DONE, State.UNKNOWN)

    def abandon(self, prompt_id: str) -> None:
        try:
            self.cancel(prompt_id)
        except Unreachable:
            return

    def free(self) -> None:
        with self._request("free"):
            return

    def upload(self, name: str, _data: object) -> str:
        return name

    @contextmanager
    def open_output(self, _file: OutputFile) -> Iterator[Iterator[bytes]]:
        with self._request("view"):
            yield iter([PICTURE])

    def close(self) -> None:
        return


class FakeSocket:
    """Says nothing: whatever happens is found by looking. Its silence is where a render waits."""

    is_open = True

    def __enter__(self) -> FakeSocket:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def renew(self) -> None:
        return

    def next(self, _timeout_s: float) -> Any:
        give_way()
