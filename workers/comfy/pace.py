"""How long silence between two steps may last, from the steps seen: a hang is found before its order's limit.

::

    limit = min(hang_s, max(FLOOR_S, FACTOR x the longest step of this graph node))

It holds between two steps of one node only, once :data:`ENOUGH` steps were seen (one, where this template's
steps are remembered). Everything else may take the whole ``hang_s`` of the order: what comes before a node's
first step (a model is loaded within the sampler), what comes after its last (frames are decoded), and nodes
without steps. Recorded on a CPU: first step 20.4 s, then 19.9, 18.4 and 9.7 s, so one step says little of the
next, and the factor is wide.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Final

from workers.comfy.progress import Event, Executing, Nodes, Step

FLOOR_S: Final = 120.0
"""No silence below this is called a hang for the pace's sake: kernels are compiled and memory is swapped."""

FACTOR: Final = 10.0
ENOUGH: Final = 3
"""Steps timed in an execution before they say something of the next."""

TEMPLATES: Final = 256
"""Templates that are remembered, the last used."""


class Pace:
    """The steps of one execution. ``longest``: seconds by graph node, with what earlier ones took."""

    def __init__(self, remembered: Mapping[str, float] | None = None) -> None:
        self._remembered = frozenset(remembered or ())
        self.longest = dict(remembered or {})
        self._node = ""  # whose steps are being timed
        self._value = 0.0
        self._maximum = 0.0
        self._at = 0.0
        self._timed = 0

    def take(self, event: Event, now: float) -> None:
        """Take an event of the prompt into account."""
        match event:
            case Step(node, value, maximum):
                if node == self._node and 0 < self._value < value:
                    self._time(now)
                elif node != self._node or value < self._value:
                    self._timed = 0  # another node, or another round of the same
                self._node, self._value, self._maximum, self._at = node, value, maximum, now
            case Executing(node) if node != self._node:
                self._node = ""
            case Nodes(nodes) if any(name != self._node and not at.finished for name, at in nodes.items()):
                self._node = ""

    def limit(self, hang_s: float) -> float:
        """Return how many seconds without an event are a hang now."""
        enough = 1 if self._node in self._remembered else ENOUGH
        if not (self._node and 0 < self._value < self._maximum and self._timed >= enough):
            return hang_s
        return min(hang_s, max(FLOOR_S, FACTOR * self.longest[self._node]))

    def went_on(self, now: float) -> None:
        """What was called a hang was a long step: it looked for an interrupt after all."""
        if self._node:
            self._time(now)

    def _time(self, now: float) -> None:
        self._timed += 1
        self.longest[self._node] = max(self.longest.get(self._node, 0.0), now - self._at)


class Paces:
    """The longest steps seen on this ComfyUI, by template. Kept as long as the worker lives."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._longest: dict[str, dict[str, float]] = {}

    def of(self, template: str) -> Pace:
        """Begin an execution of a template."""
        with self._lock:
            return Pace(self._longest.get(template))

    def keep(self, template: str, pace: Pace) -> None:
        """Remember the steps of an execution that was no hang."""
        with self._lock:
            before = self._longest.pop(template, {})
            self._longest[template] = {
                node: max(longest, before.get(node, 0.0)) for node, longest in pace.longest.items()
            }
            while len(self._longest) > TEMPLATES:
                del self._longest[next(iter(self._longest))]
