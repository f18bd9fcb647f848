"""This node: who it is, how it stands, and what it therefore listens to."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from farm.contracts import HEARS, Capabilities, ComfyFact, NodeReport, NodeState, ProbeResult, RenderReport
from farm.tiers import next_queue_for, node_queue, queue_for
from workers.catalogue import Catalogue
from workers.comfy.pace import Paces
from workers.gpu import Reading
from workers.hand import Hand
from workers.inventory import Told
from workers.others import Others
from workers.residents import Residents

ACTIVE = "active"

LOOK_S: Final = 120.0
"""How long the watch may look at one thing, a hung mount or driver say, before what it saw earlier is old."""

STORE: Final = "the artifact store"


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What was last seen of ComfyUI, the GPU and the artifact store.

    ``catalogue`` is what this ComfyUI offers, None: not read yet.
    ``store`` says why the artifact store cannot be used, "" if it can; ``disks`` which of our own is full,
    ``neighbour`` which other worker has what this one was given, ``memory`` whose main memory runs out.
    ``others``: that somebody else's prompt executes in ComfyUI; ``crowded``: for longer than is waited for.
    """

    comfy: ComfyFact
    reading: Reading
    catalogue: Catalogue | None = None
    store: str = ""
    disks: str = ""
    neighbour: str = ""
    memory: str = ""
    others: str = ""
    crowded: bool = False

    @property
    def capabilities(self) -> Capabilities | None:
        """What this node can render, as it is told to the coordinator."""
        return self.catalogue.capabilities if self.catalogue else None

    @property
    def models_as_listed(self) -> dict[str, tuple[str, ...]]:
        """Model names by folder as this ComfyUI spells them: with ``\\`` on Windows."""
        return self.catalogue.as_listed if self.catalogue else {}

    @property
    def fingerprint(self) -> str:
        """The capabilities' fingerprint, empty while they are unknown."""
        return self.catalogue.fingerprint if self.catalogue else ""


NOTHING_SEEN = Sight(
    comfy=ComfyFact(reachable=False, error="not asked yet"),
    reading=Reading(tier_gb=None, reason="not read yet"),
)


class Node:
    """A GPU node's state in one process. ``worker`` is the Celery node name, ``name`` the farm's.

    Each field is replaced as a whole: ``sight`` by the watch; ``inventory`` by the stocktaking; ``desired``,
    ``serve``, ``epoch``, ``probe_asked`` and ``inventory_wanted`` by the reporter, as the coordinator
    answered last; ``leaving`` at shutdown. ``sick`` is set by a render that found ComfyUI hanging and cleared
    by the watch when a probe has rendered; ``canary`` is the last that was heard, ``probe`` the end of the
    last probe that was asked for. Readers look at a field once.
    ``keys``: the services whose key this node holds.
    """

    def __init__(
        self,
        name: str,
        worker: str,
        *,
        others: Others | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self.others = others or Others(clock=clock)
        self._looking: tuple[str, float] | None = None  # at what the watch looks now, and since when
        self.name = name
        self.worker = worker
        self.hand = Hand(clock=clock)
        self.residents = Residents()
        self.paces = Paces()
        self.epoch = _new_epoch()
        self.sight = NOTHING_SEEN
        self.desired = ACTIVE
        self.serve = False
        self.sick = ""
        self.canary = ""
        self.probe_asked = ""
        self.probe: ProbeResult | None = None
        self.inventory: Told | None = None
        self.inventory_wanted: tuple[int, ...] | None = None
        self.leaving = False
        self.keys: tuple[str, ...] = ()

    def begin_new_epoch(self) -> None:
        """Start over after the coordinator gave this node up: new epoch, nothing in hand may go on."""
        self.epoch = _new_epoch()
        self.hand.cancel_all()

    @contextmanager
    def looking_at(self, what: str) -> Iterator[None]:
        """Note that the watch looks at this while inside: a look that does not come back is told."""
        self._looking = (what, self._clock())
        try:
            yield
        finally:
            self._looking = None

    @property
    def stands_still(self) -> str:
        """At what the watch has looked for too long; "" if at nothing."""
        looking = self._looking
        return looking[0] if looking and self._clock() - looking[1] > LOOK_S else ""

    @property
    def probe_is_due(self) -> bool:
        """Whether the coordinator waits for a probe that has not ended."""
        return bool(self.probe_asked) and (self.probe is None or self.probe.id != self.probe_asked)

    @property
    def own_queue(self) -> str:
        """The queue only this node reads, in this epoch."""
        return node_queue(self.name, self.epoch)

    def standing(self) -> tuple[NodeState, str]:
        """Say how the node stands, and why if it takes no work or less than its card could."""
        return self._standing(self.sight)

    def _standing(self, sight: Sight) -> tuple[NodeState, str]:
        sick, still = self.sick, self.stands_still
        if self.leaving:
            return NodeState.DEAF, "the worker is shutting down"
        obstacle = sight.neighbour or sight.disks or sight.store or sight.memory
        if sight.crowded:
            obstacle = obstacle or sight.others
        if still:
            obstacle = f"{still} has not answered a look for {LOOK_S:g} s"
        elif not sight.comfy.reachable:
            obstacle = f"ComfyUI does not answer: {sight.comfy.error}"
        if sight is NOTHING_SEEN:
            return NodeState.STARTING, obstacle if still else "ComfyUI and GPU are being probed"
        if obstacle:
            return NodeState.DEAF, obstacle
        if sick:
            return NodeState.SICK, sick
        state = NodeState.BUSY if self.hand.count() else NodeState.IDLE
        return state, "; ".join(filter(None, (sight.reading.reason, sight.others)))

    def listens(self) -> tuple[str, ...]:
        """Name the queues to read now, in the order to read them.

        Idle: all that is to start, then all that is to stage, each with the largest tier first, so that no
        staged order is begun before one that was meant to start. One order on the GPU: to stage. One staged
        as well: none. The node's own queue always; tier queues only while the coordinator says ``serve``.
        """
        sight, on_gpu = self.sight, self.hand.on_gpu()
        state, _ = self._standing(sight)
        able = state in (NodeState.IDLE, NodeState.BUSY) and on_gpu <= 1
        if not (able and self.serve and self.desired == ACTIVE):
            return (self.own_queue,)
        tiers = sight.reading.serves
        to_start = () if on_gpu else tuple(queue_for(tier) for tier in tiers)
        return (self.own_queue, *to_start, *(next_queue_for(tier) for tier in tiers))

    def report(
        self,
        finished: tuple[RenderReport, ...],
        *,
        with_capabilities: bool = False,
        with_catalogue: bool = False,
    ) -> NodeReport:
        """Write the node's report.

        Where the artifact store stands still, orders that stand there with it are left out: their leases run
        out, and others render them.
        """
        sight = self.sight
        state, reason = self._standing(sight)
        whole = sight.catalogue.whole if sight.catalogue else None
        return NodeReport(
            node=self.name,
            worker=self.worker,
            epoch=self.epoch,
            state=state,
            reason=reason,
            tier_gb=sight.reading.tier_gb,
            simulated=sight.reading.simulated,
            gpus=sight.reading.gpus,
            comfy=sight.comfy,
            fingerprint=sight.fingerprint,
            capabilities=sight.capabilities if with_capabilities else None,
            running=self.hand.running(at_store_s=LOOK_S if self.stands_still == STORE else None),
            finished=finished,
            resident=self.residents.told(),
            canary=self.canary,
            probe=self.probe,
            hears=HEARS,
            catalogue_of=whole.sha256 if whole else "",
            catalogue=whole.text if whole and with_catalogue else "",
            keys=self.keys,
            inventory=self.inventory.report(self.inventory_wanted) if self.inventory else None,
        )


def _new_epoch() -> str:
    return uuid.uuid4().hex[:12]
