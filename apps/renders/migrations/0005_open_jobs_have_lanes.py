"""Jobs that were open before lanes existed get theirs; ranks follow priorities, holds follow pauses."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import migrations
from django.db.models import F, Q

TIERS_GB = (8, 12, 16, 24, 32, 48, 80, 96, 140)
CLOSED = ("succeeded",)


def give_lanes(apps: Any, schema_editor: Any) -> None:
    """Make the lane of every job that may render again, by the rule that services.lanes had then."""
    job_model = apps.get_model("renders", "Job")
    job_model.objects.update(rank=F("priority"))
    job_model.objects.filter(Q(paused=True) | Q(batch__paused=True)).update(held=True)
    for job in job_model.objects.exclude(state__in=CLOSED).iterator(chunk_size=500):
        job_model.objects.filter(pk=job.pk).update(lane=_lane(apps, job))


def _lane(apps: Any, job: Any) -> Any:
    need_gb = float(job.need_gb)
    declared = 0 if need_gb <= 0 else next((tier for tier in TIERS_GB if tier >= need_gb), None)
    shape = {
        "template_version_id": job.template_version_id,
        "precision": job.precision,
        "width": job.width,
        "height": job.height,
        "frames": job.frames,
    }
    need, _made = apps.get_model("renders", "Need").objects.get_or_create(
        **shape, declared_gb=need_gb, defaults={"declared_tier_gb": declared, "tier_gb": declared}
    )
    # A job that ran out of memory had been moved above its declared tier.
    floor = job.tier_gb if job.tier_gb and declared is not None and job.tier_gb > declared else 0
    content = (job.project_id, (*shape.values(), need_gb), job.lora_files, None, "", None, floor)
    digest = hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()
    lane, _made = apps.get_model("renders", "Lane").objects.get_or_create(
        key=digest,
        defaults={
            "project_id": job.project_id,
            "template_version_id": job.template_version_id,
            "need": need,
            "precision": job.precision,
            "lora_files": job.lora_files,
            "floor_gb": floor,
        },
    )
    if floor:
        apps.get_model("renders", "Job").objects.filter(pk=job.pk).update(floor_gb=floor)
    return lane


class Migration(migrations.Migration):
    dependencies = [("renders", "0004_farm_engine")]
    operations = [migrations.RunPython(give_lanes, migrations.RunPython.noop)]
