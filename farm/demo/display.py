"""What the terminal shows: one line that redraws itself, or plain lines where there is no terminal."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Final, TextIO

LINE_EVERY_S: Final = 5.0
"""Without a terminal, progress is written this often at most."""


class Display:
    """Writes sentences, and a progress line below them; remembers when that line last changed."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._tty = out.isatty()
        self._last = ""
        self._changed = time.monotonic()
        self._written = 0.0
        self._on_line = False

    @property
    def still_for_s(self) -> float:
        """Seconds since the progress line last changed."""
        return time.monotonic() - self._changed

    def progress(self, line: str, *, final: bool = False) -> None:
        """Redraw the progress line; without a terminal, write it now and then. ``final``: it is the last."""
        now = time.monotonic()
        if line != self._last:
            self._last, self._changed = line, now
        if self._tty:
            columns = shutil.get_terminal_size().columns
            self._out.write(f"\r\033[K{line[: columns - 1]}" + ("\n" if final else ""))
            self._on_line = not final
        elif final or now - self._written >= LINE_EVERY_S:
            self._out.write(f"{line}\n")
            self._written = now
        self._out.flush()

    def say(self, text: str) -> None:
        """Write a sentence above the progress line."""
        self._out.write(f"\r\033[K{text}\n" if self._on_line else f"{text}\n")
        self._out.flush()
        self._on_line = False
