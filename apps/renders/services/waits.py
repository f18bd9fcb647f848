"""The dispatcher writes down why each ready job still waits: a code and facts, no sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Max, Q, QuerySet

from apps.common.clock import database_now
from apps.nodes.models import Node
from apps.nodes.selectors import kept_from_serving
from apps.renders.models import Job
from apps.renders.selectors import Lane, in_lane, startable
from apps.renders.services.requirements import lacking
from apps.workflows.models import WorkflowTemplateVersion
from apps.workflows.services import template_of
from farm.tiers import NO_VRAM

MOST_NAMED: Final = 5
"""Nodes whose gaps are told one by one."""


def explain(
    waiting: Sequence[Lane], nodes: Sequence[Node], able: dict[Lane, set[UUID]], *, broker_up: bool = True
) -> None:
    """Give every job that is still ready its reason. Rows whose reason is unchanged are not written."""
    now = database_now()
    for lane in waiting:
        jobs = in_lane(lane)
        _held_back(jobs, now)
        if broker_up:
            code, params = _reason(lane, nodes, able[lane])
        else:
            code, params = "broker", {}
        _write(startable(jobs, now), code, params)


def _reason(lane: Lane, nodes: Sequence[Node], able: set[UUID]) -> tuple[str, dict[str, Any]]:
    if lane.tier_gb is None:
        need = in_lane(lane).aggregate(need=Max("need_gb"))["need"]
        return "larger_than_any", {"need": f"{need or 0:g}"}
    if not nodes:
        return _nobody_serves()
    large = [node for node in nodes if (node.tier_gb or NO_VRAM) >= lane.tier_gb]
    if not large:
        largest = max(node.tier_gb or 0 for node in nodes)
        return "too_big", {"need": lane.tier_gb, "largest": largest}
    if not able:
        return "missing", {"tier": lane.tier_gb, **_missing(lane, large)}
    return "full", {"nodes": len(able)}


def _nobody_serves() -> tuple[str, dict[str, Any]]:
    """Count the nodes by what keeps them from working."""
    counts: dict[str, int] = {}
    for node in Node.objects.only("observed", "desired", "simulated", "capabilities_of"):
        why = kept_from_serving(node)
        counts[why] = counts.get(why, 0) + 1
    return ("none_serves", {"nodes": counts}) if counts else ("no_node", {})


def _missing(lane: Lane, nodes: Sequence[Node]) -> dict[str, Any]:
    """What the node that lacks least still lacks, and what each of the first few does."""
    version = WorkflowTemplateVersion.objects.get(pk=lane.template_version_id)
    template = template_of(version)
    gaps = {node.name: lacking(node, template, lane.precision, lane.lora_files) for node in nodes}
    least = min(gaps.values(), key=len)
    where = [[name, ", ".join(gaps[name])] for name in sorted(gaps, key=lambda name: (len(gaps[name]), name))]
    return {"missing": ", ".join(least), "where": where[:MOST_NAMED]}


def _held_back(jobs: QuerySet[Job], now: datetime) -> None:
    _write(jobs.filter(project__paused=True), "project_paused", {})
    _write(jobs.filter(project__paused=False, batch__paused=True), "batch_paused", {})
    _write(jobs.filter(project__paused=False, batch__paused=False, paused=True), "paused", {})
    later = jobs.filter(project__paused=False, batch__paused=False, paused=False, start_after__gt=now)
    for start_after in later.values_list("start_after", flat=True).distinct():
        if start_after is not None:
            _write(
                later.filter(start_after=start_after),
                "start_after",
                {"at": start_after.isoformat(timespec="seconds")},
            )


def _write(jobs: QuerySet[Job], code: str, params: dict[str, Any]) -> None:
    changed = jobs.order_by().exclude(Q(wait_code=code) & Q(wait_params=params))
    # An update through a join is no update the databases agree on: name the rows.
    Job.objects.filter(pk__in=changed.values("pk")).update(wait_code=code, wait_params=params)
