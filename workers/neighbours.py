"""Two workers of one machine that were given the same ComfyUI or the same card: the later one is told so.

Each worker holds a locked file for its ComfyUI and one for its card, beside the spools; the lock goes with
its process, however that ends. Of workers with other spools, in containers say, the coordinator refuses the
later one on a card (by ``GpuFact.uuid``). Two that share a ComfyUI from other machines nobody can tell for
certain: machines may bear the same name.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from workers.comfy.text import NAME_LIMIT, beginning

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger(__name__)

FILE_MODE: Final = 0o600


class Neighbours:
    """This worker's claims, in ``folder``; ``node`` is the name that others are told."""

    def __init__(self, folder: Path, node: str) -> None:
        self._folder = folder
        self._node = node
        self._held: dict[str, int] = {}  # claim -> file descriptor

    def check(self, *, comfyui: str, card: str = "") -> str:
        """Claim a ComfyUI's address and a card's UUID ("": unknown); say who has one, "" if nobody."""
        if other := self._claim(f"comfyui {comfyui}"):
            return (
                f"node {other} of this machine renders with the ComfyUI at {comfyui} already; "
                "give each worker a COMFYUI_URL of its own"
            )
        if card and (other := self._claim(f"card {card}")):
            return (
                f"node {other} of this machine renders on card {card} already; start each ComfyUI on a card "
                "of its own, and set SHOTFARM_GPU to the same card's index or UUID"
            )
        return ""

    def close(self) -> None:
        """Let go of everything."""
        while self._held:
            os.close(self._held.popitem()[1])

    def _claim(self, what: str) -> str:
        """Return "" if this is ours now, else the name of who has it."""
        if what in self._held or sys.platform == "win32":
            return ""
        path = self._folder / f"{hashlib.sha256(what.encode()).hexdigest()[:16]}.claim"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        except OSError as error:
            logger.debug("claim not possible", extra={"file": str(path), "error": str(error)})
            return ""  # nobody can be told apart here; the coordinator still can
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            name = os.pread(handle, 4 * NAME_LIMIT, 0).decode(errors="replace")
            os.close(handle)
            return beginning(name, NAME_LIMIT) or "?"
        except OSError as error:
            logger.debug("claim not possible", extra={"file": str(path), "error": str(error)})
            os.close(handle)
            return ""
        self._held[what] = handle
        with suppress(OSError):  # on a full disk it is ours all the same, without our name
            os.ftruncate(handle, 0)
            os.pwrite(handle, self._node.encode(), 0)
        return ""
