"""Look at ComfyUI and the GPU every few seconds, in a thread of its own.

The node report must go out on time even while ComfyUI stalls, so looking and reporting are two threads.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any, Final

from farm.contracts import Capabilities, ComfyFact
from workers.comfy.client import ComfyClient
from workers.comfy.errors import ComfyError
from workers.gpu import Site, read_gpu
from workers.node import NOTHING_SEEN, Node, Sight
from workers.nvml import Cards, read_cards
from workers.vital import VitalThread

logger = logging.getLogger(__name__)

PERIOD_S: Final = 5.0
CATALOGUE_S: Final = 300.0
"""How old the list of node classes and models may grow: reading it costs ComfyUI up to a second."""


class Watch(VitalThread):
    """Keep ``node.sight`` true; ``changed`` is called after each look that saw something new."""

    def __init__(
        self,
        node: Node,
        client: ComfyClient,
        site: Site,
        *,
        changed: Callable[[], None],
        cards: Callable[[], Cards] = read_cards,
    ) -> None:
        super().__init__("watch")
        self._node = node
        self._client = client
        self._site = site
        self._changed = changed
        self._cards = cards
        self._due = Event()
        self._over = False
        self._catalogue_read_at = float("-inf")

    def work(self) -> None:
        """Look until told to stop."""
        while not self._over:
            self.look()
            self._due.wait(PERIOD_S)
            self._due.clear()

    def stop(self) -> None:
        """Look no more."""
        self._over = True
        self._due.set()

    def look_again(self, *, catalogue: bool = False) -> None:
        """Look soon; with ``catalogue`` also read node classes and models anew."""
        if catalogue:
            self._catalogue_read_at = float("-inf")
        self._due.set()

    def look(self) -> None:
        """Take one look, and tell who waits for it if it changed how the node stands."""
        before = (self._node.standing(), self._node.sight.reading.tier_gb, self._node.sight.fingerprint)
        self._node.sight = sight = self._see()
        if self._node.sick and sight.comfy.reachable and not sight.comfy.queue_running:
            # What hung is gone: ComfyUI was restarted or has come back to itself.
            self._node.sick = ""
        after = (self._node.standing(), sight.reading.tier_gb, sight.fingerprint)
        if after != before:
            state, reason = after[0]
            logger.info("node stands otherwise", extra={"state": state, "reason": reason, "tier": after[1]})
            self._changed()

    def _see(self) -> Sight:
        before = self._node.sight
        try:
            stats = self._client.system_stats()
            queue = self._client.queue()
            capabilities, listed = self._catalogue(before)
        except ComfyError as error:
            self._catalogue_read_at = float("-inf")  # it may come back with other models
            return Sight(
                comfy=ComfyFact(reachable=False, error=error.message),
                reading=read_gpu(None, self._cards(), self._site),
                capabilities=before.capabilities,
                models_as_listed=before.models_as_listed,
            )
        return Sight(
            comfy=_comfy_fact(stats, running=len(queue.running), pending=len(queue.pending)),
            reading=read_gpu(stats, self._cards(), self._site),
            capabilities=capabilities,
            models_as_listed=listed,
        )

    def _catalogue(self, before: Sight) -> tuple[Capabilities | None, dict[str, tuple[str, ...]]]:
        fresh = time.monotonic() - self._catalogue_read_at < CATALOGUE_S
        if fresh and before is not NOTHING_SEEN:
            return before.capabilities, before.models_as_listed
        classes = tuple(sorted(self._client.object_info()))
        listed = self._client.models(as_listed=True)
        models = {
            folder: tuple(sorted(n.replace("\\", "/") for n in names)) for folder, names in listed.items()
        }
        self._catalogue_read_at = time.monotonic()
        return Capabilities(classes=classes, models=models), listed


def _comfy_fact(stats: Mapping[str, Any], *, running: int, pending: int) -> ComfyFact:
    system = stats.get("system") or {}
    devices = stats.get("devices") or [{}]
    return ComfyFact(
        reachable=True,
        version=str(system.get("comfyui_version") or ""),
        device_type=str(devices[0].get("type") or ""),
        python=str(system.get("python_version") or ""),
        pytorch=str(system.get("pytorch_version") or ""),
        queue_running=running,
        queue_pending=pending,
    )
