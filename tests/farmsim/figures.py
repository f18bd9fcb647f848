"""Figures of a run: what the issue asks of the farm, from its own rows and from what the nodes saw."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from tests.farmsim.simulation import Simulation


@dataclass(frozen=True, kw_only=True)
class Figures:
    """``lifecycles_per_s``: successes per second from the first ready job to the last success.

    Waits are seconds from READY to execution as its node saw it; per project, the mean.
    """

    succeeded: int
    lifecycles_per_s: float
    makespan_s: float
    wait_p50_s: float
    wait_p99_s: float
    wait_mean_s: dict[str, float]
    loads: int
    coordinator_mb: float
    ticker_mb: float


def figures_of(simulation: Simulation, only: Collection[str] = ()) -> Figures:
    """Work them out, of all jobs that have succeeded, or of these ids only."""
    rows = simulation.farm.rows(
        "SELECT j.id AS id, p.code AS project, j.ready_at AS ready, j.finished_at AS finished"
        " FROM renders_job j JOIN projects_project p ON p.id = j.project_id WHERE j.state = 'succeeded'"
    )
    rows = [row for row in rows if not only or str(UUID(row["id"])) in only]
    projects = {str(UUID(row["id"])): row["project"] for row in rows}
    waits: dict[str, list[float]] = defaultdict(list)
    for job_id, wait in waits_of(simulation).items():
        if job_id in projects:
            waits[projects[job_id]].append(wait)
    span = max(map(seconds, _column(rows, "finished"))) - min(map(seconds, _column(rows, "ready")))
    every = sorted(wait for some in waits.values() for wait in some)
    return Figures(
        succeeded=len(rows),
        lifecycles_per_s=len(rows) / span if span else 0.0,
        makespan_s=span,
        wait_p50_s=quantile(every, 0.5),
        wait_p99_s=quantile(every, 0.99),
        wait_mean_s={project: statistics.mean(some) for project, some in waits.items()},
        loads=simulation.fleet.stats.loads,
        coordinator_mb=simulation.held_mb("coordinator"),
        ticker_mb=simulation.held_mb("ticker"),
    )


def waits_of(simulation: Simulation, project: str = "") -> dict[str, float]:
    """Seconds from READY to the first execution, by job id."""
    rows = simulation.farm.rows(
        "SELECT j.id AS id, p.code AS project, j.ready_at AS ready FROM renders_job j"
        " JOIN projects_project p ON p.id = j.project_id WHERE j.state IN ('running', 'succeeded')"
    )
    wanted = [row for row in rows if project in ("", row["project"])]
    ready = {str(UUID(row["id"])): seconds(row["ready"]) for row in wanted}
    started = dict(simulation.fleet.stats.started)
    return {job_id: max(0.0, started[job_id] - at) for job_id, at in ready.items() if job_id in started}


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that ``share`` of an ordered sample does not exceed; 0 of an empty one."""
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def seconds(told: str) -> float:
    """A time as the farm's database tells it (UTC), in seconds since 1970."""
    return datetime.fromisoformat(told).replace(tzinfo=UTC).timestamp()


def _column(rows: Sequence[dict[str, str]], name: str) -> list[str]:
    return [row[name] for row in rows if row[name]]
