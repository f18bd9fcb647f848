"""Latents handed from shot to shot: which takes keep them, which templates take them, whether they fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.common.errors import Problem
from apps.productions.models import Shot
from apps.renders.models import Job
from apps.renders.services.shot_values import latent_overlap
from apps.renders.services.sources import Looks
from apps.review.models import Artifact, ArtifactRole, Take
from apps.workflows.selectors import handing_latents_on
from apps.workflows.services import template_of
from workflows.conforming import with_skip
from workflows.load import Template
from workflows.manifest import Latents


@dataclass(frozen=True)
class Kept:
    """The latents of a take: their file, and their form, where its template is known."""

    file: Artifact
    form: Latents | None


def kept_by(takes: Iterable[Take]) -> dict[UUID, Kept]:
    """The latents of those of these takes that keep them, by take; two queries."""
    some = list(takes)
    files = Artifact.objects.filter(take__in=some, role=ArtifactRole.LATENT).order_by("-key")
    of_take = {file.take_id: file for file in files}
    jobs = Job.objects.filter(pk__in=[take.job_id for take in some if take.pk in of_take])
    forms = {
        job.pk: template_of(job.template_version).manifest.latents
        for job in jobs.select_related("template_version__template")
    }
    return {take.pk: Kept(of_take[take.pk], forms.get(take.job_id)) for take in some if take.pk in of_take}


def why_none(kept: Kept | None, template: Template) -> str:
    """Why a take's latents are nothing for this template, in words that say what to do; "" if they are."""
    if kept is None:
        told = _(
            "it keeps no latents; render it with a template that does (%s) and select that take, or let this "
            "shot keep frames and render it anew"
        )
        return told % (", ".join(handing_latents_on()) or _("none is offered"))
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


def not_taken(shot: Shot, template: Template) -> Problem:
    """Say that this shot keeps latents, and that its template takes none."""
    told = _(
        "this shot keeps latents of the one it continues, and %(template)s takes none; render it with one "
        "that does (%(takers)s), or let the shot keep frames"
    )
    facts = {"template": template.slug, "takers": ", ".join(handing_latents_on()) or _("none is offered")}
    return Problem(f"{shot.full_code}.continuity_keep", shot.continuity_keep, told % facts, code="no_latents")


def length_behind(job: Job, tail: Artifact) -> dict[str, Any]:
    """A job's length, now that the end is known that it goes on from."""
    manifest = template_of(job.template_version).manifest
    return with_skip(job.length, latent_overlap(manifest, tail.frames))
