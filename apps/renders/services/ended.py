"""An attempt that has just ended, as those who learn from it are told."""

from __future__ import annotations

from dataclasses import dataclass

from apps.renders.models import Attempt


@dataclass(frozen=True, kw_only=True)
class Ended:
    """One attempt that has just ended. ``attempt`` is as it was before, with its job.

    ``failure_class`` "" is a success; ``message``: what went wrong, in ComfyUI's words. ``execute_s``:
    seconds on the GPU as its node says, 0 if unknown.
    ``peak_mib``: the most memory its ComfyUI held meanwhile; None: not told.
    """

    attempt: Attempt
    failure_class: str = ""
    message: str = ""
    execute_s: float = 0.0
    peak_mib: int | None = None

    @property
    def succeeded(self) -> bool:
        """It made a take."""
        return not self.failure_class
