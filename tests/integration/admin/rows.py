"""Rows of a film for the pages to show."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from apps.common.machines import record_event
from apps.nodes.models import Gpu, Node, Source
from apps.nodes.states import Observed
from apps.productions.models import Shot
from apps.renders.models import Attempt, Job
from apps.renders.states import JOB, AttemptState, JobState
from apps.review.models import ArtifactRole, Take
from tests.factories import (
    ArtifactFactory,
    CharacterFactory,
    CinematicPresetFactory,
    CostumeFactory,
    EpisodeFactory,
    JobFactory,
    LocationFactory,
    ShotCharacterFactory,
    ShotPresetFactory,
    TakeFactory,
)


def page(row: Model) -> str:
    """The address of a row's own page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def listing(model: type[Model]) -> str:
    """The address of a model's list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def make_node(name: str = "gpu24", **facts: Any) -> Node:
    """A busy node with one measured GPU."""
    node = Node.objects.create(
        name=name, observed=Observed.BUSY, tier_gb=24, epoch="e1", reported_at=timezone.now(), **facts
    )
    Gpu.objects.create(
        node=node, index=0, name="NVIDIA GeForce RTX 4090", source=Source.NVML, total_mib=24564, free_mib=8000
    )
    return node


def make_job(shot: Shot, node: Node, *, state: str = JobState.RUNNING) -> tuple[Job, Attempt]:
    """A job of a shot with one attempt on a node and an event."""
    job = JobFactory.create(shot=shot, state=state, progress=0.5, doing="KSampler")
    attempt = Attempt.objects.create(
        job=job,
        number=1,
        state=AttemptState.EXECUTING,
        token="t",
        queue="vram.12",
        tier_gb=12,
        node=node,
        accept_by=timezone.now(),
        failure_message="first line\nsecond line",
        failure_class="out_of_memory",
        report={"failure": {"node_type": "KSampler", "node_id": "7", "detail": "Traceback …"}},
    )
    record_event(JOB, job.pk, to=JobState.READY, actor="somebody", reason="submitted")
    return job, attempt


def make_take(shot: Shot, job: Job) -> Take:
    """A take with an original and a thumbnail (rows only)."""
    take = TakeFactory.create(shot=shot, job_id=job.pk, media_state="ready", simulated=True)
    ArtifactFactory.create(take=take)
    ArtifactFactory.create(take=take, role=ArtifactRole.THUMBNAIL, key=f"thumbs/{take.pk}.png")
    return take


def fill(shot: Shot) -> None:
    """Give a shot cast and presets."""
    character = CharacterFactory.create(project=shot.project)
    ShotCharacterFactory.create(
        shot=shot, character=character, costume=CostumeFactory.create(character=character)
    )
    ShotPresetFactory.create(shot=shot, preset=CinematicPresetFactory.create())


def everything_of(shot: Shot) -> dict[str, Any]:
    """One row of everything that belongs to a film, by name."""
    fill(shot)
    shot.location = LocationFactory.create(project=shot.project)
    shot.save()
    shot.sequence.episode = EpisodeFactory.create(project=shot.project)
    shot.sequence.save()
    node = Node.objects.filter(name="gpu24").first() or make_node()
    job, attempt = make_job(shot, node)
    return {
        "project": shot.project,
        "episode": shot.sequence.episode,
        "sequence": shot.sequence,
        "shot": shot,
        "location": shot.location,
        "character": shot.characters.get(),
        "batch": job.batch,
        "job": job,
        "attempt": attempt,
        "take": make_take(shot, job),
        "node": node,
    }
