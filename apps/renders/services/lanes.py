"""Which lane a job waits in, and what its shape of work needs (apps.renders.models.lanes)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from uuid import UUID

from apps.renders.models import Job, Lane, Need
from apps.renders.scheduling.sleep import keep_awake
from apps.renders.services.needs import settle
from farm.tiers import tier_for_need


@dataclass(frozen=True)
class Shape:
    """One shape of work. ``declared_gb`` follows from the rest, but for what a person asked for."""

    template_version_id: UUID
    precision: str
    width: int
    height: int
    frames: int
    declared_gb: float


@dataclass(frozen=True)
class LaneKey:
    """What jobs must have in common to fit the same nodes."""

    project_id: UUID
    shape: Shape
    lora_files: str
    pool_id: UUID | None
    tags: str
    pinned_to_id: UUID | None
    floor_gb: int
    avoids: str

    @property
    def digest(self) -> str:
        """The lane's key: SHA-256, hexadecimal. Lanes that avoid no node keep the key they always had."""
        *content, avoids = astuple(self)
        told = [*content, avoids] if avoids else content
        return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()


def assign(jobs: Sequence[Job]) -> None:
    """Set the lane of each job in hand, a constant number of statements; missing lanes are made.

    The jobs are not saved. Lanes are woken: call it in the transaction that makes the jobs ready, and lock
    jobs that others may see before: everybody locks jobs before lanes.
    """
    keys = {job.pk: _key(job) for job in jobs}
    lanes = _lanes(set(keys.values()))
    for job in jobs:
        job.lane = lanes[keys[job.pk].digest]


def wake(lane_ids: Iterable[UUID | None]) -> None:
    """Let the dispatcher look at these lanes: one of their jobs becomes ready, and is locked already."""
    keep_awake(key for key in lane_ids if key is not None)


def _key(job: Job) -> LaneKey:
    return LaneKey(
        project_id=job.project_id,
        shape=_shape(job),
        lora_files=job.lora_files,
        pool_id=job.pool_id,
        tags=job.tags,
        pinned_to_id=job.pinned_to_id,
        floor_gb=job.floor_gb,
        avoids=job.avoids,
    )


def _shape(job: Job) -> Shape:
    return Shape(
        job.template_version_id, job.precision, job.width, job.height, job.frames, float(job.need_gb)
    )


def _lanes(keys: set[LaneKey]) -> dict[str, Lane]:
    digests = {key.digest: key for key in keys}
    found = Lane.objects.select_related("need").in_bulk(list(digests), field_name="key")
    missing = {digest: key for digest, key in digests.items() if digest not in found}
    if missing:
        needs = _needs({key.shape for key in missing.values()})
        rows = [_new(digest, key, needs[key.shape]) for digest, key in missing.items()]
        Lane.objects.bulk_create(rows, ignore_conflicts=True)  # somebody else may have been faster
        found |= Lane.objects.select_related("need").in_bulk(list(missing), field_name="key")
    wake(lane.pk for lane in found.values())
    return found


def _new(digest: str, key: LaneKey, need: Need) -> Lane:
    return Lane(
        key=digest,
        project_id=key.project_id,
        template_version_id=key.shape.template_version_id,
        need=need,
        precision=key.shape.precision,
        lora_files=key.lora_files,
        pool_id=key.pool_id,
        tags=key.tags,
        pinned_to_id=key.pinned_to_id,
        floor_gb=key.floor_gb,
        avoids=key.avoids,
    )


def _needs(shapes: set[Shape]) -> dict[Shape, Need]:
    found = _known_needs(shapes)
    missing = shapes - set(found)
    if missing:
        Need.objects.bulk_create([_new_need(shape) for shape in missing], ignore_conflicts=True)
        settle({shape.template_version_id for shape in missing})
        found |= _known_needs(missing)
    return found


def _known_needs(shapes: set[Shape]) -> dict[Shape, Need]:
    rows = Need.objects.filter(template_version__in={shape.template_version_id for shape in shapes})
    known = {
        Shape(row.template_version_id, row.precision, row.width, row.height, row.frames, row.declared_gb): row
        for row in rows
    }
    return {shape: known[shape] for shape in shapes if shape in known}


def _new_need(shape: Shape) -> Need:
    tier = tier_for_need(shape.declared_gb)
    return Need(
        template_version_id=shape.template_version_id,
        precision=shape.precision,
        width=shape.width,
        height=shape.height,
        frames=shape.frames,
        declared_gb=shape.declared_gb,
        declared_tier_gb=tier,
        tier_gb=tier,
    )
