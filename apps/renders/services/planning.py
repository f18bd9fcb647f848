"""What a press of Render would make: checked completely before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.codes import last_numbers
from apps.common.errors import Problem, Refused
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.prompts.selectors import inputs_for
from apps.renders.services.casting import NOBODY, Cast, cast_of
from apps.renders.services.continuing import continuing, going_on
from apps.renders.services.envelope import PLAIN, Envelope, read_envelope, too_small
from apps.renders.services.files import Stored, brought
from apps.renders.services.latents import wrong_size
from apps.renders.services.misfits import misfits
from apps.renders.services.planned import Plan, PlannedJob
from apps.renders.services.requirements import check_loras, check_models
from apps.renders.services.seeds import fixed_seed
from apps.renders.services.shot_values import fit
from apps.renders.services.sources import (
    KINDS,
    Looks,
    Source,
    find_sources,
    given_sources,
    medium_of,
    medium_taken,
)
from apps.renders.services.starts import Start, own_role, start_of
from apps.renders.services.steps import MOST_JOBS, Step, at_step, check_steps
from apps.renders.warnings import not_licensed
from apps.workflows.models import WorkflowTemplateVersion
from apps.workflows.saidwords import error_in_words
from apps.workflows.selectors import current_version
from apps.workflows.services import template_of
from farm.tiers import tier_for_need
from workflows.errors import WorkflowError
from workflows.load import Template
from workflows.roles import LATENT


def plan(
    *,
    project: Project,
    shots: Sequence[Shot],
    steps: Sequence[Step],
    envelope: Envelope = PLAIN,
    user: User | None = None,
) -> Plan:
    """Work out the jobs of a request. All problems are collected; with any, nothing may be submitted.

    ``user`` is who may see the jobs it waits for; None is the farm itself.
    """
    result = Plan(terms=read_envelope(envelope, user=user))
    result.problems += [*_wrong_shots(project, shots), *check_steps(steps), *result.terms.problems]
    if not result.problems:
        _Planning(result, project, shots, steps).run()
    return result


class _Planning:
    """One plan in the making: what its steps share."""

    def __init__(self, result: Plan, project: Project, shots: Sequence[Shot], steps: Sequence[Step]) -> None:
        self.result = result
        self.project = project
        self.shots = shots
        self.steps = steps
        self.templates: dict[int, Template] = {}
        self.looks: dict[tuple[int, UUID], Looks] = {}

    def run(self) -> None:
        """Plan step after step: a later one may start from an earlier one."""
        for index, step in enumerate(self.steps):
            try:
                self._plan_step(index, step)
            except Refused as refused:
                self.result.problems += refused.problems
                return
        self._count_takes()
        total = len(self.result.jobs)
        if total > MOST_JOBS:
            told = _("one request makes at most %d jobs; select fewer") % MOST_JOBS
            self.result.problems.append(Problem("shots", str(total), told))

    def _plan_step(self, index: int, step: Step) -> None:
        problems, pin = self.result.problems, self.result.terms.pinned_to
        try:
            version = current_version(step.template)
        except Refused as refused:
            problems += [at_step(index, problem) for problem in refused.problems]
            return
        template = self.templates[index] = template_of(version)
        problems += [at_step(index, problem) for problem in check_models(template, step.precision, pin)]
        casts = self._casts(template)
        problems += check_loras((lora for cast in casts.values() for lora in cast.loras), pin)
        sources = self._sources(index, step, template)
        others = self._others(index, step, template)
        own = own_role(step, template)
        how = continuing(step, template)
        if how is not None and any(one.step is not None for one in sources.values()):
            how = how if how.role != own else None  # the request itself makes what they start from
        goes_on = going_on(self.shots, how, template, fresh=step.fresh)
        problems += [at_step(index, problem) for problem in goes_on.problems]
        waited = {job.pk for job in self.result.terms.after}
        files = brought(self.project, self.shots, step, template, own=own, besides=others)
        problems += [at_step(index, problem) for problem in files.problems]
        if files.misnamed:
            return
        for shot in self.shots:
            suiting = files.starts.get(shot.pk, [])
            from_other = goes_on.sources.get(shot.pk)
            try:
                if from_other is not None and from_other.role == own:
                    start = Start(from_other)
                else:
                    start = start_of(step, template, shot, sources.get(shot.pk), suiting, waited)
            except Refused as refused:
                problems += refused.problems
                continue
            more = [found[shot.pk] for found in others.values() if shot.pk in found]
            if files.problems or len(more) < len(others):
                continue  # told already
            if from_other is not None and from_other.role != own:
                more.append(from_other)
                files.by_shot[shot.pk].pop(from_other.role, None)  # a driving video of the shot's material
            if start.material:
                files.by_shot[shot.pk][own] = start.material
            source = start.source
            self._plan_shot(
                index,
                step,
                version,
                shot,
                source,
                casts.get(shot.pk, NOBODY),
                files.by_shot[shot.pk],
                more,
            )

    def _casts(self, template: Template) -> Mapping[UUID, Cast]:
        """Who is loaded for each shot. Raises Refused if the shots' facts cannot be read."""
        if "positive" not in template.manifest.bindings:
            return {}
        if not self.result.facts:
            self.result.facts = inputs_for(self.shots)
        return {shot_id: cast_of(told, template.manifest) for shot_id, told in self.result.facts.items()}

    def _sources(self, index: int, step: Step, template: Template) -> dict[UUID, Source]:
        """What each shot's jobs of this step start from, or wait for."""
        role, earlier = own_role(step, template), step.start_from
        wanted = medium_taken(template, role)
        if step.role and not wanted:
            told = _("%(template)s has no file input of this name") % {"template": template.slug}
            self.result.problems.append(at_step(index, Problem("role", step.role, told)))
            return {}
        if step.given:
            return given_sources(step.given, role)
        if earlier is None and role:
            earlier = next((one for one in reversed(range(index)) if self._makes(one, wanted)), None)
        if earlier is None:
            return find_sources(self.shots, role, wanted, self.result.terms.after) if role else {}
        before = self.templates.get(earlier)
        made = medium_of(before.manifest) if before else ""
        if role and before and made != wanted:
            told = _(
                "%(step)s makes a file of the kind “%(made)s”, and this template starts from “%(wanted)s”"
            )
            told %= {"step": before.slug, "made": made, "wanted": wanted}
            self.result.problems.append(at_step(index, Problem("start_from", str(earlier), told)))
        return {shot.pk: Source(role=role, step=earlier) for shot in self.shots}

    def _others(self, index: int, step: Step, template: Template) -> dict[str, dict[UUID, Source]]:
        """What fills other inputs of each shot's jobs, by role: files of earlier steps, or of given jobs."""
        found: dict[str, dict[UUID, Source]] = {}
        for role, earlier in step.also.items():
            before = self.templates.get(earlier)
            if before is not None and medium_of(before.manifest) != medium_taken(template, role):
                told = _("%(before)s makes no file that %(template)s takes here")
                facts = {"before": before.slug, "template": template.slug}
                self.result.problems.append(
                    at_step(index, Problem(f"also.{role}", str(earlier), told % facts))
                )
            found[role] = {shot.pk: Source(role=role, step=earlier) for shot in self.shots}
        for role, jobs in step.also_given.items():
            found[role] = given_sources(jobs, role)
            for shot in self.shots:
                if shot.pk not in found[role]:
                    told = _("the step that this comes from has no take that goes on")
                    self.result.problems.append(
                        Problem(f"{shot.full_code}.{role}", step.template, told, code=f"no_{role}")
                    )
        return found

    def _makes(self, index: int, medium: str) -> bool:
        return index in self.templates and self.templates[index].manifest.kind == KINDS.get(medium)

    def _plan_shot(
        self,
        index: int,
        step: Step,
        version: WorkflowTemplateVersion,
        shot: Shot,
        source: Source | None,
        cast: Cast,
        files: Mapping[str, Stored],
        others: Sequence[Source],
    ) -> None:
        template, terms = self.templates[index], self.result.terms
        manifest = template.manifest
        looks = self._looks_of(shot, source, files, others)
        try:
            fitted = fit(step, template, shot, cast.to_load(), looks)
        except WorkflowError as exc:
            message = error_in_words(exc)
            self.result.problems.append(Problem(f"{shot.full_code}.{exc.field}", str(exc.value), message))
            return
        if told := wrong_size(fitted.width, fitted.height, looks.get(LATENT)):
            size = f"{fitted.width} × {fitted.height}"
            self.result.problems.append(Problem(f"{shot.full_code}.{LATENT}", size, told, code="latent_size"))
            return
        tier = tier_for_need(fitted.need_gb)
        self.looks[index, shot.pk] = fitted.looks
        for take in range(step.takes):
            self.result.jobs.append(
                PlannedJob(
                    shot=shot,
                    step=index,
                    version=version,
                    kind=manifest.kind,
                    take=take,
                    take_number=take + 1,
                    width=fitted.width,
                    height=fitted.height,
                    frames=fitted.frames,
                    fps=fitted.fps,
                    fixed_seed=fixed_seed(step, shot, take),
                    precision=step.precision or next(iter(manifest.precisions), ""),
                    values=fitted.values | {role: str(file.pk) for role, file in files.items()},
                    need_gb=fitted.need_gb,
                    tier_gb=tier,
                    length=fitted.length,
                    source=source,
                    others=tuple(others),
                    files=files,
                    cast=cast,
                    warnings=(
                        *terms.warnings,
                        *too_small(terms.pinned_to, tier),
                        *not_licensed(manifest),
                        *cast.warnings,
                        *misfits(fitted, looks, files),
                    ),
                )
            )

    def _looks_of(
        self, shot: Shot, source: Source | None, files: Mapping[str, Stored], others: Sequence[Source]
    ) -> dict[str, Looks | None]:
        """The files that a job brings, by role, and how they look where that is known."""
        looks: dict[str, Looks | None] = {role: file.looks for role, file in files.items()}
        for one in (source, *others):
            if one is not None and one.role:
                planned = self.looks.get((one.step, shot.pk)) if one.step is not None else None
                looks[one.role] = planned or one.looks
        return looks

    def _count_takes(self) -> None:
        """Foresee the take numbers, as they stand now: submit reserves the real ones."""
        kinds = {job.kind for job in self.result.jobs}
        last = {kind: last_numbers(f"take:{kind}", [shot.pk for shot in self.shots]) for kind in kinds}
        for index, job in enumerate(self.result.jobs):
            number = last[job.kind][job.shot.pk] = last[job.kind].get(job.shot.pk, 0) + 1
            self.result.jobs[index] = replace(job, take_number=number)


def _wrong_shots(project: Project, shots: Sequence[Shot]) -> Iterator[Problem]:
    if not shots:
        yield Problem("shots", "", _("select at least one shot"))
    for shot in shots:
        if shot.project_id != project.pk:
            told = _("this shot belongs to another project than %s") % project.code
            yield Problem("shots", shot.full_code, told)
        elif not shot.status.renderable:
            told = _("shots with this status are not rendered; change it first")
            yield Problem(f"{shot.full_code}.status", shot.status.name, told)
