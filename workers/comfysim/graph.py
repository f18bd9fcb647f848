"""The order in which a prompt's nodes run, and the signatures by which results are reused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from typing import Any

from workers.comfysim.validation import Prompt


def links_of(node: dict[str, Any]) -> list[tuple[str, str, int]]:
    """A node's links: (input name, node it comes from, output slot)."""
    return [
        (name, value[0], value[1])
        for name, value in node["inputs"].items()
        if isinstance(value, list) and len(value) == 2
    ]


def signatures(prompt: Prompt, fingerprint: Callable[[dict[str, Any]], str]) -> dict[str, str]:
    """A key per node that changes with its class, its values or anything it depends on, not with its id.

    `fingerprint` adds what a node reads from outside, such as the bytes of its input file.
    """
    known: dict[str, str] = {}

    def sign(node_id: str) -> str:
        if node_id in known or node_id not in prompt:
            return known.get(node_id, "")
        known[node_id] = ""  # a loop among nodes no output needs ends here
        node = prompt[node_id]
        values = dict(node["inputs"])
        for name, source, slot in links_of(node):
            values[name] = {"link": sign(str(source)), "slot": slot}
        text = json.dumps([node["class_type"], values, fingerprint(node)], sort_keys=True)
        known[node_id] = hashlib.sha256(text.encode()).hexdigest()
        return known[node_id]

    for node_id in prompt:
        sign(node_id)
    return known


class RunOrder:
    """Hands out nodes whose inputs are ready: outputs first, then what an output waits for next."""

    def __init__(
        self, prompt: Prompt, outputs: list[str], *, is_output: Callable[[str], bool], done: Collection[str]
    ) -> None:
        self._is_output = is_output
        self._waits_for: dict[str, set[str]] = {}
        self._feeds: dict[str, list[str]] = {}
        for output in outputs:
            self._add(prompt, output, done)

    def _add(self, prompt: Prompt, start: str, done: Collection[str]) -> None:
        stack = [start]
        while stack:
            node_id = stack.pop()
            if node_id in self._waits_for:
                continue
            sources = [] if node_id in done else [str(source) for _, source, _ in links_of(prompt[node_id])]
            open_sources = [source for source in sources if source not in done]
            self._waits_for[node_id] = set(open_sources)
            for source in open_sources:
                self._feeds.setdefault(source, []).append(node_id)
            stack += open_sources

    def next(self) -> str | None:
        """The node to run now, or None when all have run."""
        ready = [node_id for node_id, waits in self._waits_for.items() if not waits]
        if not ready:
            return None
        for near in (self._is_output, self._feeds_output, self._feeds_feeder):
            for node_id in ready:
                if near(node_id):
                    return node_id
        return ready[0]

    def _feeds_output(self, node_id: str) -> bool:
        return any(self._is_output(fed) for fed in self._feeds.get(node_id, ()))

    def _feeds_feeder(self, node_id: str) -> bool:
        return any(self._feeds_output(fed) for fed in self._feeds.get(node_id, ()))

    def finished(self, node_id: str) -> None:
        del self._waits_for[node_id]
        for fed in self._feeds.get(node_id, ()):
            if fed in self._waits_for:
                self._waits_for[fed].discard(node_id)
