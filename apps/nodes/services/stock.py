"""What nodes tell of their model files is written down: part by part, and only what changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from apps.common.machines import write_each
from apps.nodes.models import Node, NodeFile
from farm.contracts import FileFact, Inventory, InventoryPart, NodeReport, printable
from farm.contracts.inventory import LONGEST_NAME, MOST_FILES, PARTS

Wanted = tuple[int, ...] | None

PARTS_AT_ONCE: Final = 8
"""Parts asked for at once: a report carries some hundred files."""

MOST_OF_A_PART: Final = MOST_FILES // PARTS * 8
LONGEST_WHY: Final = 20
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MARK: Final = re.compile(r"[0-9a-f]{0,16}")


def take_stock(reports: Sequence[NodeReport], nodes: Mapping[str, Node], now: datetime) -> dict[str, Wanted]:
    """Write down what came of inventories; return by node what it is to tell next (None: nothing).

    Costs nothing while nothing changes: the mark of everything is compared.
    """
    told = {nodes[report.node].pk: report.inventory for report in reports if report.node in nodes}
    names = {node.pk: name for name, node in nodes.items()}
    marks = {node.pk: node.inventory_mark for node in nodes.values()}
    news = {key: one for key, one in told.items() if one is not None and one.mark != marks[key]}
    if not news:
        return {}
    with transaction.atomic():
        rows = Node.objects.filter(pk__in=news).order_by("pk").only("inventory_mark", "inventory_marks")
        return {names[row.pk]: _take(row, news[row.pk], now) for row in rows.select_for_update(no_key=True)}


def _take(node: Node, told: Inventory, now: datetime) -> Wanted:
    """Take one node's; an empty answer asks for the marks of its parts."""
    marks = list(node.inventory_marks) if len(node.inventory_marks) == PARTS else [""] * PARTS
    for part in told.parts:
        if 0 <= part.number < PARTS and _MARK.fullmatch(part.mark):
            _write(node.pk, part, now)
            marks[part.number] = part.mark
    changed: dict[str, Any] = {} if marks == node.inventory_marks else {"inventory_marks": marks}
    wanted: Wanted = ()
    if len(told.marks) == PARTS:
        differ = [number for number in range(PARTS) if told.marks[number] != marks[number]]
        wanted = tuple(differ[:PARTS_AT_ONCE]) or None
        if wanted is None:
            changed["inventory_mark"] = told.mark[:16]
    if changed:
        Node.objects.filter(pk=node.pk).update(**changed)
    return wanted


def _write(node_id: UUID, part: InventoryPart, now: datetime) -> None:
    """Make the rows of one part what was told; rows that are so already are not touched."""
    told = {(fact.folder, fact.name): fact for fact in _usable(part.files[:MOST_OF_A_PART])}
    known = {(row.folder, row.name): row for row in NodeFile.objects.filter(node=node_id, part=part.number)}
    NodeFile.objects.filter(pk__in=[row.pk for key, row in known.items() if key not in told]).delete()
    new, changed = [], {}
    for key, fact in told.items():
        facts = {"size": fact.size, "sha256": fact.sha256, "why": fact.why}
        row = known.get(key)
        if row is None:
            new.append(
                NodeFile(node_id=node_id, folder=key[0], name=key[1], part=part.number, seen_at=now, **facts)
            )
        elif (row.size, row.sha256, row.why) != (fact.size, fact.sha256, fact.why):
            changed[row.pk] = {**facts, "seen_at": now}
    write_each(NodeFile, changed)
    NodeFile.objects.bulk_create(new, ignore_conflicts=True)


def _usable(files: Iterable[FileFact]) -> Iterable[FileFact]:
    """What a database takes; what is no hash is none."""
    for one in files:
        fact = printable(FileFact, one)
        if not fact.name or len(fact.folder) > LONGEST_NAME or len(fact.name) > LONGEST_NAME:
            continue
        sha256 = fact.sha256 if _SHA256.fullmatch(fact.sha256) else ""
        yield FileFact(
            folder=fact.folder, name=fact.name, size=fact.size, sha256=sha256, why=fact.why[:LONGEST_WHY]
        )
