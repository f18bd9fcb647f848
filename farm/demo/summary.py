"""What came out: a table for people, summary.json for machines, and a verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import QuerySet

from apps.renders.models import Job, RenderBatch
from apps.renders.states import JobState
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.states import Media


def takes_of(batches: list[RenderBatch]) -> QuerySet[Take]:
    """The takes of these batches, in shot order, with their files."""
    jobs = list(Job.objects.filter(batch__in=batches).values_list("pk", flat=True))
    takes = (
        Take.objects.filter(job_id__in=jobs).select_related("shot__sequence").prefetch_related("artifacts")
    )
    return takes.order_by("shot__sequence__code", "shot__code", "-kind", "number")


def table(takes: QuerySet[Take]) -> str:
    """Lay out one line per take: shot, take, template, node, render time, media, file."""
    rows = [("shot", "take", "template", "node", "seconds", "media", "file")]
    rows += [
        (
            take.shot.full_code,
            f"{take.kind} {take.number}",
            take.template,
            f"{take.node}{' (SIMULATED)' if take.simulated else ''}",
            "–" if take.render_seconds is None else f"{take.render_seconds:.1f}",
            str(take.media_state),
            _shown(_primary(take)),
        )
        for take in takes
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def failures(batches: list[RenderBatch]) -> list[str]:
    """One sentence for each job that did not succeed, and each take that cannot be looked at."""
    jobs = Job.objects.filter(batch__in=batches).exclude(state=JobState.SUCCEEDED)
    jobs = jobs.select_related("shot__sequence", "template_version__template")
    sentences = [
        f"{job.code} {job.label} is {job.state}: {job.failure_message or 'no reason given'}" for job in jobs
    ]
    sentences += [
        f"{take}: its media is {take.media_state}: {take.media_error or 'no reason given'}"
        for take in takes_of(batches)
        if take.media_state != Media.READY
    ]
    with_take = set(takes_of(batches).values_list("job_id", flat=True))
    done = Job.objects.filter(batch__in=batches, state=JobState.SUCCEEDED)
    return sentences + [f"{job.code} succeeded but has no take." for job in done if job.pk not in with_take]


def content(
    batches: list[RenderBatch], *, seconds: float, peak_rss_mb: Mapping[str, float], simulated: bool
) -> dict[str, Any]:
    """What summary.json says. ``files`` lists every artifact of every take, with absolute paths."""
    takes = takes_of(batches)
    return {
        "jobs": Job.objects.filter(batch__in=batches).count(),
        "takes": takes.count(),
        "files": [_file(artifact) for take in takes for artifact in take.artifacts.all()],
        "seconds": round(seconds, 1),
        "peak_rss_mb": {name: round(peak, 1) for name, peak in peak_rss_mb.items()},
        "simulated": simulated,
        "failures": failures(batches),
    }


def write(path: Path, summary: dict[str, Any]) -> None:
    """Write summary.json whole or not at all."""
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
    draft.replace(path)


def _file(artifact: Artifact) -> dict[str, Any]:
    return {
        "path": str(_path(artifact)),
        "sha256": artifact.sha256,
        "kind": artifact.kind,
        "role": artifact.role,
        "width": artifact.width,
        "height": artifact.height,
        "frames": artifact.frames,
    }


def _primary(take: Take) -> Artifact | None:
    return next((file for file in take.artifacts.all() if file.role == ArtifactRole.PRIMARY), None)


def _path(artifact: Artifact) -> Path:
    return Path(default_storage.path(artifact.key))


def _shown(artifact: Artifact | None) -> str:
    if artifact is None:
        return "–"
    path = _path(artifact)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
