"""The last changes, in the order in which they were told; readers are places in it, and hold nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from apps.common.news import MOST_ENTRIES
from apps.desk.stream.subjects import Change

Place = tuple[int, int]
"""An entry's id in the Redis stream: milliseconds, and a number within them."""
NOWHERE: Final[Place] = (0, 0)


def place_in(text: str) -> Place | None:
    """Read ``1732651200000-0``; None for what is no place."""
    ms, dash, number = text.partition("-")
    if not (dash and len(text) <= 40 and text.isascii() and ms.isdecimal() and number.isdecimal()):
        return None
    return int(ms), int(number)


def as_text(place: Place) -> str:
    """Write a place as Redis does."""
    return f"{place[0]}-{place[1]}"


@dataclass(frozen=True)
class Bulletin:
    """What one entry of the stream told."""

    place: Place
    changes: Sequence[Change]


class Ring:
    """Bulletins from ``first`` to ``last``; older ones are gone."""

    def __init__(self, first: Place = NOWHERE, *, most: int = MOST_ENTRIES) -> None:
        self._kept: list[Bulletin] = []
        self._most = most
        self._first = first

    @property
    def last(self) -> Place:
        """Where somebody stands who has read all."""
        return self._kept[-1].place if self._kept else NOWHERE

    def add(self, bulletins: Sequence[Bulletin]) -> None:
        """Take in what follows; let go of what is too old."""
        self._kept += bulletins
        if len(self._kept) > 2 * self._most:
            self._kept = self._kept[-self._most :]
            self._first = self._kept[0].place

    def reaches(self, place: Place) -> bool:
        """Tell whether nothing that followed this place is missing here. A place may be ahead: pages name the
        time at which they were drawn.
        """
        return self._first <= place

    def after(self, place: Place) -> Sequence[Bulletin]:
        """Return what follows this place."""
        return self._kept[bisect_right(self._kept, place, key=lambda one: one.place) :]
