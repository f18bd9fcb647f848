"""What waits, what runs and what ran. One lock; the executor thread and the web side share it."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from workers.comfysim.validation import Prompt


@dataclass(frozen=True)
class Item:
    """One submitted prompt. `number` orders the queue, lowest first; `serial` breaks ties.

    `secrets`: what its API nodes work by; neither queue nor history shows it.
    """

    number: float
    prompt_id: str
    prompt: Prompt
    extra_data: dict[str, Any]
    outputs: list[str]
    serial: int
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __lt__(self, other: Item) -> bool:
        return (self.number, self.serial) < (other.number, other.serial)

    def as_list(self) -> list[Any]:
        """As `/queue` and `/history` print it."""
        return [self.number, self.prompt_id, self.prompt, self.extra_data, self.outputs]

    @property
    def client_id(self) -> str | None:
        client_id = self.extra_data.get("client_id")
        return client_id if isinstance(client_id, str) else None


@dataclass(frozen=True)
class Outcome:
    """What an execution leaves in history."""

    outputs: dict[str, Any]
    meta: dict[str, Any]
    messages: list[tuple[str, dict[str, Any]]]
    success: bool


@dataclass
class Wishes:
    """What `/free` asked the executor to do before its next prompt."""

    unload_models: bool = False
    free_memory: bool = False


@dataclass
class PromptQueue:
    changed: Callable[[], None]
    """Called without arguments, from any thread, after the number of open prompts changed."""
    max_history: int
    history: dict[str, dict[str, Any]] = field(default_factory=dict)
    _pending: list[Item] = field(default_factory=list)
    _running: Item | None = None
    _wishes: Wishes = field(default_factory=Wishes)
    _closed: bool = False
    _counter: int = 0
    _serial: int = 0
    _condition: threading.Condition = field(default_factory=threading.Condition)

    def take_number(self, *, front: bool) -> int:
        """The next number, negative for the front of the queue; a refused prompt has used it up, too."""
        with self._condition:
            number, self._counter = self._counter, self._counter + 1
        return -number if front else number

    def put(
        self,
        prompt_id: str,
        prompt: Prompt,
        extra_data: dict[str, Any],
        outputs: list[str],
        number: float,
        secrets: Mapping[str, str],
    ) -> Item:
        with self._condition:
            self._serial += 1
            item = Item(number, prompt_id, prompt, extra_data, outputs, self._serial, secrets)
            heapq.heappush(self._pending, item)
            self.changed()  # before the executor can tell of it
            self._condition.notify()
        return item

    def wait(self) -> bool:
        """Wait for anything to do; return whether it is a prompt."""
        with self._condition:
            self._condition.wait_for(lambda: self._pending or self._closed or self._has_wishes())
            return bool(self._pending) and not self._closed and not self._has_wishes()

    def next(self) -> Item | None:
        """Mark the first prompt running; None when wishes come first, none waits, or the queue is closed."""
        with self._condition:
            if self._closed or self._has_wishes() or not self._pending:
                return None
            self._running = heapq.heappop(self._pending)
            item = self._running
        self.changed()
        return item

    def finish(self, item: Item, outcome: Outcome) -> None:
        """Write an execution into history, dropping the oldest entry over `max_history`."""
        status = "success" if outcome.success else "error"
        with self._condition:
            if len(self.history) > self.max_history:  # one more than the limit stays: recorded so
                del self.history[next(iter(self.history))]
            self.history[item.prompt_id] = {
                "prompt": item.as_list(),
                "outputs": outcome.outputs,
                "status": {
                    "status_str": status,
                    "completed": outcome.success,
                    "messages": [list(message) for message in outcome.messages],
                },
                "meta": outcome.meta,
            }
            self._running = None
        self.changed()

    def wish(self, *, unload_models: bool, free_memory: bool) -> None:
        with self._condition:
            self._wishes.unload_models |= unload_models
            self._wishes.free_memory |= free_memory
            self._condition.notify()

    def take_wishes(self) -> Wishes:
        with self._condition:
            wishes, self._wishes = self._wishes, Wishes()
            return wishes

    def _has_wishes(self) -> bool:
        return self._wishes.unload_models or self._wishes.free_memory

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    @property
    def closed(self) -> bool:
        return self._closed

    def open_items(self) -> tuple[list[Item], list[Item]]:
        """(running, pending), pending in the order of the heap, as ComfyUI lists it."""
        with self._condition:
            return ([self._running] if self._running else []), list(self._pending)

    @property
    def remaining(self) -> int:
        running, pending = self.open_items()
        return len(running) + len(pending)

    def drop_pending(self, prompt_ids: Collection[str] | None) -> bool:
        """Take waiting prompts out (None: all of them); return whether any was there."""
        with self._condition:
            kept = [
                item for item in self._pending if prompt_ids is not None and item.prompt_id not in prompt_ids
            ]
            dropped = len(kept) < len(self._pending)
            heapq.heapify(kept)
            self._pending = kept
        if dropped or prompt_ids is None:
            self.changed()
        return dropped

    def history_page(self, *, max_items: int | None, offset: int) -> dict[str, Any]:
        """Up to `max_items` entries from `offset`; a negative offset means the newest ones."""
        with self._condition:
            entries = list(self.history.items())
        if max_items is None:
            return dict(entries[max(0, offset) :])
        start = len(entries) - max_items if offset < 0 else offset
        return dict(entries[max(0, start) :][:max_items])

    def history_entry(self, prompt_id: str) -> dict[str, Any] | None:
        with self._condition:
            return self.history.get(prompt_id)

    def forget(self, prompt_ids: Collection[str] | None) -> None:
        """Drop history entries (None: all)."""
        with self._condition:
            for prompt_id in list(self.history) if prompt_ids is None else prompt_ids:
                self.history.pop(prompt_id, None)
