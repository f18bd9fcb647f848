"""What a press of Render would make: checked completely before anything is written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.prompts.facts import ShotFacts
from apps.prompts.selectors import inputs_for
from apps.renders.services.casting import NOBODY, Cast, cast_of
from apps.renders.services.requirements import check_loras, check_models
from apps.renders.services.start_images import StartImage, find_start_images
from apps.renders.warnings import warning_problem
from apps.workflows.models import WorkflowTemplateVersion
from apps.workflows.selectors import current_version
from apps.workflows.services import template_of
from farm.tiers import tier_for_need
from workflows.bind import bind, frames_for, need_gb, size_for
from workflows.errors import WorkflowError
from workflows.load import Template
from workflows.manifest import Value

MOST_TAKES = 50
MOST_JOBS = 5_000
"""One request's bound: a typing error should not fill the farm for a week."""
MAX_SEED = 2**53 - 1
"""Seeds travel through JSON and JavaScript; ComfyUI itself takes 2⁶⁴ − 1."""
PREFIX_FOR_CHECK = "shotfarm/check"

START_IMAGE = "start_image"
SLATE_IMAGE = "slate_image"

SLATE_COLOURS = ("#274b6d", "#6d4427", "#2f6d45", "#6d2745", "#4f276d", "#6d6427")
"""Ground colours of slates, by the order of the sequence."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to render of every shot. None means the template's, the project's or the shot's own.

    ``frames`` counts at the template's frame rate; sizes in pixels.
    """

    template: str
    takes: int = 1
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    fps: float | None = None
    seed: int | None = None
    precision: str = ""


@dataclass(frozen=True, kw_only=True)
class PlannedJob:
    """One job to be made. ``start`` says where its start image comes from, if it takes one."""

    shot: Shot
    step: int
    version: WorkflowTemplateVersion
    kind: str
    take: int
    width: int
    height: int
    frames: int
    fps: float | None
    seed: int
    precision: str
    values: dict[str, Value]
    need_gb: float
    tier_gb: int | None
    start: StartImage | None = None
    cast: Cast = NOBODY


@dataclass
class Plan:
    """Every job of a request, in order, or every problem with it.

    ``warnings`` stop nothing: they are what a coordinator should know, and are recorded with each job.
    """

    jobs: list[PlannedJob] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def warnings(self) -> list[Problem]:
        """What to know before going on, each once, in the order of the shots."""
        told = {
            (job.shot.pk, warning.code, tuple(sorted(warning.params.items()))): warning_problem(
                job.shot, warning
            )
            for job in self.jobs
            for warning in job.cast.warnings
        }
        return list(told.values())


def plan(*, project: Project, shots: Sequence[Shot], steps: Sequence[Step]) -> Plan:
    """Work out the jobs of a request. All problems are collected; with any, nothing may be submitted."""
    result = Plan()
    _check_request(project, shots, steps, result)
    if result.problems:
        return result
    facts: dict[UUID, ShotFacts] | None = None
    earlier: list[tuple[int, str]] = []
    for index, step in enumerate(steps):
        try:
            version = current_version(step.template)
        except Refused as refused:
            result.problems += [_at(index, problem) for problem in refused.problems]
            continue
        template = template_of(version)
        result.problems += [_at(index, problem) for problem in check_models(template, step.precision)]
        if facts is None and "positive" in template.manifest.bindings:
            try:
                facts = inputs_for(shots)
            except Refused as refused:
                result.problems += refused.problems
                return result
        casts = _casts(template, facts or {})
        result.problems += check_loras(lora for cast in casts.values() for lora in cast.loras)
        needs_start = START_IMAGE in template.manifest.bindings
        starts = find_start_images(shots, earlier) if needs_start else {}
        for shot in shots:
            if needs_start and shot.pk not in starts:
                result.problems.append(
                    Problem(
                        f"{shot.full_code}.{START_IMAGE}",
                        step.template,
                        _("this shot has no keyframe to start from; render one first or in the same request"),
                        code="no_keyframe",
                    )
                )
                continue
            _plan_shot(
                result,
                index,
                step,
                version,
                template,
                shot,
                starts.get(shot.pk),
                casts.get(shot.pk, NOBODY),
            )
        if template.manifest.kind == "keyframe":
            earlier.append((index, step.template))
    if len(result.jobs) > MOST_JOBS:
        result.problems.append(
            Problem(
                "shots",
                str(len(result.jobs)),
                _("one request makes at most %d jobs; select fewer") % MOST_JOBS,
            )
        )
    return result


def _check_request(project: Project, shots: Sequence[Shot], steps: Sequence[Step], result: Plan) -> None:
    if not shots:
        result.problems.append(Problem("shots", "", _("select at least one shot")))
    if not steps:
        result.problems.append(Problem("steps", "", _("choose at least one template")))
    for shot in shots:
        if shot.project_id != project.pk:
            result.problems.append(
                Problem(
                    "shots", shot.full_code, _("this shot belongs to another project than %s") % project.code
                )
            )
        elif not shot.status.renderable:
            result.problems.append(
                Problem(
                    f"{shot.full_code}.status",
                    shot.status.name,
                    _("shots with this status are not rendered; change it first"),
                )
            )
    for index, step in enumerate(steps):
        if not 1 <= step.takes <= MOST_TAKES:
            result.problems.append(
                _at(
                    index,
                    Problem("takes", str(step.takes), _("give a whole number from 1 to %d") % MOST_TAKES),
                )
            )
        if step.seed is not None and not 0 <= step.seed <= MAX_SEED - MOST_TAKES:
            result.problems.append(
                _at(
                    index,
                    Problem(
                        "seed",
                        str(step.seed),
                        _("give a whole number from 0 to %d") % (MAX_SEED - MOST_TAKES),
                    ),
                )
            )
        if step.frames is not None and step.frames < 1:
            result.problems.append(
                _at(index, Problem("frames", str(step.frames), _("give at least 1 frame")))
            )


def _plan_shot(
    result: Plan,
    index: int,
    step: Step,
    version: WorkflowTemplateVersion,
    template: Template,
    shot: Shot,
    start: StartImage | None,
    cast: Cast,
) -> None:
    try:
        values = _values(step, template, shot)
        # A dry run of the binding: what a node would refuse is said here, before anything is written.
        accepted = bind(
            template,
            values | _stand_ins(template),
            filename_prefix=PREFIX_FOR_CHECK,
            loras=cast.to_load(),
        ).values
        width, height, frames = _size(accepted)
        need = need_gb(
            template, precision=step.precision or None, width=width, height=height, frames=frames
        ).gb
    except WorkflowError as exc:
        message = f"{exc.problem}; {exc.remedy}"
        result.problems.append(Problem(f"{shot.full_code}.{exc.field}", str(exc.value), message))
        return
    for take in range(step.takes):
        seed = _seed(step, shot, template, take)
        result.jobs.append(
            PlannedJob(
                shot=shot,
                step=index,
                version=version,
                kind=template.manifest.kind,
                take=take,
                width=width,
                height=height,
                frames=frames,
                fps=template.manifest.native_fps,
                seed=seed,
                precision=step.precision or next(iter(template.manifest.precisions), ""),
                values=values | ({"seed": seed} if "seed" in template.manifest.bindings else {}),
                need_gb=need,
                tier_gb=tier_for_need(need),
                start=start,
                cast=cast,
            )
        )


def _casts(template: Template, facts: Mapping[UUID, ShotFacts]) -> dict[UUID, Cast]:
    if "positive" not in template.manifest.bindings:
        return {}
    return {shot_id: cast_of(told, template.manifest) for shot_id, told in facts.items()}


def _values(step: Step, template: Template, shot: Shot) -> dict[str, Value]:
    """The values of one shot that differ from the template's defaults, prompts and files aside."""
    bindings = template.manifest.bindings
    width, height = _asked_size(step, template, shot)
    asked: dict[str, Value | None] = {
        "width": width,
        "height": height,
        "precision": step.precision or None,
    }
    if "frames" in bindings:
        asked["frames"] = (
            step.frames
            or frames_for(template, shot.frames + 2 * shot.handles, fps=step.fps or shot.project.fps).frames
        )
    if "color" in bindings:
        asked["color"] = SLATE_COLOURS[shot.sequence.order % len(SLATE_COLOURS)]
    return {role: value for role, value in asked.items() if value is not None and role in bindings}


def _asked_size(step: Step, template: Template, shot: Shot) -> tuple[int | None, int | None]:
    """The size asked for; if none was, the template's own area in the picture format of the film."""
    if step.width is None and step.height is None:
        fitting = size_for(template, shot.project.width / shot.project.height)
        if fitting:
            return fitting
    return step.width, step.height


def _stand_ins(template: Template) -> dict[str, Value]:
    """Values for roles that are known only later: prompts, seed, files."""
    roles: dict[str, Value] = {
        "positive": "check",
        "negative": "",
        "seed": 0,
        START_IMAGE: "check.png",
        SLATE_IMAGE: "check.png",
    }
    return {role: value for role, value in roles.items() if role in template.manifest.bindings}


def _size(accepted: dict[str, Value]) -> tuple[int, int, int]:
    return int(accepted["width"]), int(accepted["height"]), int(accepted.get("frames", 1))


def _seed(step: Step, shot: Shot, template: Template, take: int) -> int:
    """The asked seed, or the shot's; else one that follows from shot and template. Takes count upward."""
    if step.seed is not None:
        return step.seed + take
    if shot.seed is not None:
        return int(shot.seed) + take
    digest = hashlib.sha256(f"{shot.pk}:{template.slug}".encode()).digest()
    return int.from_bytes(digest[:4], "big") + take


def _at(index: int, problem: Problem) -> Problem:
    return Problem(f"steps[{index}].{problem.field}", problem.value, problem.message, problem.code)
