"""Takes with their files at hand, for pages that show many at once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.signatures import sign
from apps.projects.stages import Stage
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.selectors import open_note_counts
from apps.workflows.models import Kind


def artifact_name(artifact_id: UUID) -> str:
    """Name a file in signatures."""
    return f"artifact {artifact_id}"


def media_url(artifact_id: UUID, reader: User) -> str:
    """Return the address at which this reader sees the file for a while; it is signed in their name."""
    return f"{reverse('artifact', args=[artifact_id])}?{sign(reader, artifact_name(artifact_id))}"


def with_files(takes: list[Take]) -> list[Take]:
    """Put ``original``, ``thumb``, ``latents`` and ``shown`` (Artifact or None) on takes, in one query.

    ``shown`` is what a browser plays: the proxy where there is one, else the original.
    """
    files: dict[Any, dict[str, Artifact]] = defaultdict(dict)
    for artifact in Artifact.objects.filter(take__in=[take.pk for take in takes]):
        files[artifact.take_id].setdefault(artifact.role, artifact)
    for take in takes:
        own = files[take.pk]
        take.original = own.get(ArtifactRole.PRIMARY)  # type: ignore[attr-defined]  # carried to the page
        take.shown = own.get(ArtifactRole.PROXY) or own.get(ArtifactRole.PRIMARY)  # type: ignore[attr-defined]  # carried to the page
        take.kind_label = Kind(take.kind).label  # type: ignore[attr-defined]  # carried to the page
        take.conformed = own.get(ArtifactRole.CONFORMED)  # type: ignore[attr-defined]  # carried to the page
        take.latents = own.get(ArtifactRole.LATENT)  # type: ignore[attr-defined]  # carried to the page
        take.thumb = own.get(ArtifactRole.THUMBNAIL)  # type: ignore[attr-defined]  # carried to the page
    return takes


def newest_of(shot_id: UUID, *, at_most: int) -> list[Take]:
    """Return a shot's newest takes with their files, in two queries."""
    takes = Take.objects.filter(shot=shot_id).select_related("shot__sequence")
    return with_files(list(takes.order_by("-created_at")[:at_most]))


@dataclass(frozen=True)
class OfStage:
    """A shot's takes of one stage, the newest first, with their files and ``open_notes``."""

    stage: str
    label: str
    takes: list[Take]

    @property
    def best(self) -> Take:
        """The selected one, else the newest."""
        return next((take for take in self.takes if take.selected), self.takes[0])


def by_stage(takes: list[Take]) -> list[OfStage]:
    """Put takes under their stages, by the order in which a film is made."""
    notes = open_note_counts([take.pk for take in takes])
    for take in takes:
        take.open_notes = notes.get(take.pk, 0)  # type: ignore[attr-defined]  # carried to the page
    return [
        OfStage(str(stage), str(stage.label), own)
        for stage in Stage
        if (own := [take for take in takes if take.stage == stage])
    ]


def newest_clip() -> Subquery:
    """The id of a shot's newest video that a browser plays, as a subquery over rows of shots."""
    clips = Artifact.objects.filter(take__shot=OuterRef("pk"), role=ArtifactRole.PROXY, kind="video")
    return Subquery(clips.order_by("-take__created_at").values("pk")[:1])


def newest_thumbnail() -> Subquery:
    """The id of a shot's newest thumbnail, as a subquery over rows of shots."""
    thumbs = Artifact.objects.filter(take__shot=OuterRef("pk"), role=ArtifactRole.THUMBNAIL)
    return Subquery(thumbs.order_by("-take__created_at").values("pk")[:1])
