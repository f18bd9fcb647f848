"""What a shot that continues another starts from: the end of that one's selected clip, or of its latents."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

from django.utils.translation import gettext as _

from apps.common.errors import Problem
from apps.productions.models import Keeps, Shot
from apps.projects.stages import Stage
from apps.renders.services.latents import kept_by, not_taken, takers, why_none
from apps.renders.services.sources import FIRST_FRAME, VIDEO, Looks, Source, tail_looks, tail_title
from apps.renders.services.starts import own_role
from apps.renders.services.steps import Step
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.services.tails import CLIP, LATENTS, PICTURE, tail_key
from apps.review.states import Media
from apps.workflows.stages import stage_of
from workflows.load import Template
from workflows.roles import LATENT


@dataclass(frozen=True)
class Continuing:
    """Which input the end of another shot's clip fills, as what, and how many frames the template takes.

    ``latents``: so many latent frames instead.
    """

    role: str
    kind: str
    overlap: int
    latents: int = 0

    def frames(self, shot: Shot) -> int:
        """How many frames are handed over: as many as the shot keeps, and as the template repeats.

        Of latents, how many latent frames the template takes.
        """
        if self.kind == LATENTS:
            return self.latents
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


@dataclass(frozen=True)
class GoingOn:
    """What shots go on from, by shot, and what is wrong with it."""

    sources: dict[UUID, Source] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def going_on(
    shots: Sequence[Shot], how: Continuing | None, template: Template, *, fresh: bool = False
) -> GoingOn:
    """What each of these shots goes on from that continue another, as it keeps frames or latents.

    ``how``: how the template continues by frames, see :func:`continuing`. A shot whose latents the template
    does not take, or whose source has none and is not rendered in this request, is a problem.
    """
    if how is None:
        return GoingOn()
    latently = [shot for shot in shots if shot.continuity_from_id and shot.continuity_keep == Keeps.LATENTS]
    found = GoingOn(continued([shot for shot in shots if shot not in latently], how, fresh=fresh))
    if not latently:
        return found
    if not template.manifest.takes_latents:
        named = takers()
        found.problems.extend(not_taken(shot, template, named) for shot in latently)
        return found
    binding = template.manifest.bindings[LATENT]
    by_latents = Continuing(LATENT, LATENTS, binding.overlap, binding.latents)
    found.sources.update(continued(latently, by_latents, fresh=fresh, anew={shot.pk for shot in shots}))
    found.problems.extend(_without_latents(shots, latently, template, fresh=fresh))
    return found


def _without_latents(
    shots: Sequence[Shot], latently: Sequence[Shot], template: Template, *, fresh: bool
) -> Iterator[Problem]:
    """Name the shots whose selected source has no latents for this template."""
    rendered = {shot.pk for shot in shots}
    sources = {key for shot in latently if (key := shot.continuity_from_id) and key not in rendered}
    takes = selected_clips(sources, fresh=fresh)
    kept, named = kept_by(takes.values()), cache(takers)
    for shot in latently:
        take = takes.get(shot.continuity_from_id) if shot.continuity_from_id else None
        if take is not None and (why := why_none(kept.get(take.pk), template, named)):
            told = _("it continues %(take)s, and %(why)s") % {"take": take, "why": why}
            yield Problem(f"{shot.full_code}.continuity_keep", Keeps.LATENTS, told, code="no_latents")


def continued(
    shots: Sequence[Shot], how: Continuing, *, fresh: bool = False, anew: Collection[UUID] = ()
) -> dict[UUID, Source]:
    """The end of the clip that each of these shots continues, by shot; four queries.

    A shot that continues none is left out. One whose source is not selected, or not cut yet, waits for it;
    so does one that continues a shot of ``anew``, whatever is selected of that now.
    """
    ones = {shot: key for shot in shots if (key := shot.continuity_from_id) is not None}
    if not ones:
        return {}
    keys = set(ones.values())
    before = {shot.pk: shot for shot in Shot.objects.filter(pk__in=keys).select_related("sequence")}
    takes = selected_clips(keys, fresh=fresh)
    tails, files = _tails(takes.values()), _files(takes.values(), how.kind)
    found = {}
    for shot, key in ones.items():
        source = before[key]
        take = takes.get(source.pk) if source.pk not in anew else None
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


def _files(takes: Iterable[Take], kind: str) -> dict[UUID, Artifact]:
    role = ArtifactRole.LATENT if kind == LATENTS else ArtifactRole.PRIMARY
    rows = Artifact.objects.filter(take__in=list(takes), role=role).order_by("-key")
    return {file.take_id: file for file in rows}


def _foreseen(file: Artifact | None, how: Continuing, count: int) -> Looks | None:
    if file is None:
        return None
    if how.kind == LATENTS:
        return Looks(file.width, file.height, 0)  # how many of the frames in them are shown, the cut tells
    return Looks(file.width, file.height, count, file.fps if how.kind == CLIP else None)
