"""All simulated nodes in one event loop, in a thread of its own, on three connections to the broker."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Any, Final, TypeVar

from farm.contracts import (
    BELL,
    CONTROL_CANCEL,
    CONTROL_UNSTAGE,
    MANIFEST_NAME,
    REPORT,
    ArtifactFact,
    Bell,
    NodeReport,
    Outcome,
    RenderReport,
    canonical,
    to_json,
)
from farm.tiers import QUEUE_REPORTS
from tests.farmsim import wire
from tests.farmsim.calls import LOOK_S, Calls
from tests.farmsim.fates import NOTHING, Fate, Fates
from tests.farmsim.hand import Held
from tests.farmsim.node import Kind, SimNode
from tests.farmsim.orders import Orders
from tests.farmsim.pictures import picture_for
from tests.farmsim.resp import Gone, Line, Refused
from tests.farmsim.stats import Stats
from tests.farmsim.switchboard import Switchboard

T = TypeVar("T")
RETRY_S: Final = 0.3
"""Between two tries to reach a broker that is away."""
REPEATS: Final = 2
"""How often a duplicate report is said again after it was confirmed."""


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
        self._root = store
        self._rng = random.Random(seed)
        self.words = Line()
        self.orders = Orders(self)
        self.calls = Calls(lambda: self.words, self.loop)
        self.board = Switchboard(self.orders.refresh)
        self.nodes = {name: SimNode(name, kind, self) for name, kind in kinds.items()}
        self.largest_tier = max((node.tier_gb for node in self.nodes.values()), default=0)
        self._to_be_stale: dict[str, bytes] = {}
        self.stale_attempts: set[str] = set()
        """Attempts whose orders were delivered again when they had ended."""
        self._unrung: set[str] = set()
        self._without_files: set[str] = set()
        self.manifest_only: set[str] = set()
        """Attempts of which nothing but the manifest tells."""
        self._tasks: list[asyncio.Task[None]] = []
        self._thread = Thread(target=self._run, name="fleet", daemon=True)

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

    def is_quiet(self) -> bool:
        """Whether no node has anything in hand, or to tell."""
        return not any(node.hand or node.spool or node.extra for node in self.nodes.values())

    def count(self, what: str) -> None:
        """Count something for the person who looks."""
        self.stats.counts[what] += 1

    def happened(self, fate: Fate, job_id: str) -> None:
        """A fault is proven."""
        self.fates.happened(fate)
        if job_id:
            self.stats.struck(str(fate), job_id)

    def seconds_of(self, held: Held) -> float:
        """How long this order executes with its model loaded."""
        known = self.durations.get(held.order.job_id, self._render_s)
        if known is not None:
            return known
        return held.model.warm_s * self.pace if held.model else 0.0

    def claim_granted(self, held: Held) -> None:
        """An order became work."""
        self.count("claims granted")
        self.stats.moved(held.order.job_id)

    def claim_refused(self, held: Held, reason: str) -> None:
        """An order is dropped; a stale one is meant to be."""
        self.count("claims refused")
        if held.attempt_id in self.stale_attempts:
            self.fates.happened(Fate.STALE_ORDER)
        elif reason != "unanswered":
            self.stats.refusals[reason] += 1

    def started(self, held: Held) -> None:
        """A prompt executes."""
        self.stats.started.setdefault(held.order.job_id, time.time())
        self.stats.executions[held.order.job_id] += 1

    def loaded(self, held: Held) -> None:
        """A model was loaded."""
        self.stats.loads += 1

    def store(self, held: Held) -> tuple[ArtifactFact, ...]:
        """Store what was rendered; return the facts for the report."""
        pictures = [picture_for(output) for output in held.order.outputs]
        if held.fate is Fate.MISSING_FILES:
            self.happened(held.fate, held.order.job_id)
            self._without_files.add(held.attempt_id)
        else:
            folder = self._root / held.order.artifact_folder
            folder.mkdir(parents=True, exist_ok=True)
            for picture in pictures:
                (folder / picture.fact.path).write_bytes(picture.content)
        return tuple(picture.fact for picture in pictures)

    def deliver(self, node: SimNode, held: Held, report: RenderReport) -> None:
        """Bring a report home by every road that its fate leaves open."""
        succeeded = report.outcome is Outcome.SUCCEEDED
        fate = held.fate if succeeded else None
        if succeeded and fate is not Fate.MISSING_FILES:
            manifest = self._root / held.order.artifact_folder / MANIFEST_NAME
            manifest.write_bytes(canonical(to_json(report)))
        self.stats.outcomes[str(report.outcome)] += 1
        if fate is Fate.LOST_RESULT:
            self.stats.struck(str(fate), held.order.job_id)  # proven by the take, if one is made of it
            self.manifest_only.add(held.attempt_id)
            return
        node.spool[held.attempt_id] = report
        self._write_result(report)
        if fate is Fate.LOST_BELL:
            self._unrung.add(held.attempt_id)
        else:
            self.ring(held.attempt_id)
        if fate is Fate.DUPLICATE:
            node.kept[held.attempt_id] = REPEATS
            self.ring(held.attempt_id)
        elif fate is Fate.FORGED:
            node.extra.append(report.signed("not the key"))
            self.fates.happened(fate)
        elif fate is Fate.REORDERED:
            node.reorder = True

    def ring(self, attempt_id: str) -> None:
        """The bell."""
        message = wire.task_message(
            BELL, Bell(attempt_id=attempt_id), queue=QUEUE_REPORTS, ignore_result=True
        )
        self.words.send("LPUSH", QUEUE_REPORTS, message)

    def confirmed(self, report: RenderReport) -> None:
        """The coordinator has it."""
        if report.outcome is Outcome.SUCCEEDED and report.attempt_id not in self._without_files:
            self.stats.confirmed[report.job_id] = time.time()
            self.stats.moved(report.job_id)
        if report.attempt_id in self._unrung:
            self._unrung.remove(report.attempt_id)
            self.fates.happened(Fate.LOST_BELL)
        if report.attempt_id in self._to_be_stale:
            self._deliver_stale(report)

    def tell_late(self, report: NodeReport) -> None:
        """A node report that arrives behind a newer one."""
        self.words.send("LPUSH", QUEUE_REPORTS, wire.task_message(REPORT, report, queue=QUEUE_REPORTS))
        self.fates.happened(Fate.REORDERED)

    def remember_order(self, held: Held, raw: bytes) -> None:
        """Keep an order to deliver it again when it is stale."""
        self._to_be_stale[held.attempt_id] = raw

    def _deliver_stale(self, report: RenderReport) -> None:
        others = [
            node
            for node in self.nodes.values()
            if node.alive and not node.frozen and node.name != report.node
        ]
        if others:
            self.stale_attempts.add(report.attempt_id)
            raw = self._to_be_stale.pop(report.attempt_id)
            self.words.send("LPUSH", self._rng.choice(others).own_queue, raw)

    def _write_result(self, report: RenderReport) -> None:
        """As Celery's backend does: stored for a week, and published, in one transaction."""
        write = wire.success if report.outcome is Outcome.SUCCEEDED else wire.failure
        content, key = write(report.attempt_id, report), wire.result_key(report.attempt_id)
        self.words.send("MULTI")
        self.words.send("SETEX", key, wire.RESULT_EXPIRES_S, content)
        self.words.send("PUBLISH", key, content)
        self.words.send("EXEC")

    # The loop

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        self.loop.close()

    def _begin(self) -> None:
        run = self.loop.create_task
        self._tasks = [run(self._keep_words()), run(self._keep_ears()), run(self.orders.take())]
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

    async def _keep_words(self) -> None:
        """Keep a connection for everything that is said."""
        while True:
            lost = asyncio.Event()
            line = Line(lost=lost.set)
            if await self._connected(line):
                self.words = line
                await lost.wait()
            await asyncio.sleep(RETRY_S)

    async def _keep_ears(self) -> None:
        """Keep a connection for results and remote control."""
        while True:
            lost = asyncio.Event()
            line = Line(pushed=self._heard, lost=lost.set)
            if await self._connected(line):
                line.send("PSUBSCRIBE", f"{wire.RESULT_PREFIX}*")
                line.send("SUBSCRIBE", wire.PIDBOX)
                await lost.wait()
            await asyncio.sleep(RETRY_S)

    async def _connected(self, line: Line) -> bool:
        try:
            await line.connect(self.broker_url)
        except (OSError, Gone, Refused, TimeoutError):
            line.close()
            return False
        return True

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
