"""Where the file a job starts from comes from: a take rendered before, or one being rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from apps.productions.models import Shot
from apps.renders.models import Job
from apps.renders.states import OPEN
from apps.review.models import Artifact, ArtifactRole
from apps.review.states import Media, Review
from apps.workflows.models import Kind
from workflows.load import Template
from workflows.manifest import Manifest
from workflows.rates import exact_fps
from workflows.roles import LATENT, PICTURES

FIRST_FRAME: Final = "first_frame"
VIDEO: Final = "video"

ORIGINS: Final[Mapping[str, Kind]] = {
    VIDEO: Kind.CLIP,
    PICTURES: Kind.FRAMES,
    FIRST_FRAME: Kind.KEYFRAME,
}
"""What is started from when nobody says: a clip from a keyframe, an upscale or interpolation from a clip."""

KINDS: Final[Mapping[str, Kind]] = {
    "video": Kind.CLIP,
    "frames": Kind.FRAMES,
    "image": Kind.KEYFRAME,
}
"""The kind of take that has such a file."""


_MEDIA: Final[Mapping[str, str]] = {PICTURES: "frames", LATENT: LATENT}
"""What roles take of which the node that loads it says nothing."""


@dataclass(frozen=True)
class Looks:
    """How large, long and fast a picture or clip is: pixels, frames, frames per second (None: a picture).

    ``whole``: it arrives at a picture, so that its end is no frame to trim; ``skip``: so many of its frames
    repeat the clip that it continues; ``held``: how many frames more its last one stands for
    (workflows.conforming.Conform).
    """

    width: int
    height: int
    frames: int = 1
    fps: float | None = None
    whole: bool = False
    skip: int = 0
    held: int = 0


@dataclass(frozen=True, kw_only=True)
class Source:
    """Exactly one of: an earlier step of this request, a job, a finished take's artifact.

    ``role``: the input its file fills; "": its end is only waited for. ``looks``: how its file looks, where
    that is known before the request is planned. A character's picture and a material are artifacts here, too.
    ``title``: what people call it. ``continues``: instead of all these, the shot whose selected clip's last
    ``frames`` fill it; the artifact is their cut, if it is made already, ``maker`` the job of that clip, if
    one is selected; ``fresh``: one that is stale does not do.
    """

    role: str
    step: int | None = None
    job_id: UUID | None = None
    artifact_id: UUID | None = None
    looks: Looks | None = None
    title: str = ""
    continues: UUID | None = None
    frames: int = 1
    fresh: bool = False
    maker: UUID | None = None


def role_of(manifest: Manifest) -> str:
    """The input of a template that starts from another job's file; "" if it starts from nothing.

    One that must be given comes before one that may be left out: a chain's first frame before the clip it may
    continue.
    """
    bound = [role for role in ORIGINS if role in manifest.bindings]
    return min(bound, key=lambda role: manifest.bindings[role].optional is not None, default="")


def medium_taken(template: Template, role: str) -> str:
    """What an input takes: image, frames (pictures), video, audio, latent; "" if it is no file input."""
    binding = template.manifest.bindings.get(role)
    if binding is None or binding.type != "file":
        return ""
    if role in _MEDIA:
        return _MEDIA[role]
    classes = [str(template.graph[target.node]["class_type"]) for target in binding.targets]
    return next(
        (medium for medium in ("video", "audio") for name in classes if medium in name.casefold()), "image"
    )


def medium_of(manifest: Manifest) -> str:
    """What the file of a template's takes is: image or video."""
    return next((output.kind for output in manifest.outputs if output.role == "primary"), "")


def find_sources(
    shots: Sequence[Shot], role: str, medium: str, after: Sequence[Job] = ()
) -> dict[UUID, Source]:
    """Find a source for each shot that has one outside the request, with a constant number of queries.

    A job the request waits for anyway wins, then an open job, then the newest take: the selected one before
    an approved one, that before one nobody has judged; never a rejected one.
    """
    keys, kind = [shot.pk for shot in shots], KINDS.get(medium, "")
    # Jobs first: one that ends in between is found here, or as its take; the other way round, it is neither.
    jobs = Job.objects.filter(shot__in=keys, kind=kind, state__in=OPEN).order_by("created_at")
    awaited = list(jobs.only("code", "shot_id", "width", "height", "frames", "fps", "length"))
    found = {artifact.take.shot_id: _of_artifact(artifact, role) for artifact in _artifacts(keys, kind)}
    ours = [job for job in after if job.kind == kind and job.shot_id in set(keys)]
    for job in (*awaited, *ours):
        found[job.shot_id] = _of_job(job, role)
    return found


def given_sources(jobs: Mapping[UUID, UUID], role: str) -> dict[UUID, Source]:
    """Find the file of each shot's given job: its take's where there is one, else the job is waited for.

    A shot whose job has neither a file nor a chance of one is left out. Two queries.
    """
    waited = {job.pk: job for job in Job.objects.filter(pk__in=jobs.values(), state__in=OPEN)}
    files = Artifact.objects.filter(take__job_id__in=jobs.values(), role=ArtifactRole.PRIMARY)
    first: dict[UUID, Artifact] = {}
    for artifact in files.select_related("take").order_by("key"):
        first.setdefault(artifact.take.job_id, artifact)
    found = {}
    for shot, key in jobs.items():
        if key in first:
            found[shot] = _of_artifact(first[key], role)
        elif key in waited:
            found[shot] = _of_job(waited[key], role)
    return found


def _of_artifact(artifact: Artifact, role: str) -> Source:
    take = artifact.take
    told = f"{Kind(take.kind).label} {take.number}"
    return Source(role=role, artifact_id=artifact.pk, looks=looks_of(artifact), title=told)


def _of_job(job: Job, role: str) -> Source:
    return Source(role=role, job_id=job.pk, looks=looks_of(job), title=job.code)


def looks_of(one: Artifact | Job) -> Looks:
    """How a take's file looks, or how a job's will; one picture of a clip stands for the whole clip."""
    length = one.take.length if isinstance(one, Artifact) else one.length
    frames, fps = one.frames, one.fps
    if length and isinstance(one, Artifact) and one.take.kind == Kind.FRAMES:
        frames, fps = int(length["rendered"]["frames"]), float(exact_fps(length["rendered"]["fps"]))
    return Looks(
        one.width,
        one.height,
        frames,
        fps,
        whole=bool(length.get("whole")),
        skip=int(length.get("skip", 0)),
        held=int(length.get("held", 0)),
    )


def tail_looks(tail: Artifact) -> Looks:
    """How the cut end of a clip looks: a picture, or a clip of a few frames."""
    return Looks(tail.width, tail.height, tail.frames, tail.fps)


def tail_title(tail: Artifact) -> str:
    """What people call the end of a clip."""
    return _("%(take)s, its end") % {"take": tail.take}


def primary_artifact(job: Job) -> Artifact | None:
    """The file a finished job's take is about; None while there is no take."""
    return Artifact.objects.filter(take__job_id=job.pk, role=ArtifactRole.PRIMARY).order_by("key").first()


def pictures_beside(pk: UUID) -> list[Artifact]:
    """All pictures of the take that this one belongs to, in their order."""
    return list(Artifact.objects.filter(take__artifacts=pk, role=ArtifactRole.PRIMARY).order_by("key"))


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
        key=lambda artifact: (
            artifact.take.selected,
            artifact.take.review_state == Review.APPROVED,
            artifact.take.created_at,
        ),
    )
