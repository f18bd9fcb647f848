"""Faults on purpose: what goes wrong in a stand-in server, where, when, how often, and the count of it.

A fault is written `kind:at=…,node=…,after=…,times=…`. Of the occasions it fits, the first `after` pass
unharmed and the next `times` do not. The server asks at a few named points (`Faults.reach`) and in a few
named places (`Faults.act`); with nothing armed both do nothing.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn

from workers.comfysim.vram import out_of_memory

POINTS = ("submit", "start", "node", "step", "shown", "history")
"""Where a prompt passes: taken but not answered, about to leave the queue, at a node, after a step,
after an output node has shown its files, before history is written."""
NODE_POINTS = ("node", "step", "shown")
ALWAYS = "always"
_A_STALL_MS = 700  # what real servers were seen to take

# Kind: the points it may be at (the first is the default), and the other fields it reads.
_KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "crash": (("node", "step", "shown", "submit", "start", "history"), ("node",)),
    "hang": (("node", "step", "shown", "start", "history"), ("node",)),
    "exit": (NODE_POINTS, ("node",)),
    "oom": (("node", "step"), ("node",)),
    "fail": (NODE_POINTS, ("node",)),
    "deaf": ((), ("node",)),
    "ignore-interrupt": ((), ()),
    "cut": (("after", "before"), ("path",)),
    "slow": ((), ("path", "ms", "every")),
    "freeze": ((), ("path", "ms", "every")),
    "socket-drop": ((), ()),
    "socket-silent": ((), ()),
    "socket-refuse": ((), ()),
    "corrupt": ((), ("node",)),
    "truncate": ((), ("node",)),
    "delete": ((), ("node",)),
    "wrong-frames": ((), ("node",)),
    "wrong-size": ((), ("node",)),
}
KINDS = tuple(_KINDS)


@dataclass(frozen=True)
class Fault:
    """One fault. Raises ValueError, naming the field, for what makes no sense.

    `node` is a node class (empty: any), `path` the start of a request such as `/history` or `POST /prompt`,
    with or without /api (empty: any; `cut` takes `POST /prompt`), `after` how many occasions pass first,
    `times` how often it acts (None: always), `ms` how long it stalls, `every` the least seconds between two
    stalls.
    """

    kind: str
    at: str = ""
    node: str = ""
    path: str = ""
    after: int = 0
    times: int | None = 1
    ms: int = _A_STALL_MS
    every: float = 0

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"fault {self.kind!r} is unknown; the faults are {', '.join(KINDS)}")
        points, read = _KINDS[self.kind]
        if points and not self.at:
            object.__setattr__(self, "at", points[0])
        if self.at and self.at not in points:
            told = f"must be one of {', '.join(points)}" if points else "is not for this fault"
            raise self._wrong("at", told)
        for name in ("node", "path", "ms", "every"):
            if name not in read and getattr(self, name) != getattr(type(self), name):
                raise self._wrong(name, f"is not for this fault; it reads {', '.join(read) or 'none'}")
        if self.node and points and self.at not in NODE_POINTS:
            raise self._wrong("node", f"goes with at={', '.join(NODE_POINTS)}, not with at={self.at}")
        if self.kind == "cut" and not self.path:
            object.__setattr__(self, "path", "POST /prompt")
        for name, least in (("after", 0), ("ms", 1), ("times", 1), ("every", 0)):
            value = getattr(self, name)
            if value is not None and not least <= value < 1e9:
                raise self._wrong(name, f"must be a number of at least {least}")

    def _wrong(self, name: str, told: str) -> ValueError:
        return ValueError(f"fault {self.kind}: {name} is {getattr(self, name)!r}; it {told}")

    @classmethod
    def parse(cls, text: str) -> Fault:
        """`crash:at=step,after=3` as a Fault."""
        kind, _, rest = text.strip().partition(":")
        values: dict[str, Any] = {"kind": kind}
        for pair in filter(None, rest.split(",")):
            name, equals, value = pair.partition("=")
            if not equals:
                raise ValueError(f"fault {kind}: {pair!r} has no value; write name=value")
            values[name.strip()] = value.strip()
        return cls.read(values)

    @classmethod
    def read(cls, given: object) -> Fault:
        """A fault from its text or its JSON object; numbers may be text."""
        if isinstance(given, str):
            return cls.parse(given)
        if not isinstance(given, dict) or not isinstance(given.get("kind"), str):
            raise ValueError(f"fault {given!r}: must be text such as 'hang:at=step' or an object with 'kind'")
        names = [known.name for known in fields(cls)]
        for name in given:
            if name not in names:
                raise ValueError(f"fault {given['kind']}: unknown field {name!r}; it may have {names}")
        return cls(**{name: _value(given["kind"], name, value) for name, value in given.items()})

    def fits(self, at: str, node: str, path: str) -> bool:
        """Whether it is meant for this point, node class and request (`POST /prompt`, never with /api)."""
        wanted = re.sub(r"(^|\s)/api/", r"\1/", self.path)
        asked = path if " " in wanted else path.partition(" ")[2]
        return self.at == at and self.node in ("", node) and asked.startswith(wanted)


def _value(kind: str, name: str, value: object) -> Any:
    if name == "times" and value in (ALWAYS, None):
        return None
    try:
        if name in ("after", "times", "ms"):
            return _whole(value)
        if name == "every":
            return float(str(value))
    except ValueError:
        raise ValueError(f"fault {kind}: {name} is {value!r}; it must be a number") from None
    if not isinstance(value, str):
        raise ValueError(f"fault {kind}: {name} is {value!r}; it must be text")
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool):
        raise ValueError("a truth value is no number")
    return int(str(value))


@dataclass
class _Armed:
    fault: Fault
    seen: int = 0
    acted: int = 0
    not_before: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)
    """Set when it is disarmed: what hangs goes on."""

    def takes(self, seen: int | None) -> bool:
        """Whether this occasion is one to act on; `seen` is how many came before it, own count if None."""
        fault, now = self.fault, time.monotonic()
        before = self.seen if seen is None else seen
        self.seen += 1
        if before < fault.after or now < self.not_before:
            return False
        if fault.times is not None and self.acted >= fault.times:
            return False
        self.acted += 1
        self.not_before = now + fault.every
        return True


class Faults:
    """The armed faults of one server and the count of those that acted. Safe in any thread."""

    def __init__(self, faults: Iterable[Fault] = (), *, may_crash: bool = False, journal: Path | None = None):
        """`may_crash`: the server has its process to itself. `journal`: a line of JSON per act, which
        outlives a crash."""
        self._may_crash = may_crash
        self._journal = journal
        self._lock = threading.Lock()
        self._acted: Counter[str] = Counter()
        self._armed: list[_Armed] = []
        self.arm(*faults)

    def arm(self, *faults: Fault, keep: bool = False) -> None:
        """Put these in place of the armed ones, or beside them with `keep`; what was counted stays.

        What hangs by a fault that goes is let go.
        """
        if not self._may_crash and any(fault.kind == "crash" for fault in faults):
            raise ValueError("fault crash: only a server with a process of its own may crash")
        with self._lock:
            if not keep:
                self._disarm()
            self._armed += [_Armed(fault) for fault in faults]

    def _disarm(self) -> None:
        for armed in self._armed:
            armed.over.set()
        self._armed = []

    def armed(self) -> list[dict[str, Any]]:
        """Each armed fault with the times it was met (`seen`) and acted."""
        with self._lock:
            return [asdict(armed.fault) | {"seen": armed.seen, "acted": armed.acted} for armed in self._armed]

    def acted(self) -> dict[str, int]:
        """How often each kind has acted since the server started."""
        with self._lock:
            return dict(self._acted)

    def act(
        self, kind: str, at: str = "", *, node: str = "", path: str = "", seen: int | None = None
    ) -> Fault | None:
        """The fault of this kind that acts on this occasion, counted; None if there is none."""
        acting = self._acting(kind, at, node=node, path=path, seen=seen)
        return acting.fault if acting else None

    def _acting(
        self, kind: str, at: str, *, node: str = "", path: str = "", seen: int | None = None
    ) -> _Armed | None:
        with self._lock:
            for armed in self._armed:
                if armed.fault.kind == kind and armed.fault.fits(at, node, path) and armed.takes(seen):
                    self._count(armed.fault, at=at, node=node, path=path)
                    return armed
        return None

    def _count(self, fault: Fault, **where: str) -> None:
        self._acted[fault.kind] += 1
        if self._journal:
            line = {"fault": fault.kind, **{name: value for name, value in where.items() if value}}
            with self._journal.open("a", encoding="utf-8") as journal:
                journal.write(json.dumps(line | {"time": time.time()}) + "\n")

    def reach(self, point: str, *, node: str = "") -> None:
        """A prompt has come to one of POINTS: crash, hang or raise there if that is armed."""
        if self.act("crash", point, node=node):
            os.kill(os.getpid(), signal.SIGKILL)
        if hung := self._acting("hang", point, node=node):
            hung.over.wait()
        if self.act("exit", point, node=node):
            _exit(node)
        if self.act("oom", point, node=node):
            raise out_of_memory(20)
        if self.act("fail", point, node=node):
            raise RuntimeError(f"SIMULATED failure at {node}")


def _exit(node: str) -> NoReturn:
    raise SystemExit(f"SIMULATED exit in {node}")
