"""Orders come in: one blocking read of every queue that some node listens to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from farm.contracts import CANARY, RENDER, ContractError, RenderOrder, from_json
from tests.farmsim import wire
from tests.farmsim.fates import Fate
from tests.farmsim.hand import Held, model_of
from tests.farmsim.resp import Gone, Line, Refused, Reply, encode

if TYPE_CHECKING:
    from tests.farmsim.fleet import Fleet
    from tests.farmsim.node import SimNode

RETRY_S: Final = 0.3
NOBODY_S: Final = 0.02
AGAIN_S: Final = 0.002
COUNT: Final = "local n=0 for _,k in ipairs(KEYS) do n=n+redis.call('LLEN',k) end return n"
SAMPLE_EACH: Final = 3
"""Looks between two samples of the queues' depth."""


class Orders:
    """Takes orders from the broker and gives each to a node that listens to its queue."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._client: int | None = None
        self._asked: tuple[str, ...] = ()
        self._ending = False
        self._written_for: tuple[str, ...] = ()
        self._written = b""
        self._looks = 0

    async def take(self) -> None:
        """Read orders for ever, through reconnects."""
        while True:
            line = Line()
            try:
                await line.connect(self._fleet.broker_url)
                self._client = await line.ask("CLIENT", "ID")
                while True:
                    await self._take_one(line)
            except (OSError, Gone, Refused, TimeoutError):
                line.close()
                self._client = None
                await asyncio.sleep(RETRY_S)

    def refresh(self) -> None:
        """End the read in flight if the nodes listen to something else now."""
        stale = self._asked and self._fleet.board.queues() != self._asked
        if stale and self._client is not None and not self._ending:
            self._ending = True
            self._fleet.words.send("CLIENT", "UNBLOCK", self._client, then=self._ended)

    def _ended(self, ended: Reply) -> None:
        """It may have come before the read it was to end: then another one follows."""
        self._ending = False
        if ended != 1:
            self._fleet.later(RETRY_S if isinstance(ended, Exception) else AGAIN_S, self.refresh)

    async def _take_one(self, line: Line) -> None:
        # A worker that reads its queues can speak, too: both go to the same broker. Nor takes a node here an
        # order that it could not claim, as the other line is not open again yet.
        self._asked = self._fleet.board.queues() if self._fleet.words.up else ()
        if not self._asked:
            await asyncio.sleep(NOBODY_S)
            return
        if self._asked != self._written_for:
            # Five hundred names take half a millisecond to write, and rarely change.
            self._written_for, self._written = self._asked, encode(("BRPOP", *self._asked, 0))
        reply = await line.ask_raw(self._written)
        self._asked = ()
        if reply is not None:
            queue, raw = reply
            self._deliver(queue.decode(), raw)

    def _deliver(self, queue: str, raw: bytes) -> None:
        fleet = self._fleet
        node = fleet.board.taker(queue)
        if node is None:
            # Whoever listened does not any more; it was in nobody's hand.
            fleet.count("orders put back")
            fleet.words.send("RPUSH", queue, raw)
            return
        try:
            message = wire.read_task(raw)
            if message.task == CANARY:
                node.at_work(node.hear_canary, str(message.argument))()
                return
            if message.task != RENDER:
                fleet.count(f"tasks {message.task}")
                return
            order = from_json(RenderOrder, message.argument)
        except (wire.NoTask, ContractError):
            fleet.count("orders not readable")
            return
        own = fleet.board.owner(queue) is node
        if not own and node.on_gpu() > (0 if not queue.endswith(".next") else 1):
            fleet.count("orders taken by a busy node")
        self._give(
            node, order, raw, road="own queue" if own else "next" if queue.endswith(".next") else "tier"
        )

    def _give(self, node: SimNode, order: RenderOrder, raw: bytes, *, road: str) -> None:
        fleet = self._fleet
        fleet.count("orders")
        held = Held(order=order, epoch=node.epoch, model=model_of(order), road=road)
        if not fleet.delivery.is_stale(order.attempt_id):
            held.fate = fleet.fates.deal(order.job_id, impossible=self._impossible(held))
            if held.fate is Fate.STALE_ORDER:
                fleet.delivery.remember_order(held, raw)
        node.receive(held)

    def _impossible(self, held: Held) -> tuple[Fate, ...]:
        """Out of memory moves a job one tier up: not where there may be none."""
        return (Fate.OUT_OF_MEMORY,) if held.order.tier_gb >= self._fleet.largest_tier else ()

    def sample(self, line: Line) -> None:
        """Compare what lies in the queues with the places that nodes have, every now and then."""
        self._looks += 1
        if self._looks % SAMPLE_EACH:
            return
        fleet = self._fleet
        keys = fleet.board.every_queue()
        places = sum(max(0, 2 - node.on_gpu()) for node in fleet.nodes.values())

        def counted(depth: Reply) -> None:
            if isinstance(depth, int):
                fleet.stats.sampled(depth, places)

        line.send("EVAL", COUNT, len(keys), *keys, then=counted)
