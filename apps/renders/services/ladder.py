"""Out of memory: free, once more (that does the node), the next tier, then advice for people (design §6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

from apps.nodes.selectors import largest_tier, largest_tier_open_to
from apps.renders.models import Attempt, Job
from apps.renders.services.needs import card_of
from apps.workflows.services import template_of
from farm.tiers import NO_VRAM, TIERS_GB
from workflows.manifest import Manifest, VramRow


@dataclass(frozen=True, kw_only=True)
class Step:
    """Where a job goes that ran out of memory. ``tier_gb`` None: back to its lane. ``ends``: it fails."""

    tier_gb: int | None = None
    ends: bool = False
    advice: str = ""


def climb(job: Job, on: Attempt | None) -> Step:
    """The next rung for a job, above the card it ran on: less than that has just been disproved.

    Without a larger card that it may go to it has one more try as an order for the whole card, if it was
    none. An experiment on a smaller card changes nothing for the job.
    """
    if on is not None and on.explores:
        return Step(advice=f"{on.tier_gb} GB was an experiment: back to a larger card")
    ordered = on.tier_gb if on is not None else job.tier_gb or NO_VRAM
    card = max(ordered, card_of(on) if on is not None else NO_VRAM)
    largest, everywhere = _largest(job)
    larger = next((tier for tier in TIERS_GB if card < tier <= largest), None)
    if larger is None and ordered < card:
        larger = card
    if larger is None:
        return Step(ends=True, advice=_advice(job, largest, everywhere=everywhere))
    return Step(tier_gb=larger, advice=f"moved up to {larger} GB")


def _largest(job: Job) -> tuple[int, bool]:
    """The largest tier that a job may go to, in GB, and whether no card here is larger. Unknown: any."""
    of_all = largest_tier() or NO_VRAM
    open_to = largest_tier_open_to(
        pool_id=job.pool_id, tags=job.tags, pinned_to_id=job.pinned_to_id, avoids=job.avoids
    )
    return (of_all or TIERS_GB[-1], True) if open_to is None else (open_to, open_to == of_all)


def _advice(job: Job, largest: int, *, everywhere: bool) -> str:
    """What would fit the largest card it may go to by the manifest's own figures: less than what did not."""
    options = list(dict.fromkeys(_options(job, template_of(job.template_version).manifest, largest)))
    if not everywhere:
        return " — ".join([f"no node it may go to has more than {largest} GB", *options])
    if not options:
        return "there is no larger tier: choose a smaller size or fewer frames"
    return " — ".join([f"no card here has more than {largest} GB", *options])


def _options(job: Job, manifest: Manifest, largest: int) -> Iterator[str]:
    pixels = job.width * job.height
    rows = [row for row in manifest.vram if row.gb <= largest]
    own = [row for row in rows if row.precision == job.precision]
    smaller = [row.max_pixels for row in own if row.max_pixels < pixels and row.max_frames >= job.frames]
    if smaller:
        width, height = _scaled(job, max(smaller), step=manifest.dim_step)
        yield f"a size of {width}×{height} should fit"
    fewer = [row.max_frames for row in own if row.max_pixels >= pixels and row.max_frames < job.frames]
    if fewer:
        yield f"{max(fewer)} frames should fit"
    for precision in manifest.precisions:
        needs = [row.gb for row in rows if row.precision == precision and _holds(row, pixels, job.frames)]
        if precision != job.precision and needs and min(needs) < job.need_gb:
            yield f"precision {precision} should fit"


def _holds(row: VramRow, pixels: int, frames: int) -> bool:
    return row.max_pixels >= pixels and row.max_frames >= frames


def _scaled(job: Job, pixels: int, *, step: int) -> tuple[int, int]:
    """The job's size at the same aspect ratio, with at most so many pixels, on the template's grid."""
    factor = sqrt(pixels / (job.width * job.height))

    def scaled(side: int) -> int:
        return max(step, int(side * factor) // step * step)

    return scaled(job.width), scaled(job.height)
