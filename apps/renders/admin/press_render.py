"""The page behind Render: what to make of the selected shots, what that comes to, and the press itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.common.admin import pressed
from apps.common.errors import NotAllowed, Problem, Refused
from apps.common.ids import uuid_in
from apps.nodes.selectors import largest_tier
from apps.productions.admin import ShotAdmin
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act
from apps.renders.admin.fields import clock
from apps.renders.admin.render_form import PICTURES, RenderForm
from apps.renders.services.planned import Plan, PlannedJob
from apps.renders.services.planning import plan
from apps.renders.services.prompting import PromptShown, prompts_shown
from apps.renders.services.recommending import advice_for
from apps.renders.services.submit import submit
from apps.renders.shot_facts import facts_of
from apps.renders.waiting import too_big_for_all
from apps.renders.warnings import batch_warnings, told_once
from apps.workflows.selectors import offered

TEMPLATE = "admin/productions/shot/render.html"
SHOWN_PROBLEMS = 50
SHOWN_FILES = 60
SHOWN_PROMPTS = 3
"""Shots whose prompts the preview shows in full."""
WHEN_AND_WHERE = ("start_after", "deadline", "pool", "pinned_to", "tags", "after", "paused")
MOST_ADVISED = 50
"""Shots for which the form begins with what is recommended: more would keep people waiting."""
SHOWN_AFTERWARDS = 5
"""Warnings repeated on the next page; each job keeps its own."""


@dataclass(frozen=True)
class FileLine:
    """What fills an input of a template: the file's name, its size, and for how many shots."""

    template: str
    role: str
    title: str
    size: str
    shots: int
    shot: str


@dataclass(frozen=True)
class Line:
    """What one template makes, in the preview: jobs, need in GB of one GPU, the tier that holds it.

    ``warning`` says that no known node is large enough; "" if one is.
    """

    template: str
    kind: str
    jobs: int
    need_gb: float
    tier_gb: int | None
    size: str
    frames: str
    warning: str = ""


def page_for(page: ShotAdmin, request: HttpRequest, ids: Iterable[object]) -> HttpResponse:
    """Open the form for the selected shots."""
    shots = shots_by(page, request, ids)
    if not shots:
        messages.error(request, _("None of the selected shots is there any more."))
        return HttpResponseRedirect(reverse("admin:productions_shot_changelist"))
    project = only_project(shots)
    if project is None:
        messages.error(
            request, _("The selected shots belong to several projects; select shots of one project.")
        )
        return HttpResponseRedirect(reverse("admin:productions_shot_changelist"))
    if not may_render(page, request, shots):
        raise PermissionDenied
    first = {"shots": joined(shots), "key": uuid4().hex, **_recommended(shots)}
    return _show(page, request, RenderForm(initial=first, project=project, shots=shots), project, shots)


def may_render(page: ShotAdmin, request: HttpRequest, shots: list[Shot]) -> bool:
    """Tell whether the person may render something of each of these shots; what, the service judges."""
    page.learn(request, shots)
    reach = reach_of(request)
    return all(reach.may_of_some_stage(Act.RENDER, shot.project_id, shot=shot.pk) for shot in shots)


def _recommended(shots: list[Shot]) -> dict[str, str]:
    """Which templates the form begins with: what most of the shots are recommended, or were decided on.

    A clip of a shot without a keyframe keeps the form's own picture before it. Nothing for a long selection.
    """
    if len(shots) > MOST_ADVISED:
        return {}
    counted = Counter(one.chosen for one in advice_for(shots).values() if one.chosen)
    kinds = dict(offered().filter(slug__in=counted).values_list("slug", "kind"))
    slug = next((slug for slug, _count in counted.most_common() if slug in kinds), "")
    if not slug:
        return {}
    if kinds[slug] in PICTURES:
        return {"picture": slug}
    all_have_keyframes = all(facts.keyframe for facts in facts_of(shots).values())
    return {"clip": slug, "picture": ""} if all_have_keyframes else {"clip": slug}


def render_view(page: ShotAdmin, request: HttpRequest) -> HttpResponse:
    """Preview, or submit and go to the batch. A repeated press of the same form leads to the same batch."""
    shots = shots_by(page, request, request.POST.get("shots", "").split(","))
    project = only_project(shots)
    if project is None:
        messages.error(request, _("Select shots of one project, then press Render."))
        return HttpResponseRedirect(reverse("admin:productions_shot_changelist"))
    if not may_render(page, request, shots):
        raise PermissionDenied
    form = RenderForm(request.POST, project=project, shots=shots)
    if not form.is_valid():
        return _show(page, request, form, project, shots)
    if not pressed(request, "submit"):
        planned = plan(
            project=project,
            shots=shots,
            steps=form.steps(),
            envelope=form.envelope(),
            user=person_of(request),
        )
        return _show(page, request, form, project, shots, planned)
    try:
        submission = submit(
            user=person_of(request),
            project=project,
            shots=shots,
            steps=form.steps(),
            idempotency_key=form.cleaned_data["key"],
            envelope=form.envelope(),
        )
    except Refused as refused:
        return _show(page, request, form, project, shots, Plan(problems=list(refused.problems)))
    except NotAllowed as refused:
        raise PermissionDenied(str(refused)) from refused
    if submission.created:
        messages.success(request, _("Batch %(batch)s is on its way.") % {"batch": submission.batch.code})
        for warning in batch_warnings(submission.batch)[:SHOWN_AFTERWARDS]:
            messages.warning(request, f"{form.name_of(warning.field).partition('.')[0]}: {warning.message}")
    else:
        messages.info(
            request, _("This was submitted already: batch %(batch)s.") % {"batch": submission.batch.code}
        )
    return HttpResponseRedirect(reverse("admin:renders_renderbatch_change", args=[submission.batch.pk]))


def _show(
    page: ShotAdmin,
    request: HttpRequest,
    form: RenderForm,
    project: Project,
    shots: list[Shot],
    planned: Plan | None = None,
) -> HttpResponse:
    problems: list[Problem] = planned.problems if planned else []
    prompts: list[PromptShown] = []
    if planned and not problems:
        try:
            prompts = prompts_shown(planned, most=SHOWN_PROMPTS)
        except Refused as refused:
            problems = list(refused.problems)
    warnings = _warnings(planned, prompts) if planned and not problems else []
    context: dict[str, Any] = {
        **page.admin_site.each_context(request),
        "title": ngettext("Render %(count)d shot", "Render %(count)d shots", len(shots))
        % {"count": len(shots)},
        "form": form,
        "project": project,
        "shots": shots,
        "lines": lines_of(planned.jobs) if planned and not problems else [],
        "prompts": prompts,
        "prompts_of": min(SHOWN_PROMPTS, len(shots)),
        "files": files_of(planned.jobs) if planned and not problems else [],
        "total": len(planned.jobs) if planned and not problems else 0,
        "warnings": [(form.name_of(warning.field), warning) for warning in warnings[:SHOWN_PROBLEMS]],
        "more_warnings": max(0, len(warnings) - SHOWN_PROBLEMS),
        "mistakes": form.mistakes(),
        "problems": [(form.name_of(problem.field), problem) for problem in problems[:SHOWN_PROBLEMS]],
        "more_problems": max(0, len(problems) - SHOWN_PROBLEMS),
        "offers": form.offers,
        "clock": clock(),
        "files_open": form.is_bound and (form.names_files() or any(map(_lacks_a_file, problems))),
        "when_open": form.is_bound and any(form.data.get(name) for name in WHEN_AND_WHERE),
    }
    return TemplateResponse(request, TEMPLATE, context)


def _warnings(planned: Plan, prompts: Iterable[PromptShown]) -> list[Problem]:
    """What a plan warns of, and what there is to know of the prompts that are shown; each once."""
    of_prompts = told_once((one.preview.shot, warned) for one in prompts for warned in one.warnings)
    known = planned.warnings
    return [*known, *(warning for warning in of_prompts if warning not in known)]


def _lacks_a_file(problem: Problem) -> bool:
    """Whether naming a file would mend it: no_keyframe, no_clip, no_mask and so on."""
    return problem.code.startswith("no_")


def lines_of(jobs: Iterable[PlannedJob]) -> list[Line]:
    """Sum planned jobs up by template, need and size."""
    counted: Counter[tuple[int, str, str, float, int | None, str]] = Counter()
    frames: dict[tuple[int, str, str, float, int | None, str], list[int]] = {}
    for job in jobs:
        key = (
            job.step,
            job.version.template.slug,
            job.kind,
            job.need_gb,
            job.tier_gb,
            f"{job.width} × {job.height}" if job.width else _("as its source"),
        )
        counted[key] += 1
        frames.setdefault(key, []).append(job.frames)
    largest = largest_tier()
    return [
        Line(
            slug,
            kind,
            count,
            need,
            tier,
            size,
            _span(frames[step, slug, kind, need, tier, size]),
            too_big_for_all(tier, need, largest),
        )
        for (step, slug, kind, need, tier, size), count in counted.items()
    ]


def files_of(jobs: Iterable[PlannedJob]) -> list[FileLine]:
    """Say which file fills which input, each once, as far as a page can show them."""
    shots: dict[tuple[int, str, str, str, str], dict[UUID, str]] = {}
    for job in jobs:
        for file in job.files_told:
            size = f"{file.width} × {file.height}" if file.width else ""
            key = (job.step, job.version.template.slug, file.role, file.title, size)
            shots.setdefault(key, {})[job.shot.pk] = job.shot.full_code
    return [
        FileLine(slug, role, title, size, len(used), next(iter(used.values())))
        for (_step, slug, role, title, size), used in list(shots.items())[:SHOWN_FILES]
    ]


def _span(numbers: list[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low}–{high}"


def shots_by(page: ShotAdmin, request: HttpRequest, ids: Iterable[object]) -> list[Shot]:
    """The shots of these ids that the person sees, in the film's order: always in the same order."""
    wanted = [key for key in map(uuid_in, ids) if key is not None]
    rows = page.get_queryset(request).filter(pk__in=wanted).prefetch_related(None)
    return list(rows.select_related("sequence", "status", "project", "location").order_by(*page.ordering))


def only_project(shots: list[Shot]) -> Project | None:
    """The project of these shots; None for none, or for several."""
    return shots[0].project if len({shot.project_id for shot in shots}) == 1 else None


def joined(shots: list[Shot]) -> str:
    """The shots as the form carries them."""
    return ",".join(str(shot.pk) for shot in shots)
