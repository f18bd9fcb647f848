"""Drift: whose software is not what was accepted, or not what its pool has."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.utils import translation

from apps.common.machines import move
from apps.nodes.models import Node
from apps.nodes.software import Census, Difference, drift
from apps.nodes.states import SOFTWARE, SoftwareState
from apps.nodes.words import DRIFTS, DRIFTS_NO_MORE, drift_sentences

logger = logging.getLogger(__name__)

ACTOR: Final = "coordinator"
_LIGHT: Final = ("pk", "pool_id", "software_mark", "baseline_mark", "drift_of")


def watch_software() -> int:
    """Compare again what changed since the last time, pool by pool; return of how many nodes drift changed.

    Cheap while nothing changes: short marks are compared, not software.
    """
    pools: dict[UUID | None, list[tuple[UUID, str]]] = {}
    stale: set[UUID | None] = set()
    rows = list(Node.objects.exclude(software_mark="").order_by("pk").values_list(*_LIGHT))
    marks: dict[UUID | None, str] = {}
    for _key, pool, mark, baseline, _of in rows:
        marks[pool] = f"{marks.get(pool, '')} {mark}/{baseline}"
    for key, pool, _mark, _baseline, of in rows:
        pools.setdefault(pool, []).append((key, of))
        if of != _short(marks[pool]):
            stale.add(pool)
    return sum(_compare([key for key, _ in pools[pool]], _short(marks[pool])) for pool in stale)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _compare(keys: Sequence[UUID], of: str) -> int:
    nodes = list(
        Node.objects.filter(pk__in=keys).only("name", "software", "baseline", "drift", "software_state")
    )
    census = Census(node.software for node in nodes)
    changed = 0
    for node in nodes:
        found = drift(node.software, node.baseline, census)
        if found != node.drift:
            changed += 1
            Node.objects.filter(pk=node.pk).update(drift=found)
        _tell(node, found)
    Node.objects.filter(pk__in=keys).update(drift_of=of)
    return changed


def _tell(node: Node, found: list[Difference]) -> None:
    """Write an event when drift begins, and when it ends."""
    drifted = node.software_state == SoftwareState.DRIFTED
    if bool(found) == drifted:
        return
    to, reason = (SoftwareState.DRIFTED, _words(found)) if found else (SoftwareState.SAME, DRIFTS_NO_MORE)
    move(SOFTWARE, node, from_=(node.software_state,), to=to, actor=ACTOR, reason=reason)
    logger.info("software of a node", extra={"node": node.name, "state": str(to), "drift": json.dumps(found)})


def _words(found: list[dict[str, Any]]) -> str:
    with translation.override("en"):
        return DRIFTS % {"count": len(found), "first": drift_sentences(found[:1])[0]}
