"""Why a job waits, what each node says to it, and when it will be done: all that is known, for one job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.renders.eta import Eta
from apps.renders.models import Job
from apps.renders.outlook import Outlook
from apps.renders.states import OPEN
from apps.renders.waiting import NodeRow, Reason, reason_of, told_by_nodes


@dataclass(frozen=True)
class Why:
    """``reason`` is empty for a job that does not wait; ``eta`` is None for a closed one."""

    reason: Reason
    rows: Sequence[NodeRow]
    eta: Eta | None

    @property
    def eta_sentence(self) -> str:
        """When it will be done, in one sentence; "" if there is nothing to tell."""
        return "" if self.eta is None else self.eta.sentence


def why(job: Job) -> Why:
    """Everything about one job's wait, in a bounded number of queries."""
    reason = reason_of(job)
    if job.state not in OPEN:
        return Why(reason, [], None)
    outlook = Outlook()
    rows = {row.node: row for row in [*told_by_nodes(job), *outlook.takers(job)]}
    return Why(reason, [rows[name] for name in sorted(rows)], outlook.of(job))
