"""One person's stream: what they may hear of, as it is told, in server-sent events.

``hello`` opens it and says whether something may have been ``missed``; ``changed`` names what changed;
``away`` says that nothing will be heard for a while. Lines that begin with a colon only keep it open.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from typing import Any, Final

from apps.common.news import MISSED
from apps.desk.stream.hub import FULL_S, Hub, hub
from apps.desk.stream.readers import Reader, Rights
from apps.desk.stream.ring import Bulletin, Place, as_text, place_in
from apps.desk.stream.subjects import Change

HEARTBEAT_S: Final = 15.0
BREATH_S: Final = 0.2
"""What comes within this time of something else goes together with what follows it."""
MOST_IDS: Final = 100
"""More of one kind and project are not named one by one."""
RETRY_MS: Final = (2_000, 6_000)
"""A reader that lost its stream asks again after a time between these: not all readers at once."""


async def follow(reader: Reader, after: str = "") -> AsyncGenerator[bytes, None]:
    """Write what this reader may hear of, from the place ``after`` (Last-Event-ID) on, until it ends.

    Where no seat is left, say when to ask again, and end.
    """
    house = hub()
    with house.seat(reader) as seated:
        if not seated:
            yield f"retry: {FULL_S * 1000}\n\n".encode()
            return
        yield f"retry: {random.randint(*RETRY_MS)}\n\n".encode()
        async for piece in _told(house, reader, place_in(after)):
            yield piece


async def _told(house: Hub, reader: Reader, place: Place | None) -> AsyncGenerator[bytes, None]:
    told_up: bool | None = None
    clock = asyncio.get_running_loop().time
    beat = clock() + HEARTBEAT_S
    while not reader.ended:
        turn = house.turn  # of before we look: what comes while we write is not slept over
        if clock() >= beat:  # by the clock: news that this reader may not hear wakes it, but writes nothing
            beat = clock() + HEARTBEAT_S
            yield f": {HEARTBEAT_S:g} s\nid: {as_text(place)}\n\n".encode() if place else b":\n\n"
        if house.up is False:
            if told_up is not False:
                yield _frame("away", {}, place)
            place, told_up = None, False
        elif house.up and (place is None or not told_up or not house.ring.reaches(place)):
            missed = place is None or not house.ring.reaches(place)
            # A page names the time of its own clock; nothing that comes from here on is before its place.
            place = house.ring.last if place is None or missed else min(place, house.ring.last)
            yield _frame("hello", {"missed": missed}, place)
            told_up = True
            continue
        elif place is not None and told_up and (found := house.ring.after(place)):
            place = found[-1].place
            for piece in _frames(found, reader.rights, place):
                yield piece
            await asyncio.sleep(BREATH_S)
            continue
        with suppress(TimeoutError):
            await asyncio.wait_for(turn.wait(), beat - clock())


def _frames(found: Iterable[Bulletin], rights: Rights, place: Place) -> list[bytes]:
    """Gather by kind and project what may be heard; only the last event bears the place after all of them."""
    heaps: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for change in _covered(found, rights):
        ids, within = heaps.setdefault((change.kind, change.project), ({}, {}))
        ids.update(dict.fromkeys(change.ids))
        within.update(dict.fromkeys(change.within))
    missed = heaps.pop((MISSED, ""), None) is not None
    said = [
        ("changed", _said(kind, project, list(ids), list(within)))
        for (kind, project), (ids, within) in heaps.items()
    ]
    said += [("hello", {"missed": True})] if missed else []
    return [
        _frame(event, data, place if number == len(said) else None)
        for number, (event, data) in enumerate(said, start=1)
    ]


def _covered(found: Iterable[Bulletin], rights: Rights) -> Iterable[Change]:
    return (change for bulletin in found for change in bulletin.changes if rights.cover(change))


def _said(kind: str, project: str, ids: list[str], within: list[str]) -> dict[str, Any]:
    many = len(ids) > MOST_IDS or len(within) > 2 * MOST_IDS
    named = {"ids": [], "within": []} if many else {"ids": ids, "within": within}
    return {"kind": kind, "project": project or None, **named, "many": many}


def _frame(event: str, data: dict[str, Any], place: Place | None) -> bytes:
    at = f"id: {as_text(place)}\n" if place is not None else ""
    return f"event: {event}\n{at}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
