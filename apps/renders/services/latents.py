"""Latents handed from shot to shot: which takes keep them, which templates take them, whether they fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from apps.common.errors import Problem
from apps.productions.models import Shot
from apps.renders.models import Job, JobDependency
from apps.renders.services.shot_values import latent_overlap
from apps.renders.services.sources import Looks
from apps.review.models import Artifact, ArtifactRole, Take
from apps.workflows.selectors import handing_latents_on
from apps.workflows.services import remember, template_of
from workflows.conforming import with_skip
from workflows.load import Template
from workflows.manifest import Latents
from workflows.roles import FORMER_ROLES


@dataclass(frozen=True)
class Kept:
    """The latents of a take: their file, and their form, where its template is known."""

    file: Artifact
    form: Latents | None


def kept_by(takes: Iterable[Take]) -> dict[UUID, Kept]:
    """The latents of those of these takes that keep them, by take; two queries, and one for new templates."""
    some = list(takes)
    files = Artifact.objects.filter(take__in=some, role=ArtifactRole.LATENT).order_by("-key")
    of_take = {file.take_id: file for file in files}
    makers = Job.objects.filter(pk__in=[take.job_id for take in some if take.pk in of_take])
    jobs = list(makers.select_related("template_version").only("template_version__content_hash"))
    remember({job.template_version for job in jobs})
    forms = {job.pk: template_of(job.template_version).manifest.latents for job in jobs}
    return {take.pk: Kept(of_take[take.pk], forms.get(take.job_id)) for take in some if take.pk in of_take}


def takers() -> str:
    """Name the templates that hand latents on, in words; one query."""
    return ", ".join(handing_latents_on()) or _("none is offered")


def why_none(kept: Kept | None, template: Template, named: Callable[[], str]) -> str:
    """Why a take's latents are nothing for this template, in words that say what to do; "" if they are.

    ``named``: takers, asked once for many.
    """
    if kept is None:
        told = _(
            "it keeps no latents; render it with a template that does (%s) and select that take, or let this "
            "shot keep frames and render it anew"
        )
        return told % named()
    wanted = template.manifest.latents
    if kept.form is None or wanted is None or kept.form.space != wanted.space:
        told = _(
            "its latents are of %(has)s and %(template)s takes those of %(wanted)s; render both by one "
            "template, or let this shot keep frames"
        )
        return told % {
            "has": kept.form.space if kept.form else "?",
            "wanted": wanted.space if wanted else "?",
            "template": template.slug,
        }
    return ""


def wrong_size(width: int, height: int, looks: Looks | Artifact | None) -> str:
    """Why latents do not go into a clip of this size, in words; "" where they do, or none are known yet."""
    if looks is None or (looks.width, looks.height) == (width, height):
        return ""
    told = _(
        "its latents are of a clip of %(has)s and this one is of %(size)s; render both in one size, or let "
        "this shot keep frames"
    )
    return told % {"has": f"{looks.width} × {looks.height}", "size": f"{width} × {height}"}


def not_taken(shot: Shot, template: Template, named: str) -> Problem:
    """Say that this shot keeps latents, and that its template takes none; ``named``: those that do."""
    told = _(
        "this shot keeps latents of the one it continues, and %(template)s takes none; render it with one "
        "that does (%(takers)s), or let the shot keep frames"
    )
    facts = {"template": template.slug, "takers": named}
    return Problem(f"{shot.full_code}.continuity_keep", shot.continuity_keep, told % facts, code="no_latents")


def leave_out(job: Job, tail: Artifact) -> None:
    """Write into a job's length what its clip repeats, now that the end is known that it goes on from.

    And into those of jobs that make something of that clip: an interpolation, an upscale.
    """
    skips = {job.pk: latent_overlap(template_of(job.template_version).manifest, tail.frames)}
    jobs = [job]
    while jobs:
        for one in jobs:
            Job.objects.filter(pk=one.pk).update(length=with_skip(one.length, skips[one.pk]))
        below = JobDependency.objects.filter(depends_on__in=jobs).exclude(role="")
        jobs = []
        for row in below.select_related("job__template_version").order_by("job"):
            rule = template_of(row.job.template_version).manifest.follows
            if rule is not None and rule.role == FORMER_ROLES.get(row.role, row.role):
                skips[row.job_id] = skips[row.depends_on_id] * rule.frames_times
                jobs.append(row.job)
