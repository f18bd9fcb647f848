"""Attempts that ended tell what they taught: time used, memory that sufficed, nodes that fail.

Called in the transaction that ends them, with all that end in it, so that lessons cost a constant number
of statements and are learned exactly once.
"""

from __future__ import annotations

from collections.abc import Sequence

from apps.renders.services.breaker import judge
from apps.renders.services.ended import Ended
from apps.renders.services.needs import learn
from apps.renders.services.usage import charge


def tell_ended(ended: Sequence[Ended]) -> None:
    """Teach everyone who learns from ended attempts."""
    charge([(item.attempt.job.project_id, item.execute_s) for item in ended])
    judge(ended)
    learn(ended)
