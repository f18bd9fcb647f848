"""The last step against a ComfyUI that hangs: the studio's own command, which starts it anew (ADR 14)."""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Callable
from tempfile import TemporaryFile
from typing import Final

from workers.comfy.text import beginning

logger = logging.getLogger(__name__)

AFTER_S: Final = 120.0
"""How long a node is sick before its ComfyUI is restarted: a long node that never looks may yet end."""

PAUSE_S: Final = 600.0
"""From one restart to the next: one that did not help will not help a minute later."""

PATIENCE_S: Final = 60.0
"""How long the command may take. It should start the service and return, as systemctl does."""

SAID_LIMIT: Final = 500


class Restart:
    """``command`` in words, without a shell; empty: ComfyUI is nobody's to restart but a person's."""

    def __init__(self, command: tuple[str, ...], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._command = command
        self._clock = clock
        self._sick_since: float | None = None
        self._tried_at = float("-inf")

    def consider(self, *, sick: bool) -> bool:
        """Look at how the node stands, every few seconds; restart its ComfyUI once that is due.

        Return whether it was tried now.
        """
        if not sick:
            self._sick_since = None
        elif self._sick_since is None:
            self._sick_since = self._clock()
        elif self._is_due(self._sick_since):
            self._tried_at = self._clock()
            self._run()
            return True
        return False

    def _is_due(self, sick_since: float) -> bool:
        now = self._clock()
        return bool(self._command) and now - sick_since >= AFTER_S and now - self._tried_at >= PAUSE_S

    def _run(self) -> None:
        logger.warning("restarting ComfyUI", extra={"command": self._command[0]})
        with (
            TemporaryFile() as said
        ):  # a pipe would be held open by the ComfyUI that the command leaves behind
            try:
                started = subprocess.Popen(  # noqa: S603 - the studio's own command
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    start_new_session=True,
                )
                status = started.wait(PATIENCE_S)
            except (OSError, subprocess.TimeoutExpired) as exc:
                logger.error("ComfyUI not restarted", extra={"error": beginning(str(exc), SAID_LIMIT)})
                return
            if status:
                said.seek(0)
                words = beginning(said.read(SAID_LIMIT).decode(errors="replace").strip(), SAID_LIMIT)
                logger.error("ComfyUI not restarted", extra={"status": status, "said": words})
