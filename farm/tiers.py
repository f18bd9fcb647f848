"""VRAM tiers and the only queue names of the farm.

A tier is a rung of :data:`TIERS_GB`. A node has the tier its GPU reaches; a job has the tier its
need fits into; an order travels on the queue of the job's tier. Tier 0 needs no VRAM at all.
"""

from __future__ import annotations

import re
from typing import Final

TIERS_GB: Final = (8, 12, 16, 24, 32, 48, 80, 96, 140)
"""Rungs in GB, as cards are sold. An RTX 4090 (24 564 MiB) is a 24, an H200 (143 771 MiB) a 140."""

NO_VRAM: Final = 0
"""The tier of jobs that need no GPU memory. Every worker with a living ComfyUI serves it."""

ROUNDING: Final = 1.03
"""Cards report a little less than they are sold with: 24 564 MiB / 1024 × 1.03 = 24.7 → 24."""

QUEUE_REPORTS: Final = "reports"
QUEUE_CLAIMS: Final = "claims"
QUEUE_MEDIA: Final = "media"

_UNSAFE = re.compile(r"[^A-Za-z0-9_.@-]")


def tier_of_memory(total_mib: float) -> int:
    """Return the largest tier a GPU of ``total_mib`` MiB reaches, 0 if it is below the smallest."""
    gb = total_mib / 1024 * ROUNDING
    return max((tier for tier in TIERS_GB if tier <= gb), default=NO_VRAM)


def tier_for_need(need_gb: float) -> int | None:
    """Return the smallest tier that holds ``need_gb`` GB; None if no card is that large."""
    if need_gb <= 0:
        return NO_VRAM
    return next((tier for tier in TIERS_GB if tier >= need_gb), None)


def queue_for(tier: int) -> str:
    """Name the queue of orders to start now on a free GPU of at least ``tier`` GB."""
    return f"vram.{tier}"


def next_queue_for(tier: int) -> str:
    """Name the queue of orders to stage behind a running render."""
    return f"vram.{tier}.next"


def node_queue(node: str, epoch: str) -> str:
    """Name one node's own queue. The epoch is in the name, so orders to a former life are never read."""
    return f"node.{_UNSAFE.sub('-', node)}.{epoch}"


def tiers_served(tier: int | None) -> tuple[int, ...]:
    """List the tiers a node serves, largest first. None (memory unknown) serves only tier 0."""
    served = [t for t in reversed(TIERS_GB) if tier is not None and t <= tier]
    return (*served, NO_VRAM)
