"""How far the renders are, read from the database."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from apps.renders.models import Job, RenderBatch
from apps.renders.selectors import wait_sentence
from apps.renders.states import CLOSED, OPEN, JobState
from apps.review.models import Take
from apps.review.states import Media

BAR: Final = 30


@dataclass(frozen=True)
class Snapshot:
    """Where every job and take stands. ``rendered`` counts running jobs by their fraction."""

    states: dict[str, int]
    media: dict[str, int]
    rendered: float
    doing: tuple[str, ...]

    @property
    def jobs(self) -> int:
        return sum(self.states.values())

    @property
    def closed(self) -> int:
        return sum(count for state, count in self.states.items() if state in CLOSED)

    @property
    def ready(self) -> int:
        return self.media.get(Media.READY, 0)

    @property
    def done(self) -> bool:
        """Nothing is open, and no take's media is still being made."""
        return self.closed == self.jobs and not self.media.get(Media.PROCESSING)


def look(batches: list[RenderBatch]) -> Snapshot:
    """Read where these batches stand, with three queries."""
    jobs = Job.objects.filter(batch__in=batches)
    rows = list(jobs.values_list("pk", "state", "progress"))
    media = Take.objects.filter(job_id__in=[pk for pk, _, _ in rows]).values_list("media_state", flat=True)
    running = jobs.filter(state=JobState.RUNNING).select_related(
        "shot__sequence", "template_version__template"
    )
    return Snapshot(
        states=Counter(state for _, state, _ in rows),
        media=Counter(media),
        rendered=sum(1.0 if state in CLOSED else progress for _, state, progress in rows),
        doing=tuple(
            f"{job.shot.full_code} {job.kind} {job.progress:.0%} {job.doing}".rstrip() for job in running
        ),
    )


def waits(batches: list[RenderBatch]) -> list[str]:
    """One sentence per open job: what it waits for."""
    jobs = Job.objects.filter(batch__in=batches, state__in=OPEN)
    jobs = jobs.select_related("shot__sequence", "template_version__template")
    return [f"{job.code} {job.label}: {job.state}. {wait_sentence(job)}".rstrip() for job in jobs]


def takes_in_progress(batches: list[RenderBatch]) -> list[str]:
    """One sentence per take whose thumbnail and proxy are not made."""
    ids: list[UUID] = list(Job.objects.filter(batch__in=batches).values_list("pk", flat=True))
    takes = Take.objects.filter(job_id__in=ids, media_state=Media.PROCESSING)
    return [
        f"{take}: its thumbnail and proxy are not made yet."
        for take in takes.select_related("shot__sequence")
    ]


def bar(snapshot: Snapshot) -> str:
    """Draw a snapshot as one line."""
    filled = round(BAR * snapshot.rendered / snapshot.jobs) if snapshot.jobs else BAR
    failed = snapshot.closed - snapshot.states.get(JobState.SUCCEEDED, 0)
    parts = [
        f"[{'#' * filled}{'.' * (BAR - filled)}] {snapshot.closed}/{snapshot.jobs} jobs",
        f"{snapshot.ready} takes ready",
        *([f"{failed} failed"] if failed else []),
        *snapshot.doing,
    ]
    return " · ".join(parts)
