"""Where the start image of a clip comes from: a keyframe rendered before, or one being rendered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.productions.models import Shot
from apps.renders.models import Job
from apps.renders.states import OPEN
from apps.review.models import Artifact, ArtifactRole
from apps.review.states import Media, Review
from apps.workflows.models import Kind


@dataclass(frozen=True, kw_only=True)
class StartImage:
    """Exactly one of: an earlier step of the same request, an open job, a finished take's artifact."""

    step: int | None = None
    job_id: UUID | None = None
    artifact_id: UUID | None = None


def find_start_images(shots: Sequence[Shot], earlier: Sequence[tuple[int, str]]) -> dict[UUID, StartImage]:
    """Find a start image for each shot that can have one, with a constant number of queries.

    A keyframe of the same request wins, then an open keyframe job, then the newest take: an approved
    one before one that nobody has judged; never a rejected one.
    """
    if earlier:
        return {shot.pk: StartImage(step=earlier[-1][0]) for shot in shots}
    keys = [shot.pk for shot in shots]
    found = {
        artifact.take.shot_id: StartImage(artifact_id=artifact.pk) for artifact in _keyframe_artifacts(keys)
    }
    jobs = Job.objects.filter(shot__in=keys, kind=Kind.KEYFRAME, state__in=OPEN).order_by("created_at")
    for shot_id, job_id in jobs.values_list("shot_id", "pk"):
        found[shot_id] = StartImage(job_id=job_id)
    return found


def primary_artifact(job: Job) -> Artifact | None:
    """The file a finished job's take is about; None while there is no take."""
    return Artifact.objects.filter(take__job_id=job.pk, role=ArtifactRole.PRIMARY).order_by("key").first()


def _keyframe_artifacts(shots: list[UUID]) -> list[Artifact]:
    artifacts = Artifact.objects.filter(
        take__shot__in=shots,
        take__kind=Kind.KEYFRAME,
        take__media_state__in=(Media.READY, Media.PROCESSING),
        take__review_state__in=(Review.PENDING, Review.APPROVED),
        role=ArtifactRole.PRIMARY,
    ).select_related("take")
    return sorted(
        artifacts,
        key=lambda artifact: (artifact.take.review_state == Review.APPROVED, artifact.take.created_at),
    )
