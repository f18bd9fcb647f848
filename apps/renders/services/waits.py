"""The dispatcher writes down why each lane still waits: a code and facts, no sentences.

Per lane, not per job: a million jobs that wait for the same reason have one row that says so. What holds a
single job back (its own pause, its batch's, its time, what it depends on) stands in its own columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from apps.common import news
from apps.nodes.models import Node
from apps.nodes.selectors import kept_facts, kept_from_serving
from apps.renders.models import Lane, NodeBlock
from apps.renders.scheduling.demand import Fit, Waiting
from apps.renders.scheduling.fit import keyless, lacking, unknown_to
from apps.renders.scheduling.match import PATIENCE
from apps.renders.scheduling.nearest import nearest_there
from apps.renders.scheduling.round import Reason, Round
from apps.renders.scheduling.supply import Kind, in_pool, kind_of, tags_of
from farm.tiers import NO_VRAM

MOST_NAMED: Final = 5
"""Nodes whose gaps are told in the sentence itself."""
MOST_NODES: Final = 60
"""Nodes told one by one in a lane's table; a farm of five hundred says the rest by its sentence."""

_LONG: Final = ("classes", "models_by_folder", "software", "baseline", "drift", "resident")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a round came to. ``starting``: lanes that were given seats; ``warming``: lanes left to nodes that
    hold their models, although another was free.
    """

    starting: Collection[UUID] = ()
    warming: Collection[UUID] = ()
    broker_up: bool = True


def explain(this: Round, waiting: Sequence[Waiting], outcome: Outcome) -> None:
    """Give lanes their reasons. Rows whose words are unchanged are not written."""
    nodes = this.supply.nodes + _idle_away(this) if waiting else []
    until = _blocks(this)
    tables: dict[Fit, list[dict[str, Any]]] = {}  # lanes that fit the same nodes have the same
    for each in waiting:
        code, params = _reason(this, each, nodes, until, outcome)
        if each.fit not in tables:
            tables[each.fit] = _rows(this, each, nodes, until)
        _write(each.lane, code, params, tables[each.fit], this)


def _idle_away(this: Round) -> list[Node]:
    """The nodes that do not serve, with what there is to say of why."""
    others = Node.objects.exclude(pk__in=[node.pk for node in this.supply.nodes])
    return list(others.select_related("pool", "schedule").defer(*_LONG))


def _reason(
    this: Round, each: Waiting, nodes: list[Node], until: dict[tuple[UUID, UUID], str], outcome: Outcome
) -> Reason:
    if not outcome.broker_up:
        return "broker", {}
    if each.lane.pk in this.holds:
        return this.holds[each.lane.pk]
    if each.tier_gb is None:
        return "larger_than_any", {"need": f"{each.lane.need.declared_gb:g}"}
    if not this.supply.nodes:
        return _nobody_serves(nodes)
    return _why_not_yet(this, each, outcome) or _nobody_fits(this, each, until)


def _why_not_yet(this: Round, each: Waiting, outcome: Outcome) -> Reason | None:
    """Why it waits although nodes could run it; None if none could."""
    able = this.supply.able(each)
    if not able:
        return None
    if each.lane.pk in outcome.starting:
        return "starting", {}
    if full := this.limits.full(each.template_id):
        return "limit_full", {"limit": full, "most": this.most[full]}
    if each.lane.pk in outcome.warming:
        return "warming", {"left_s": PATIENCE.total_seconds()}
    return "full", {"nodes": len(able)}


def _nobody_fits(this: Round, each: Waiting, until: dict[tuple[UUID, UUID], str]) -> Reason:
    """The first of pin, pool, tags, memory, files and blocks that leaves no serving node over."""
    lane, left = each.lane, this.supply.nodes
    if lane.pinned_to_id is not None:
        left = [node for node in left if node.pk == lane.pinned_to_id]
        if not left:
            why = kept_from_serving(lane.pinned_to) if lane.pinned_to else ""
            return "pinned_away", {"node": str(lane.pinned_to), "why": why}
    kinds = this.supply.kind_of
    inside = [node for node in left if in_pool(kinds[node.pk], lane.pool_id)]
    if not inside:
        return "no_pool", {"pool": lane.pool.name if lane.pool else ""}
    tagged = [node for node in inside if tags_of(lane.tags) <= kinds[node.pk].tags]
    if not tagged:
        return "no_tags", {"tags": ", ".join(sorted(tags_of(lane.tags)))}
    large = [node for node in tagged if (node.tier_gb or NO_VRAM) >= (each.tier_gb or NO_VRAM)]
    if not large:
        return "too_big", {"need": each.tier_gb, "largest": max(node.tier_gb or NO_VRAM for node in tagged)}
    return _nobody_can(each, large, until)


def _nobody_can(each: Waiting, large: list[Node], until: dict[tuple[UUID, UUID], str]) -> Reason:
    """The first of former failures, keys, old workers, files and blocks that leaves no large enough node."""
    others = [node for node in large if node.name not in each.lane.avoided]
    if not others:
        return "avoided", {"failed_on": ", ".join(sorted(node.name for node in large)[:MOST_NAMED])}
    if remote := each.template.manifest.remote:
        others = [node for node in others if not keyless(node, each.template)]
        if not others:
            return "no_key", {"service": remote.service}
    heard = [node for node in others if not unknown_to(node, each.template)]
    if not heard:
        return "older_workers", {"says": _unknown_to_all(others, each)}
    others = heard
    gaps = {node.name: _gap(node, each) for node in others}
    if all(gaps.values()):
        return "missing", {"tier": each.tier_gb, **_missing(gaps)}
    ends = sorted(told for node in others if (told := until.get((node.pk, each.template_id))))
    return "blocked", {"nodes": len(ends), "until": ends[0] if ends else ""}


def _unknown_to_all(nodes: list[Node], each: Waiting) -> list[str]:
    """What the worker that knows most does not know."""
    knows_most = min(nodes, key=lambda node: len(unknown_to(node, each.template)))
    return list(unknown_to(knows_most, each.template))


def _gap(node: Node, each: Waiting) -> tuple[str, ...]:
    return lacking(node, each.template, each.lane.precision, each.lane.lora_files)


def _missing(gaps: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """What the node that lacks least still lacks, and what each of the first few does."""
    where = [[name, ", ".join(gaps[name])] for name in sorted(gaps, key=lambda name: (len(gaps[name]), name))]
    return {"missing": where[0][1], "where": where[:MOST_NAMED]}


def _nobody_serves(nodes: list[Node]) -> Reason:
    """Count the nodes by what keeps them from working."""
    counts = Counter(kept_from_serving(node) for node in nodes)
    return ("none_serves", {"nodes": dict(counts)}) if counts else ("no_node", {})


def _rows(
    this: Round, each: Waiting, nodes: list[Node], until: dict[tuple[UUID, UUID], str]
) -> list[dict[str, Any]]:
    """What keeps each node from it, those that come nearest first; nodes that would take it are left out.

    Whether such a node is busy is seen from its attempts: it changes every second, what stands here does not.
    """
    serving, able = {node.pk for node in this.supply.nodes}, this.supply.able(each)
    passed_over = this.supply.passed_over(each)
    told = [
        (node, _against(node, each, until, serves=node.pk in serving, passed_over=node.pk in passed_over))
        for node in nodes
        if node.pk not in able
    ]
    rows = [(node, reason) for node, reason in told if reason is not None]
    rows.sort(key=lambda row: (_NEARNESS.get(row[1][0], 0), row[0].name))
    return [{"node": node.name, "code": code, "params": params} for node, (code, params) in rows[:MOST_NODES]]


_NEARNESS: Final = {
    "blocked": -4,
    "lacks": -3,
    "keyless": -3,
    "older_worker": -3,
    "off_hours": -2,
    "paused": -2,
    "draining": -2,
    "sick": -1,
}


def _against(
    node: Node, each: Waiting, until: dict[tuple[UUID, UUID], str], *, serves: bool, passed_over: bool
) -> Reason | None:
    lane, kind = each.lane, kind_of(node)
    blocked = until.get((node.pk, each.template_id))
    gap = _gap(node, each) if node.capabilities_of else ()
    untagged = tags_of(lane.tags) - kind.tags
    unknown = unknown_to(node, each.template)
    checks: Iterable[tuple[object, Callable[[], Reason]]] = (
        (lane.pinned_to_id not in (None, node.pk), lambda: ("pinned", {})),
        (not in_pool(kind, lane.pool_id), lambda: _pool_reason(node, lane)),
        (untagged, lambda: ("tags", {"tags": ", ".join(sorted(untagged))})),
        (not serves, lambda: _why_not_serving(node)),
        ((node.tier_gb or NO_VRAM) < (each.tier_gb or NO_VRAM), lambda: _too_small(node, each, kind)),
        (node.name in lane.avoided, lambda: ("avoided", {})),
        (gap, lambda: _lacks(node, gap)),
        (keyless(node, each.template), lambda: ("keyless", {"service": _service(each)})),
        (unknown, lambda: ("older_worker", {"says": list(unknown)})),
        (blocked, lambda: ("blocked", {"until": blocked or ""})),
        (passed_over, lambda: ("unproven", {})),
    )
    return next((reason() for fails, reason in checks if fails), None)


def _lacks(node: Node, gap: tuple[str, ...]) -> Reason:
    nearest = nearest_there(node, gap[:MOST_NAMED])
    return "lacks", {"files": ", ".join(gap), **({"nearest": ", ".join(nearest)} if nearest else {})}


def _service(each: Waiting) -> str:
    remote = each.template.manifest.remote
    return remote.service if remote else ""


def _pool_reason(node: Node, lane: Lane) -> Reason:
    if lane.pool_id is not None:
        return "pool", {"pool": lane.pool.name if lane.pool else ""}
    return "dedicated", {"pool": node.pool.name if node.pool else ""}


def _why_not_serving(node: Node) -> Reason:
    return kept_from_serving(node), kept_facts(node)


def _too_small(node: Node, each: Waiting, kind: Kind) -> Reason:
    return "too_small", {"has": kind.tier_gb, "need": each.tier_gb, "reason": node.reason[:200]}


def _blocks(this: Round) -> dict[tuple[UUID, UUID], str]:
    rows = NodeBlock.objects.filter(until__gt=this.now).values_list("node_id", "template_id", "until")
    return {(node, template): until.isoformat(timespec="seconds") for node, template, until in rows if until}


def _write(lane: Lane, code: str, params: dict[str, Any], rows: list[dict[str, Any]], this: Round) -> None:
    if (lane.wait_code, lane.wait_params, lane.wait_nodes) == (code, params, rows):
        return
    since = {} if lane.wait_code == code else {"waits_since": this.now}
    Lane.objects.filter(pk=lane.pk).update(wait_code=code, wait_params=params, wait_nodes=rows, **since)
    news.tell("waits")
