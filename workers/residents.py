"""Which model files ComfyUI holds in memory, by the node's own book: ComfyUI tells nobody.

Its cache keeps the loaders' outputs of the last prompt, and with ``--cache-lru`` or ``--cache-ram`` of
earlier ones. Which it is shows: a prompt's ``execution_cached`` names the loaders that were remembered, so
the book learns how many prompts back this server remembers. What was freed, lost with a restart or crowded
out by somebody else's prompts may still stand here for a while: the book is a hint, never a promise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from threading import Lock
from typing import Any, Final

from farm.contracts import canonical
from workers.catalogue import Catalogue
from workers.comfy.client import Graph

MOST: Final = 64
"""Files that are told."""

LOADERS: Final = 1000
"""Loaders that are remembered, each with its inputs."""


class Residents:
    """The book. Written by render threads and the watch, read by the reporter."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._prompts = 0
        self._used: dict[str, int] = {}  # file -> the last prompt that used it; the last used at the end
        self._loaded: dict[bytes, int] = {}  # loader with its inputs -> the last prompt that had it
        self._ages: dict[str, int] = {}  # of the prompt that executes: loader's node id -> prompts ago
        self._reach: int | None = None  # so many prompts back ComfyUI remembers; None: not seen yet
        self._room: int | None = None
        self._sizes: Mapping[str, int] = {}
        self.prompt_id = ""
        """The last prompt that began to execute."""

    def begin(self, prompt_id: str, graph: Graph, catalogue: Catalogue) -> None:
        """A prompt begins to execute, and so to load what its graph names."""
        files = catalogue.files_by_node(graph)
        with self._lock:
            self.prompt_id = prompt_id
            self._prompts += 1
            self._sizes = catalogue.sizes
            self._ages = {}
            for node_id, names in files.items():
                loader = _signature(graph[node_id])
                if loader is not None:
                    if loader in self._loaded:
                        self._ages[node_id] = self._prompts - self._loaded[loader]
                    self._loaded.pop(loader, None)
                    self._loaded[loader] = self._prompts
                for name in names:
                    self._used.pop(name, None)
                    self._used[name] = self._prompts
            while len(self._loaded) > LOADERS:
                del self._loaded[next(iter(self._loaded))]

    def cached(self, node_ids: Collection[str]) -> None:
        """The prompt that begins has these nodes' outputs from ComfyUI's cache, and no others."""
        with self._lock:
            kept = [age for node_id, age in self._ages.items() if node_id in node_ids]
            lost = [age for node_id, age in self._ages.items() if node_id not in node_ids]
            if lost:
                self._reach = min(lost) - 1 if self._reach is None else min(self._reach, min(lost) - 1)
            if kept and self._reach is not None:
                self._reach = max(self._reach, *kept)

    def probed(self) -> None:
        """A prompt without models has executed: whoever remembers one prompt has forgotten all."""
        with self._lock:
            self._prompts += 1

    def clear(self) -> None:
        """ComfyUI was freed, or is another process: it holds nothing."""
        with self._lock:
            self.prompt_id = ""
            self._used.clear()
            self._loaded.clear()
            self._ages.clear()

    def fit_into(self, room: int | None) -> None:
        """Note how many bytes of models ComfyUI can hold at all: card and RAM together; None: unknown."""
        self._room = room

    def told(self) -> tuple[str, ...]:
        """Name the files, the last used at the end."""
        with self._lock:
            oldest = 0 if self._reach is None else self._prompts + 1 - max(self._reach, 1)
            held = [name for name, prompt in self._used.items() if prompt >= oldest]
            return tuple(self._that_fit(held)[-MOST:])

    def _that_fit(self, held: list[str]) -> list[str]:
        """Leave out the longest unused files that surely had to go; one of unknown size takes no room."""
        if self._room is None:
            return held
        left = self._room
        for place in range(len(held) - 1, -1, -1):
            left -= self._sizes.get(held[place], 0)
            if left < 0:
                return held[place + 1 :]
        return held


def _signature(node: Mapping[str, Any]) -> bytes | None:
    """Tell equal loaders as ComfyUI's cache does; None for one that depends on other nodes."""
    inputs = node.get("inputs", {})
    if any(isinstance(value, list) for value in inputs.values()):
        return None
    return canonical([node.get("class_type"), inputs])
