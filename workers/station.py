"""A node's parts, put together once per worker process."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from threading import Lock, Thread
from typing import Final

from celery import Celery

from farm.contracts import COMFY_ORG, ClaimRequest, RenderOrder, RenderReport
from workers.catalogue import Catalogue
from workers.claims import CeleryClaim, Claim
from workers.comfy.client import ComfyClient
from workers.comfy.text import NAME_LIMIT, beginning
from workers.disks import Disks, clear_scratch
from workers.errors import KeyAbsent, SpoolUnavailable
from workers.gpu import Site, is_here
from workers.hashing import HashBook
from workers.inventory import Stocktaking, Told
from workers.memory import OwnMemory
from workers.neighbours import Neighbours
from workers.node import Node
from workers.others import Others
from workers.queues import Subscriptions
from workers.reporter import Reporter
from workers.restart import Restart
from workers.settings import Settings
from workers.shelves import Shelves
from workers.spool import Spool, Started
from workers.stores import open_store
from workers.watch import Watch

logger = logging.getLogger(__name__)

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.@-]")


class Station:
    """Everything a render needs of its node. Raises SpoolTaken where another process is this node,
    SpoolUnavailable where its disk fails.
    """

    def __init__(self, app: Celery, settings: Settings, worker: str) -> None:
        self._app = app
        self._settings = settings
        name = settings.node or worker.removeprefix("celery@")
        self.node = Node(name, worker, others=Others(settings.others_s))
        self.node.keys = (COMFY_ORG,) if settings.comfy_key else ()
        self.spool = Spool(settings.spool / _UNSAFE.sub("-", name))
        self.spool.own()
        self.store = open_store(settings.artifacts, min_free=settings.min_free)
        self.subscriptions = Subscriptions(app, self.node)
        self._reporter = Reporter(app, self.node, self.spool, self.subscriptions)
        self._watch = Watch(
            self.node,
            self.client(f"watch-{name}"),
            _site(settings),
            check_store=self.store.check,
            check_disks=Disks(spool=self.spool.folder, min_free=settings.min_free).check,
            changed=self.changed,
            restart=Restart(settings.comfyui_restart),
            neighbours=Neighbours(settings.spool, name),
            own_memory=OwnMemory(settings.max_rss_mib),
            min_ram_mib=settings.min_ram_mib,
        )
        self._stocktaking = Stocktaking(
            catalogue=lambda: self.node.sight.catalogue,
            shelves=self._shelves,
            busy=lambda: bool(self.node.hand.count() or self.node.sight.others),
            tell=self._took_stock,
            book=HashBook(settings.spool / "hashes.sqlite3"),
            lock=settings.spool / "hashing.lock",
        )
        self.node.hand.changed = self.changed
        self._left = self.spool.started()
        for started in self._left:
            self.node.others.ours(started.prompt_id)
        self._begun = False

    def client(self, client_id: str) -> ComfyClient:
        """Open a door to ComfyUI; each attempt has its own, for it has its own events."""
        return ComfyClient(self._settings.comfyui_url, client_id=client_id)

    def secrets_for(self, order: RenderOrder) -> dict[str, str]:
        """What goes to ComfyUI beside an order's graph, and nowhere else: a key. Raises KeyAbsent."""
        if not order.key:
            return {}
        if order.key not in self.node.keys:
            raise KeyAbsent(f"the order needs the key of {order.key}, which this node does not hold")
        return {"api_key_comfy_org": self._settings.comfy_key}

    def claim(self, request: ClaimRequest) -> Claim:
        """Ask the coordinator whether an attempt is still wanted."""
        return CeleryClaim(self._app, request)

    def knows(self, attempt_id: str) -> bool:
        """Tell whether this node has an attempt in hand, has begun it in a former life, or has ended it."""
        return self.node.hand.holds(attempt_id) or self.spool.knows(attempt_id)

    def remember(self, report: RenderReport) -> bool:
        """Spool a report until it is confirmed; say so and return False if the disk fails."""
        try:
            self.spool.finish(report)
        except SpoolUnavailable as error:
            logger.error("report not spooled", extra={"attempt": report.attempt_id, "error": str(error)})
            return False
        return True

    def changed(self) -> None:
        """Follow a change of the node's state: other queues, and a report at once."""
        self._reporter.poke()
        self.subscriptions.refresh()

    def heard(self, canary_id: str) -> None:
        """Tell the coordinator which canary has just come."""
        self.node.canary = beginning(str(canary_id), NAME_LIMIT)
        self._reporter.poke()

    def look_again(self, *, catalogue: bool = False) -> None:
        """Look at ComfyUI soon; with ``catalogue`` also at its node classes and models."""
        self._watch.look_again(catalogue=catalogue)

    def _shelves(self, catalogue: Catalogue) -> Shelves:
        here = is_here(self._settings.comfyui_url) and not self.node.sight.reading.simulated
        return Shelves(places=catalogue.places, roots=self._settings.models, here=here)

    def _took_stock(self, told: Told) -> None:
        self.node.inventory = told

    def begin(self, settle: Callable[[Station, Iterable[Started]], None]) -> None:
        """Start watching, reporting and settling what a former life left; once per process."""
        if self._begun:
            return
        self._begun = True
        self._watch.start()
        self._reporter.start()
        self._stocktaking.start()
        Thread(target=clear_scratch, name="scratch", daemon=True).start()
        if self._left:
            Thread(target=settle, args=(self, self._left), name="recover", daemon=True).start()

    def leave(self) -> None:
        """Say that no more orders are taken; those in hand are finished."""
        self.node.leaving = True
        self.changed()

    def end(self) -> None:
        """Send the last report and stop."""
        self._stocktaking.stop()
        self._watch.stop()
        self._reporter.stop()


def _site(settings: Settings) -> Site:
    return Site(
        comfyui_url=settings.comfyui_url,
        gpu=settings.gpu,
        visible=settings.visible_gpus,
        allow_simulated=settings.simulated,
    )


class NotOpenError(RuntimeError):
    """A task ran in a process that is no started worker."""


_lock = Lock()
_current: Station | None = None


def open_station(app: Celery, settings: Settings, worker: str) -> Station:
    """Put the parts together, or return what already stands in this process."""
    global _current  # noqa: PLW0603 - one process is one node
    with _lock:
        if _current is None:
            _current = Station(app, settings, worker)
        return _current


def current() -> Station:
    """Return this process's station."""
    if _current is None:
        raise NotOpenError("no station is open: start the node with `celery -A workers worker`")
    return _current
