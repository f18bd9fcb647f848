"""Look at ComfyUI, the GPU, the disks and the artifact store every few seconds, in a thread of its own.

The node report must go out on time even while one of them stalls, so looking and reporting are two threads.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event
from typing import Final

from farm.contracts import ComfyFact
from workers.catalogue import Catalogue, read_catalogue
from workers.comfy.client import ComfyClient
from workers.comfy.errors import ComfyError, SlowAnswer
from workers.comfy.standing import State
from workers.comfy.stats import SystemStats, read_stats
from workers.comfy.text import beginning
from workers.gpu import Reading, Site, read_gpu
from workers.memory import MIB, ComfyMemory, OwnMemory
from workers.neighbours import Neighbours
from workers.node import NOTHING_SEEN, STORE, Node, Sight
from workers.nvml import Cards, read_cards
from workers.probe import AskedProbe, Probe
from workers.restart import Restart
from workers.vital import VitalThread

logger = logging.getLogger(__name__)

PERIOD_S: Final = 5.0
PROBE_S: Final = 1.0
"""The same while the coordinator waits for a probe."""

CATALOGUE_S: Final = 300.0
"""How old the list of node classes and models may grow: reading it costs ComfyUI up to a second."""

ERROR_LIMIT: Final = 500
VERSION_LIMIT: Final = 40
"""Characters, also of the Python version, of which the beginning tells."""


class Watch(VitalThread):
    """Keep ``node.sight`` true; ``changed`` is called after each look that saw something new."""

    def __init__(
        self,
        node: Node,
        client: ComfyClient,
        site: Site,
        *,
        check_store: Callable[[], str],
        check_disks: Callable[[], str] = lambda: "",
        changed: Callable[[], None],
        cards: Callable[[], Cards] = read_cards,
        restart: Restart | None = None,
        neighbours: Neighbours | None = None,
        own_memory: OwnMemory | None = None,
        min_ram_mib: int = 0,
    ) -> None:
        super().__init__("watch")
        self._node = node
        self._client = client
        self._site = site
        self._check_store = check_store
        self._check_disks = check_disks
        self._changed = changed
        self._cards = cards
        self._probe = Probe(client, ours=node.others.ours, sent=node.residents.probed)
        self._asked_probe = AskedProbe(Probe(client, ours=node.others.ours, sent=node.residents.probed))
        self._restart = restart or Restart(())
        self._neighbours = neighbours
        self._own_memory = own_memory or OwnMemory(0)
        self._comfy_memory = ComfyMemory(min_ram_mib, free=self._free)
        self._due = Event()
        self._over = False
        self._silent = False  # ComfyUI takes connections and does not answer
        self._catalogue_read_at = float("-inf")

    def work(self) -> None:
        """Look until told to stop."""
        while not self._over:
            self.look()
            self._due.wait(PROBE_S if self._node.probe_is_due else PERIOD_S)
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
        self._notice_a_restart(sight)
        self._try_the_sick(sight)
        probed = self._probe_as_asked(sight)
        # One that refuses connections is down or starting: that is its supervisor's business. One that has
        # somebody else's prompt at work lives, and that prompt would die with it.
        hangs = bool(self._node.sick) and not sight.others if sight.comfy.reachable else self._silent
        short = sight.comfy.reachable and self._comfy_memory.wants_restart
        if self._restart.consider(sick=hangs or short):
            self._comfy_memory.restarted()
        after = (self._node.standing(), sight.reading.tier_gb, sight.fingerprint)
        if probed:
            self._changed()
        if after != before:
            state, reason = after[0]
            logger.info("node stands otherwise", extra={"state": state, "reason": reason, "tier": after[1]})
            self._changed()

    def _free(self) -> None:
        self._client.free()
        self._node.residents.clear()

    def _notice_a_restart(self, sight: Sight) -> None:
        """Forget what ComfyUI held once it does not know its last prompt: a restart loses history."""
        residents = self._node.residents
        prompt_id = residents.prompt_id
        if not (prompt_id and sight.comfy.reachable):
            return
        try:
            if self._client.lookup(prompt_id).state is State.UNKNOWN:
                residents.clear()
        except ComfyError as error:
            logger.debug("last prompt not looked up", extra={"error": error.message})

    def _try_the_sick(self, sight: Sight) -> None:
        """Call a sick ComfyUI well once it has rendered a probe; an empty queue alone proves nothing."""
        sick = self._node.sick
        if not (sick and sight.comfy.reachable):
            return
        try:
            well = self._probe.succeeded()
        except ComfyError as error:
            logger.info("probe failed", extra={"error": error.message})
            return
        if well and self._node.sick == sick:  # else another render has found it hanging meanwhile
            self._node.sick = ""

    def _probe_as_asked(self, sight: Sight) -> bool:
        """Get on with a probe the coordinator asked for; tell if it ended now. A failed one makes sick."""
        node, probe = self._node, self._asked_probe
        if not sight.comfy.reachable:
            return False
        try:
            ended = probe.get_on(node.probe_asked, busy=bool(node.hand.on_gpu() or sight.others))
        except ComfyError as error:
            logger.info("probe failed", extra={"error": error.message})
            return False
        if ended and probe.result is not None:
            node.probe = probe.result
            if not probe.result.ok:
                node.sick = f"a probe failed: {probe.result.message}"
        return ended

    def _see(self) -> Sight:
        looking_at, before = self._node.looking_at, self._node.sight
        with looking_at(STORE):
            store = beginning(self._check_store(), ERROR_LIMIT)
        with looking_at("this node's own disk"):
            disks = beginning(self._check_disks(), ERROR_LIMIT)
        with looking_at("the GPU's driver"):
            cards = self._cards()
        try:
            stats = read_stats(self._client.system_stats())
            queue = self._client.queue()
            catalogue = self._catalogue(before)
            comfy = _comfy_fact(
                stats, running=len(queue.running), pending=len(queue.pending), address=self._site.address
            )
            memory = self._check_memory(comfy)
        except ComfyError as error:
            self._silent = isinstance(error, SlowAnswer)
            self._catalogue_read_at = float("-inf")  # it may come back with other models
            return Sight(
                comfy=ComfyFact(
                    reachable=False,
                    error=beginning(error.message, ERROR_LIMIT),
                    address=self._site.address,
                ),
                reading=read_gpu(None, cards, self._site),
                catalogue=before.catalogue,
                store=store,
                disks=disks,
            )
        others = self._node.others
        others.look(queue.running)
        self._node.residents.fit_into(stats.room)
        reading = read_gpu(stats, cards, self._site)
        return Sight(
            comfy=comfy,
            reading=reading,
            catalogue=catalogue,
            store=store,
            disks=disks,
            neighbour=self._check_neighbours(reading),
            memory=memory,
            others=others.reason,
            crowded=others.too_long,
        )

    def _check_memory(self, comfy: ComfyFact) -> str:
        idle = not self._node.hand.count()
        own = self._own_memory.check(idle=idle)
        # Whoever else has prompts in this ComfyUI would lose them by a restart.
        unused = idle and not (comfy.queue_running or comfy.queue_pending)
        return own or self._comfy_memory.check(comfy.ram_free_mib, idle=unused)

    def _check_neighbours(self, reading: Reading) -> str:
        if self._neighbours is None:
            return ""
        card = reading.gpus[0].uuid if reading.gpus else ""
        return self._neighbours.check(comfyui=self._site.address, card=card)

    def _catalogue(self, before: Sight) -> Catalogue | None:
        fresh = time.monotonic() - self._catalogue_read_at < CATALOGUE_S
        if fresh and before is not NOTHING_SEEN:
            return before.catalogue
        listed = self._client.models(as_listed=True)
        sizes, places = self._sizes(listed, before.catalogue), self._places()
        catalogue = read_catalogue(self._client.object_info(), listed, sizes, places)
        self._catalogue_read_at = time.monotonic()
        return catalogue

    def _sizes(self, listed: dict[str, tuple[str, ...]], before: Catalogue | None) -> dict[str, int]:
        """Ask for the sizes of model files only where these are others: it may cost a walk over a NAS."""
        if before is not None and before.as_listed == listed:
            return before.sizes
        try:
            return self._client.model_sizes(folder for folder, names in listed.items() if names)
        except ComfyError as error:
            logger.info("sizes of model files not read", extra={"error": error.message})
            return {}

    def _places(self) -> dict[str, tuple[str, ...]]:
        try:
            return self._client.model_folders()
        except ComfyError as error:
            logger.info("folders of model files not read", extra={"error": error.message})
            return {}


def _comfy_fact(stats: SystemStats, *, running: int, pending: int, address: str) -> ComfyFact:
    system = stats.system
    device_type = stats.devices[0].type if stats.devices else ""
    return ComfyFact(
        reachable=True,
        version=beginning(system.comfyui_version or "", VERSION_LIMIT),
        device_type=beginning(device_type or "", VERSION_LIMIT),
        python=beginning(system.python_version or "", VERSION_LIMIT),
        pytorch=beginning(system.pytorch_version or "", VERSION_LIMIT),
        queue_running=running,
        queue_pending=pending,
        address=address,
        ram_free_mib=None if system.ram_free is None else system.ram_free // MIB,
    )
