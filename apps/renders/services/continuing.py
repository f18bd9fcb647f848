"""What a shot that continues another starts from: the end of that one's selected clip."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from apps.productions.models import Shot
from apps.projects.stages import Stage
from apps.renders.services.sources import FIRST_FRAME, VIDEO, Looks, Source, tail_looks, tail_title
from apps.renders.services.starts import own_role
from apps.renders.services.steps import Step
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.services.tails import CLIP, PICTURE, tail_key
from apps.review.states import Media
from apps.workflows.stages import stage_of
from workflows.load import Template


@dataclass(frozen=True)
class Continuing:
    """Which input the end of another shot's clip fills, as what, and how many frames the template takes."""

    role: str
    kind: str
    overlap: int

    def frames(self, shot: Shot) -> int:
        """How many frames are handed over: as many as the shot keeps, and as the template repeats."""
        return max(shot.continuity_frames, self.overlap) if self.kind == CLIP else 1


def continuing(step: Step, template: Template) -> Continuing | None:
    """How clips of this step continue another shot's; None where the request says what they start from.

    A template that continues clips takes the last frames as a clip; any other that begins at a picture takes
    the last one.
    """
    bindings = template.manifest.bindings
    if stage_of(template.manifest) != Stage.CLIP:
        return None
    taken = {*step.files, *step.also, *step.also_given}
    if VIDEO in bindings and bindings[VIDEO].overlap:
        own_clip = own_role(step, template) == VIDEO and (step.given or step.start_from is not None)
        return None if VIDEO in taken or own_clip else Continuing(VIDEO, CLIP, bindings[VIDEO].overlap)
    named = bool(step.given) or step.start_from is not None
    if own_role(step, template) != FIRST_FRAME or FIRST_FRAME in taken or named:
        return None
    return Continuing(FIRST_FRAME, PICTURE, 1)


def continued(shots: Sequence[Shot], how: Continuing, *, fresh: bool = False) -> dict[UUID, Source]:
    """The end of the clip that each of these shots continues, by shot; four queries.

    A shot that continues none is left out. One whose source is not selected, or not cut yet, waits for it.
    """
    ones = {shot: key for shot in shots if (key := shot.continuity_from_id) is not None}
    if not ones:
        return {}
    keys = set(ones.values())
    before = {shot.pk: shot for shot in Shot.objects.filter(pk__in=keys).select_related("sequence")}
    takes = selected_clips(keys, fresh=fresh)
    tails, files = _tails(takes.values()), _files(takes.values())
    found = {}
    for shot, key in ones.items():
        source = before[key]
        take = takes.get(source.pk)
        count = how.frames(shot)
        tail = tails.get(tail_key(take, how.kind, count)) if take else None
        found[shot.pk] = Source(
            role=how.role,
            artifact_id=tail.pk if tail else None,
            looks=tail_looks(tail) if tail else _foreseen(files.get(take.pk) if take else None, how, count),
            title=tail_title(tail) if tail else _("the end of %s") % source.full_code,
            continues=source.pk,
            frames=count,
            fresh=fresh,
            maker=take.job_id if take else None,
        )
    return found


def selected_clips(shots: Iterable[UUID], *, fresh: bool = False) -> dict[UUID, Take]:
    """The selected clip of each of these shots that can be shown; ``fresh``: none that is stale."""
    rows = Take.objects.filter(
        shot__in=list(shots), stage=Stage.CLIP, selected=True, media_state__in=(Media.READY, Media.PROCESSING)
    )
    if fresh:
        rows = rows.filter(stale_since=None)
    return {take.shot_id: take for take in rows.select_related("shot__sequence")}


def _tails(takes: Iterable[Take]) -> dict[str, Artifact]:
    rows = Artifact.objects.filter(take__in=list(takes), role=ArtifactRole.TAIL)
    return {tail.key: tail for tail in rows.select_related("take__shot__sequence")}


def _files(takes: Iterable[Take]) -> dict[UUID, Artifact]:
    rows = Artifact.objects.filter(take__in=list(takes), role=ArtifactRole.PRIMARY).order_by("-key")
    return {file.take_id: file for file in rows}


def _foreseen(file: Artifact | None, how: Continuing, count: int) -> Looks | None:
    if file is None:
        return None
    return Looks(file.width, file.height, count, file.fps if how.kind == CLIP else None)
