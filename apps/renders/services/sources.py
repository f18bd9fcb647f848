"""Where the file a job starts from comes from: a take rendered before, or one being rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from apps.productions.models import Shot
from apps.renders.models import Job
from apps.renders.states import OPEN
from apps.review.models import Artifact, ArtifactRole
from apps.review.states import Media, Review
from apps.workflows.models import Kind
from workflows.manifest import Manifest

FIRST_FRAME: Final = "first_frame"
VIDEO: Final = "video"

ORIGINS: Final[Mapping[str, Kind]] = {VIDEO: Kind.CLIP, FIRST_FRAME: Kind.KEYFRAME}
"""What is started from when nobody says: a clip from a keyframe, an upscale or interpolation from a clip."""

MEDIA: Final[Mapping[str, str]] = {VIDEO: "video", FIRST_FRAME: "image"}


@dataclass(frozen=True, kw_only=True)
class Source:
    """Exactly one of: an earlier step of this request, a job, a finished take's artifact.

    ``role``: the input its file fills; "": its end is only waited for. ``frames``: how long its file is,
    where that is known before the request is planned.
    """

    role: str
    step: int | None = None
    job_id: UUID | None = None
    artifact_id: UUID | None = None
    frames: int | None = None


def role_of(manifest: Manifest) -> str:
    """The input of a template that starts from another job's file; "" if it starts from nothing."""
    return next((role for role in ORIGINS if role in manifest.bindings), "")


def medium_of(manifest: Manifest) -> str:
    """What the file of a template's takes is: image or video."""
    return next((output.kind for output in manifest.outputs if output.role == "primary"), "")


def find_sources(shots: Sequence[Shot], role: str, after: Sequence[Job] = ()) -> dict[UUID, Source]:
    """Find a source for each shot that has one outside the request, with a constant number of queries.

    A job the request waits for anyway wins, then an open job, then the newest take: an approved one before
    one that nobody has judged; never a rejected one.
    """
    keys, kind = [shot.pk for shot in shots], ORIGINS[role]
    found = {
        artifact.take.shot_id: Source(role=role, artifact_id=artifact.pk, frames=artifact.frames)
        for artifact in _artifacts(keys, kind)
    }
    jobs = Job.objects.filter(shot__in=keys, kind=kind, state__in=OPEN).order_by("created_at")
    ours = [job for job in after if job.kind == kind and job.shot_id in set(keys)]
    for job in (*jobs.only("shot_id", "frames"), *ours):
        found[job.shot_id] = Source(role=role, job_id=job.pk, frames=job.frames)
    return found


def primary_artifact(job: Job) -> Artifact | None:
    """The file a finished job's take is about; None while there is no take."""
    return Artifact.objects.filter(take__job_id=job.pk, role=ArtifactRole.PRIMARY).order_by("key").first()


def _artifacts(shots: list[UUID], kind: str) -> list[Artifact]:
    artifacts = Artifact.objects.filter(
        take__shot__in=shots,
        take__kind=kind,
        take__media_state__in=(Media.READY, Media.PROCESSING),
        take__review_state__in=(Review.PENDING, Review.APPROVED),
        role=ArtifactRole.PRIMARY,
    ).select_related("take")
    return sorted(
        artifacts,
        key=lambda artifact: (artifact.take.review_state == Review.APPROVED, artifact.take.created_at),
    )
