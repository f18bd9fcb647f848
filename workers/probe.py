"""A tiny render that needs no model: it succeeds only where ComfyUI's executor lives.

HTTP says nothing of that. A ComfyUI whose executor thread has died answers every request, and its queue
may even look empty.
"""

from __future__ import annotations

import uuid
from typing import Final

from workers.comfy.client import ComfyClient, Graph
from workers.comfy.standing import Ending, State

SIDE: Final = 16
"""Pixels."""


class Probe:
    """One prompt at a time, looked up rather than followed: the watch passes by every few seconds."""

    def __init__(self, client: ComfyClient) -> None:
        self._client = client
        self._prompt_id = ""

    def succeeded(self) -> bool:
        """Tell whether the probe sent at an earlier call has rendered; send one if there is none.

        After a restart ComfyUI knows the old one no more, so a new one goes out. Raises ComfyError.
        """
        if not self._prompt_id:
            prompt_id = uuid.uuid4()
            self._prompt_id = str(prompt_id)
            self._client.submit(_graph(prompt_id), self._prompt_id)
            return False
        standing = self._client.lookup(self._prompt_id)
        if standing.state in (State.PENDING, State.RUNNING):
            return False
        self._prompt_id = ""
        return standing.ending is Ending.SUCCEEDED


def _graph(prompt_id: uuid.UUID) -> Graph:
    """A plain picture, of a colour of its own so that ComfyUI has to execute it, kept nowhere."""
    size = {"width": SIDE, "height": SIDE, "batch_size": 1}
    return {
        "1": {"class_type": "EmptyImage", "inputs": {**size, "color": prompt_id.int & 0xFFFFFF}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
