"""A take is born: once per job, with its files checked against the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage

from apps.common.machines import events_together, record_event
from apps.productions.models import Shot
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.states import MEDIA, REVIEW, Media, Review
from farm.contracts import ArtifactFact

LONGEST_PATH = 255
LONGEST_TYPE = 60


@dataclass(frozen=True, kw_only=True)
class NewTake:
    """What a finished attempt tells about its take."""

    project_code: str
    shot: Shot
    job_id: UUID
    attempt_id: UUID
    kind: str
    stage: str
    number: int
    template: str
    prompt_build_id: UUID | None
    seed: int | None
    node: str
    simulated: bool
    render_seconds: float | None
    artifacts: Sequence[ArtifactFact]
    length: Mapping[str, Any] = field(default_factory=dict)
    actor: str = ""
    """Who brought it, if not its node."""


def folder_of(project_code: str, attempt_id: UUID) -> str:
    """The attempt's folder in the artifact store; no two attempts share one."""
    return f"attempts/{project_code}/{attempt_id}"


def unusable_files(project_code: str, attempt_id: UUID, artifacts: Sequence[ArtifactFact]) -> list[str]:
    """Name what a report claims to have stored and has not, or not in full, or under a name no take keeps.

    Raises OSError when the store cannot be asked.
    """
    folder = folder_of(project_code, attempt_id)
    if not artifacts:
        return ["(no file at all)"]
    paths = [fact.path for fact in artifacts]
    return [fact.path for fact in artifacts if paths.count(fact.path) > 1 or not _stored(folder, fact)]


def create_takes(born: Sequence[NewTake]) -> list[Take]:
    """Write takes and their artifacts. Raises IntegrityError if one of the jobs has a take already."""
    takes = Take.objects.bulk_create(
        Take(
            project_id=new.shot.project_id,
            shot=new.shot,
            job_id=new.job_id,
            attempt_id=new.attempt_id,
            kind=new.kind,
            stage=new.stage,
            number=new.number,
            template=new.template,
            prompt_build_id=new.prompt_build_id,
            seed=new.seed,
            node=new.node,
            simulated=new.simulated,
            render_seconds=new.render_seconds,
            length=dict(new.length),
        )
        for new in born
    )
    Artifact.objects.bulk_create(
        artifact for new, take in zip(born, takes, strict=True) for artifact in _artifacts(new, take)
    )
    with events_together():
        for new, take in zip(born, takes, strict=True):
            for machine, state in ((MEDIA, Media.PROCESSING), (REVIEW, Review.PENDING)):
                record_event(machine, take.pk, to=state, story=new.job_id, actor=new.actor or new.node)
    return takes


def _artifacts(new: NewTake, take: Take) -> Iterator[Artifact]:
    folder = folder_of(new.project_code, new.attempt_id)
    return (
        Artifact(
            take=take,
            role=ArtifactRole.LATENT if fact.kind == ArtifactRole.LATENT else ArtifactRole.PRIMARY,
            key=f"{folder}/{fact.path}",
            kind=fact.kind,
            media_type=fact.media_type,
            bytes=fact.bytes,
            sha256=fact.sha256,
            width=fact.width,
            height=fact.height,
            frames=fact.frames,
            fps=fact.fps,
        )
        for fact in new.artifacts
    )


def _stored(folder: str, fact: ArtifactFact) -> bool:
    parts = fact.path.split("/")
    if len(fact.path) > LONGEST_PATH or len(fact.media_type) > LONGEST_TYPE:
        return False
    if not fact.path or ".." in parts or "\\" in fact.path or fact.path.startswith("/"):
        return False
    key = f"{folder}/{fact.path}"
    return default_storage.exists(key) and default_storage.size(key) == fact.bytes
