"""What is said under a node's name and cannot be taken: another version, or another machine."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from apps.common.clock import database_now
from apps.common.machines import record_event
from apps.nodes.models import Node
from apps.nodes.states import NODE, Observed
from apps.nodes.words import RIVAL, UNREADABLE
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


def is_rival(node: Node, report: NodeReport, now: datetime) -> bool:
    """Tell whether another machine speaks under the name of a node that lives; it waits until that is silent.

    Otherwise each would end the other's life with every report, and its work with it. A worker that was
    started anew is none, for it has the same ComfyUI; nor is one whose predecessor has said that it stops.
    """
    here, there = node.comfyui_facts.get("address", ""), report.comfy.address
    lives = (
        node.observed not in (Observed.OFFLINE, Observed.DEAF)
        and node.reported_at is not None
        and node.reported_at > now - timedelta(seconds=settings.OFFLINE_SECONDS)
    )
    return bool(here and there) and here != there and node.epoch not in ("", report.epoch) and lives


def refuse_rival(node: Node, report: NodeReport, now: datetime) -> str:
    """Show an operator that two workers have one name; return the words for the one that is refused."""
    words = RIVAL % {"address": printable(str, report.comfy.address)}
    logger.warning("two workers have one name", extra={"node": node.name, "other": report.comfy.address})
    _note(node.name, words, now)
    return words


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
