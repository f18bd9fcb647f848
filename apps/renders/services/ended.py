"""Attempts that ended tell what they taught: time used, memory that sufficed, nodes that fail.

Called in the transaction that ends them, with all that end in it, so that lessons cost a constant number
of statements and are learned exactly once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.renders.models import Attempt
from apps.renders.services.breaker import judge
from apps.renders.services.needs import learn
from apps.renders.services.usage import charge


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


def tell_ended(ended: Sequence[Ended]) -> None:
    """Teach everyone who learns from ended attempts."""
    charge([(item.attempt.job.project_id, item.execute_s) for item in ended])
    judge(ended)
    learn(ended)
