"""All simulated nodes in one event loop, in a thread of its own, on three connections to the broker."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from farm.contracts import (
    CONTROL_CANCEL,
    CONTROL_UNSTAGE,
)
from tests.farmsim import wire
from tests.farmsim.calls import LOOK_S, Calls
from tests.farmsim.delivery import Delivery
from tests.farmsim.fates import NOTHING, Fate, Fates
from tests.farmsim.hand import Held
from tests.farmsim.lines import Lines
from tests.farmsim.node import Kind, SimNode
from tests.farmsim.orders import Orders
from tests.farmsim.resp import Line
from tests.farmsim.stats import Stats
from tests.farmsim.switchboard import Switchboard

T = TypeVar("T")


class Fleet:
    """The nodes' side of the farm. Public methods marked "any thread" may be called from outside."""

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        *,
        broker_url: str,
        store: Path,
        seed: int = 0,
        pace: float = 1.0,
        render_s: float | None = None,
        fates: Fates = NOTHING,
    ) -> None:
        """``kinds``: each node by name. ``pace``: seconds here per second of the model table. ``render_s``:
        what every render takes, whatever its model.
        """
        self._render_s = render_s
        self.pace = pace
        self.fates = fates
        self.stats = Stats()
        self.durations: dict[str, float] = {}
        """Seconds by job id, where a trace says so; else the model's own time."""
        self.loop = asyncio.new_event_loop()
        self.broker_url = broker_url
        self.lines = Lines(broker_url, heard=self._heard)
        self.delivery = Delivery(self, store, random.Random(seed))
        self.orders = Orders(self)
        self.calls = Calls(lambda: self.words, self.loop)
        self.board = Switchboard(self.orders.refresh)
        self.nodes = {name: SimNode(name, kind, self) for name, kind in kinds.items()}
        self.largest_tier = max((node.tier_gb for node in self.nodes.values()), default=0)
        self._tasks: list[asyncio.Task[None]] = []
        self._thread = Thread(target=self._run, name="fleet", daemon=True)

    @property
    def words(self) -> Line:
        """The connection on which everything is said now."""
        return self.lines.words

    # Any thread

    def start(self) -> None:
        """Any thread: open the connections and let every node begin its life."""
        self._thread.start()
        self.do(self._begin)

    def stop(self) -> None:
        """Any thread: end everything."""
        self.do(self._end)
        self._thread.join(10)

    def do(self, act: Callable[..., T], *arguments: Any) -> T:
        """Any thread: run ``act`` in the event loop and return what it returns."""
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(act(*arguments))
            except BaseException as exc:  # noqa: BLE001 - raised where it was asked for
                done.set_exception(exc)

        self.loop.call_soon_threadsafe(run)
        return done.result(30)

    # What nodes use

    def clock(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def later(self, seconds: float, act: Callable[..., Any], *arguments: Any) -> asyncio.TimerHandle:
        """Call ``act`` in ``seconds``."""
        return self.loop.call_later(seconds, act, *arguments)

    def fall_silent(self) -> None:
        """Every node is gone, without a word."""
        for node in self.nodes.values():
            node.die(disk=False)

    def unload(self) -> None:
        """No node holds a model; loads are counted from now."""
        for node in self.nodes.values():
            node.gpu.forget()
            node.changed()
        self.stats.loads = 0

    def is_quiet(self) -> bool:
        """Whether no node has anything in hand, or to tell."""
        return not any(node.hand or node.spool or node.reporter.extra for node in self.nodes.values())

    def count(self, what: str) -> None:
        """Count something for the person who looks."""
        self.stats.counts[what] += 1

    def seconds_of(self, held: Held) -> float:
        """How long this order executes with its model loaded."""
        known = self.durations.get(held.order.job_id, self._render_s)
        if known is not None:
            return known
        return held.model.warm_s * self.pace if held.model else 0.0

    def claim_granted(self, held: Held) -> None:
        """An order became work."""
        self.count("claims granted")
        self.stats.moved(held.order.job_id, sent_at=held.sent_at)

    def claim_refused(self, held: Held, reason: str) -> None:
        """An order is dropped; a stale one is meant to be."""
        self.count("claims refused")
        if self.delivery.is_stale(held.attempt_id):
            self.fates.happened(Fate.STALE_ORDER)
        elif reason != "unanswered":
            self.stats.refusals[reason] += 1

    def started(self, held: Held) -> None:
        """A prompt executes."""
        self.stats.started.setdefault(held.order.job_id, time.time())
        self.stats.executions[held.order.job_id] += 1
        self.count(f"executions by {held.road}")

    def loaded(self, held: Held) -> None:
        """A model was loaded."""
        self.stats.loads += 1
        self.count(f"loads for orders by {held.road}")

    # The loop

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        self.loop.close()

    def _begin(self) -> None:
        run = self.loop.create_task
        self._tasks = [run(self.lines.keep_words()), run(self.lines.keep_ears()), run(self.orders.take())]
        for number, node in enumerate(self.nodes.values()):
            # Nodes do not all start in the same instant.
            self.later(0.5 + number * 0.004, node.start)
        self._look()

    def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.words.close()
        self.loop.call_later(0.1, self.loop.stop)

    def _look(self) -> None:
        if self.words.up:
            self.calls.look()
            self.orders.sample(self.words)
        self.later(LOOK_S, self._look)

    def _heard(self, pushed: list[bytes]) -> None:
        channel, content = pushed[-2:]
        if channel == wire.PIDBOX.encode():
            self._controlled(content)
        else:
            self.calls.heard(channel, content)

    def _controlled(self, content: bytes) -> None:
        method, arguments, destination = wire.read_control(content)
        attempt_id = str(arguments.get("attempt_id"))
        if method not in (CONTROL_CANCEL, CONTROL_UNSTAGE):
            return
        self.count(f"remote control {method}")
        for node in self._addressed(destination):
            node.at_work(node.cancel if method == CONTROL_CANCEL else node.unstage, attempt_id)()

    def _addressed(self, destination: list[str] | None) -> Iterable[SimNode]:
        names = None if destination is None else {worker.partition("@")[0] for worker in destination}
        return [node for name, node in self.nodes.items() if names is None or name in names]
