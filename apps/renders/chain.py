"""Which shots of a sequence continue which, and how each stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence as Listed
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from apps.productions.models import Sequence, Shot
from apps.projects.stages import Stage
from apps.renders.models import Job, JobContinuity
from apps.renders.states import JobState
from apps.renders.waitwords import sentence
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.stale import standing_stale, why_stale

MOST_SHOWN: Final = 300


@dataclass(frozen=True)
class Link:
    """A shot in its chain. ``step``: how many it is behind the first one that is shown; ``selected``: its
    selected clip; ``stale``: why what stands for it is stale, in words; ``waits``: why its job waits;
    ``has_latents``: the selected clip keeps latents.
    """

    shot: Shot
    step: int
    selected: Take | None
    stale: str
    waits: str
    has_latents: bool = False

    @property
    def keeps(self) -> str:
        """What it keeps of the shot it continues: frames or latents; "" where it continues none."""
        return self.shot.continuity_keep if self.shot.continuity_from_id else ""


def chain_of(sequence: Sequence) -> list[Link]:
    """The shots of a sequence that continue others or are continued, chain by chain; six queries."""
    behind = Shot.objects.filter(continuity_from=OuterRef("pk"))
    rows = Shot.objects.filter(Q(continuity_from__isnull=False) | Exists(behind), sequence=sequence)
    rows = rows.select_related("sequence", "continuity_from__sequence")
    shots = list(rows.order_by("order", "code")[:MOST_SHOWN])
    return links_of(_in_order(shots))


def links_of(shots: list[tuple[Shot, int]]) -> list[Link]:
    """How these shots stand, each with its step."""
    keys = [shot.pk for shot, _step in shots]
    chosen = Take.objects.filter(shot__in=keys, stage=Stage.CLIP, selected=True).select_related(
        "shot__sequence"
    )
    selected = {take.shot_id: take for take in chosen}
    stale = {take.shot_id: why_stale(take) for take in standing_stale().filter(shot__in=keys)}
    waiting = JobContinuity.objects.filter(job__shot__in=keys, take=None, job__state=JobState.BLOCKED)
    jobs = Job.objects.filter(pk__in=waiting.values("job")).only("shot_id", "wait_code", "wait_params")
    waits = {job.shot_id: sentence(job.wait_code, job.wait_params) for job in jobs}
    files = Artifact.objects.filter(take__in=selected.values(), role=ArtifactRole.LATENT)
    latents = set(files.values_list("take__shot", flat=True))
    return [
        Link(
            shot,
            step,
            selected.get(shot.pk),
            stale.get(shot.pk, ""),
            waits.get(shot.pk, ""),
            has_latents=shot.pk in latents,
        )
        for shot, step in shots
    ]


def _in_order(shots: Listed[Shot]) -> list[tuple[Shot, int]]:
    """Each chain from its beginning, a branch after the other; no recursion, chains are long."""
    known = {shot.pk for shot in shots}
    following: dict[UUID | None, list[Shot]] = defaultdict(list)
    for shot in shots:
        following[shot.continuity_from_id if shot.continuity_from_id in known else None].append(shot)
    ordered: list[tuple[Shot, int]] = []
    left = [(shot, 0) for shot in reversed(following[None])]
    while left:
        shot, step = left.pop()
        ordered.append((shot, step))
        left += [(one, step + 1) for one in reversed(following[shot.pk])]
    return ordered
