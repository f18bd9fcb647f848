"""What a try at delivering came to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Answer:
    """``status``: of HTTP, if it answered. ``said``: its first bytes. ``error``: "" when delivered."""

    ok: bool
    status: int | None = None
    said: str = ""
    error: str = ""
    milliseconds: int = 0
