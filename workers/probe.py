"""A tiny render that needs no model: it succeeds only where ComfyUI's executor and its device live.

HTTP says nothing of that. A ComfyUI whose executor thread has died answers every request, and its queue
may even look empty; one whose CUDA context is broken fails whatever comes next. So the probe blurs a small
picture: ComfyUI's own ImageBlur goes through the device it renders on.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from typing import Final

from farm.contracts import ProbeResult
from workers.comfy.client import ComfyClient, Graph
from workers.comfy.errors import GraphRejected, MissingNodeClass
from workers.comfy.standing import Ending, Standing, State

logger = logging.getLogger(__name__)

SIDE: Final = 16
"""Pixels."""

PATIENCE_S: Final = 60.0
"""How long a probe that was asked for may take on a node that has nothing else in hand."""


class Probe:
    """One prompt at a time, looked up rather than followed: the watch passes by every few seconds.

    ``ours`` is told its prompt's id before one goes out, ``sent`` is called when it did.
    """

    def __init__(
        self,
        client: ComfyClient,
        *,
        ours: Callable[[str], None] = lambda _prompt_id: None,
        sent: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        self._ours = ours
        self._sent = sent
        self._prompt_id = ""

    def succeeded(self) -> bool:
        """Tell whether the probe sent at an earlier call has rendered; send one if there is none.

        After a restart ComfyUI knows the old one no more, so a new one goes out. Raises ComfyError.
        """
        ended = self.ended()
        return ended is not None and ended.ending is Ending.SUCCEEDED

    def ended(self) -> Standing | None:
        """Return how the probe sent at an earlier call ended, None if it has not; send one if none is out."""
        if not self._prompt_id:
            self._send()
            return None
        standing = self._client.lookup(self._prompt_id)
        if standing.state in (State.PENDING, State.RUNNING):
            return None
        self._prompt_id = ""
        return standing if standing.state is State.DONE else None

    def forget(self) -> None:
        """Give up the probe that is out; take it out of the queue if it waits there. Raises ComfyError."""
        prompt_id, self._prompt_id = self._prompt_id, ""
        if prompt_id:
            self._client.withdraw(prompt_id)

    def _send(self) -> None:
        prompt_id = uuid.uuid4()
        self._prompt_id = str(prompt_id)
        self._ours(self._prompt_id)
        try:
            self._client.submit(_graph(prompt_id, blur=True), self._prompt_id)
        except MissingNodeClass:
            self._client.submit(_graph(prompt_id, blur=False), self._prompt_id)
        self._sent()


class AskedProbe:
    """The probe the coordinator asked for, by its id: rendered once, however often it is asked for."""

    def __init__(self, probe: Probe, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._probe = probe
        self._clock = clock
        self._asked = ""
        self._since = 0.0
        self.result: ProbeResult | None = None

    def get_on(self, asked: str, *, busy: bool) -> bool:
        """Get on with the probe ``asked`` for ("": none); return whether ``result`` is new.

        ``busy``: orders are in hand, or somebody else's prompt executes, behind which it may have to wait.
        Raises ComfyError: try again later.
        """
        if not asked or (self.result is not None and self.result.id == asked):
            return False
        if asked != self._asked:
            self._probe.forget()
            self._asked, self._since = asked, self._clock()
        if busy:
            self._since = self._clock()
        try:
            ended = self._probe.ended()
        except GraphRejected as exc:
            return self._tell(exc.message)
        if ended is not None:
            return self._tell("" if ended.error is None else ended.error.message)
        if self._clock() - self._since > PATIENCE_S:
            self._probe.forget()
            return self._tell(f"ComfyUI rendered no probe within {PATIENCE_S:g} s")
        return False

    def _tell(self, error: str) -> bool:
        self.result = ProbeResult(id=self._asked, ok=not error, message=error)
        logger.info("probe ended", extra={"probe": self._asked, "error": error})
        return True


def _graph(prompt_id: uuid.UUID, *, blur: bool) -> Graph:
    """A plain picture, of a colour of its own so that ComfyUI has to execute it, kept nowhere."""
    size = {"width": SIDE, "height": SIDE, "batch_size": 1}
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {**size, "color": prompt_id.int & 0xFFFFFF}},
        "2": {"class_type": "ImageBlur", "inputs": {"image": ["1", 0], "blur_radius": 1, "sigma": 1.0}},
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
    }
    if not blur:
        del graph["2"]
        graph["3"]["inputs"] = {"images": ["1", 0]}
    return graph
