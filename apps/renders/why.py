"""Why a job waits, what each node says to it, and when it will be done: all that is known, for one job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.renders.eta import Eta
from apps.renders.models import Job
from apps.renders.outlook import Outlook
from apps.renders.states import OPEN, JobState
from apps.renders.waiting import NodeRow, node_rows, reason_of


@dataclass(frozen=True)
class Why:
    """``code`` and ``sentence`` are "" for a job that does not wait; ``eta`` is None for a closed one."""

    code: str
    sentence: str
    since: datetime | None
    rows: Sequence[NodeRow]
    eta: Eta | None

    @property
    def eta_sentence(self) -> str:
        """When it will be done, in one sentence; "" if there is nothing to tell."""
        return "" if self.eta is None else self.eta.sentence


def why(job: Job) -> Why:
    """Everything about one job's wait, in a bounded number of queries."""
    reason = reason_of(job)
    outlook = Outlook() if job.state in OPEN else None
    rows = node_rows(job)
    if outlook is not None and rows is not None and job.state == JobState.READY:
        rows = sorted([*rows, *outlook.takers(job)], key=lambda row: row.node)
    return Why(reason.code, reason.sentence, reason.since, rows, outlook.of(job) if outlook else None)
