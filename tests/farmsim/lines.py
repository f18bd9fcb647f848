"""The fleet's two lasting connections to the broker, through every outage."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from tests.farmsim import wire
from tests.farmsim.resp import Gone, Line, Refused

RETRY_S: Final = 0.3
"""Between two tries to reach a broker that is away."""


class Lines:
    """``words``: for everything that is said; another connection hears results and remote control."""

    def __init__(self, url: str, *, heard: Callable[[list[bytes]], None]) -> None:
        self._url = url
        self._heard = heard
        self.words = Line()

    async def keep_words(self) -> None:
        """Keep a connection for everything that is said."""
        while True:
            lost = asyncio.Event()
            line = Line(lost=lost.set)
            if await self._connected(line):
                self.words = line
                await lost.wait()
            await asyncio.sleep(RETRY_S)

    async def keep_ears(self) -> None:
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
            await line.connect(self._url)
        except (OSError, Gone, Refused, TimeoutError):
            line.close()
            return False
        return True
