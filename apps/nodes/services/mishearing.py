"""What comes under a node's name and cannot be taken: of another version or machine, or on another's card."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from apps.common.clock import database_now
from apps.common.machines import record_event
from apps.nodes.models import Gpu, Node, Source
from apps.nodes.states import NODE, Observed
from apps.nodes.words import RIVAL, SAME_CARD, UNREADABLE
from farm.contracts import NodeReport, printable

logger = logging.getLogger(__name__)

LONGEST_NAME = 120
LONGEST_WORDS = 500


def mishear(told: object, why: str) -> None:
    """Show an operator that what came under a node's name could not be read; it is registered if it is new.

    Nothing else of the node changes: the message may be anybody's.
    """
    name = (
        printable(str, told.get("node", "")) if isinstance(told, dict) and _is_name(told.get("node")) else ""
    )
    if not name:
        logger.warning("node report not understood", extra={"error": why})
        return
    logger.warning("node report not understood", extra={"node": name, "error": why})
    _note(name, UNREADABLE % {"error": printable(str, why)[:LONGEST_WORDS]}, database_now())


def refusals(reports: Sequence[NodeReport], known: Mapping[str, Node], now: datetime) -> dict[str, str]:
    """Say which reports, one of each node, come from a worker that must wait, and why: by name, in words.

    Two workers of one name would end each other's life with every report, and all work with it. Two on one
    card take each other's memory. The one that is here has it until it is silent or says that it stops.
    """
    refused: dict[str, str] = {}
    owner = _cards_in_use(reports, known, now)
    for report in reports:
        node, cards = known.get(report.node), _cards(report)
        taken = next((card for card in cards if owner.get(card, report.node) != report.node), "")
        if node is not None and _is_another_machine(node, report, now):
            refused[report.node] = RIVAL % {"address": printable(str, report.comfy.address)}
        elif taken:
            refused[report.node] = SAME_CARD % {"card": printable(str, taken), "node": owner[taken]}
        else:
            owner |= dict.fromkeys(cards, report.node)
    return refused


def note_refusals(refused: Mapping[str, str], now: datetime) -> None:
    """Show operators who is refused."""
    for name, words in refused.items():
        logger.warning("node refused", extra={"node": name, "why": words})
        _note(printable(str, name), words, now)


def _is_another_machine(node: Node, report: NodeReport, now: datetime) -> bool:
    """A worker that was started anew is none, for it has the same ComfyUI."""
    here, there = node.comfyui_facts.get("address", ""), report.comfy.address
    return (
        bool(here and there) and here != there and node.epoch not in ("", report.epoch) and _lives(node, now)
    )


def _cards_in_use(reports: Sequence[NodeReport], known: Mapping[str, Node], now: datetime) -> dict[str, str]:
    """Who has the cards with which newcomers come: UUID → the node that lives on it."""
    newcomers = [
        report
        for report in reports
        if (node := known.get(report.node)) is None or node.epoch != report.epoch or not _lives(node, now)
    ]
    uuids = {uuid for report in newcomers for uuid in _cards(report)}
    if not uuids:
        return {}
    names = {report.node for report in newcomers}
    rows = Gpu.objects.filter(uuid__in=uuids, source=Source.NVML).exclude(node__name__in=names)
    return {gpu.uuid: gpu.node.name for gpu in rows.select_related("node") if _lives(gpu.node, now)}


def _cards(report: NodeReport) -> list[str]:
    """The cards that were measured: what ComfyUI tells of a card names no one."""
    return [gpu.uuid for gpu in report.gpus if gpu.uuid and str(gpu.source) == Source.NVML]


def _lives(node: Node, now: datetime) -> bool:
    """Whether it speaks, and could have work in hand: one that is deaf, as it stops say, holds nothing."""
    return (
        node.observed not in (Observed.OFFLINE, Observed.DEAF)
        and node.reported_at is not None
        and node.reported_at > now - timedelta(seconds=settings.OFFLINE_SECONDS)
    )


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name) <= LONGEST_NAME


def _note(name: str, words: str, now: datetime) -> None:
    said = {"misheard": words, "misheard_at": now}
    if not Node.objects.filter(name=name).update(**said):
        node, born = Node.objects.get_or_create(
            name=name, defaults={"observed": Observed.OFFLINE, "observed_since": now, **said}
        )
        if born:
            record_event(NODE, node.pk, to=Observed.OFFLINE, actor=node.name, reason=words)
