"""Which model files lie on a node, with size and hash: told content-addressed, in parts, only what changed.

Every file belongs to one of PARTS parts by its name. A part has a mark, a hash over its facts; all marks
together have one, which every report tells. Where the coordinator has another, it asks for the marks
(``NodeDirectives.inventory`` = ``()``), then for the parts that differ, some at a time. Whichever side was
started anew, nothing travels twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from farm.contracts.reading import canonical, to_json

PARTS: Final = 64
MOST_FILES: Final = 20_000
"""Files a node tells of; what is beyond is counted."""

LONGEST_NAME: Final = 300
MARK_DIGITS: Final = 16

Bytes = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]

WAITING: Final = "waiting"
ELSEWHERE: Final = "elsewhere"
OTHER_SIZE: Final = "other_size"
UNREADABLE: Final = "unreadable"
CHANGING: Final = "changing"
"""Why a hash is not known: it has its turn later; the worker does not see ComfyUI's folder; what it sees
there has not the size ComfyUI tells; it cannot be read; it is being written. Others may come: they are only
shown."""


@dataclass(frozen=True, kw_only=True)
class FileFact:
    """A model file as ComfyUI lists it (``name`` with ``/``). ``size`` in bytes; ``sha256`` of all of it.

    None and "" are unknown; then ``why`` says why there is no hash.
    """

    folder: str
    name: str
    size: Bytes | None = None
    sha256: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class InventoryPart:
    """All files of one part."""

    number: int
    mark: str
    files: tuple[FileFact, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """``mark`` of everything; ``marks`` of each part and ``parts`` where they were asked for.

    ``waiting``: files whose hash is still to be found; ``left_out``: files beyond MOST_FILES or LONGEST_NAME.
    """

    mark: str
    marks: tuple[str, ...] = ()
    parts: tuple[InventoryPart, ...] = ()
    waiting: int = 0
    left_out: int = 0


def part_of(folder: str, name: str) -> int:
    """The part a file belongs to."""
    return hashlib.sha256(f"{folder}/{name}".encode(errors="replace")).digest()[0] % PARTS


def mark_of_part(files: Iterable[FileFact]) -> str:
    """A short hash, equal for equal facts in whatever order; "" for no file."""
    facts = sorted((to_json(fact) for fact in files), key=lambda fact: (fact["folder"], fact["name"]))
    return hashlib.sha256(canonical(facts)).hexdigest()[:MARK_DIGITS] if facts else ""


def mark_of_all(marks: Iterable[str]) -> str:
    """A short hash over the marks of all parts."""
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()[:MARK_DIGITS]
