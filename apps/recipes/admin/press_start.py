"""The page that starts a recipe: what it would make of the selected shots, and the press itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.common.admin import pressed
from apps.common.errors import NotAllowed, Refused
from apps.productions.admin import ShotAdmin
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.reach import person_of
from apps.recipes.admin.start_form import StartForm
from apps.recipes.services.starting import preview, start
from apps.renders.admin.fields import clock
from apps.renders.admin.press_render import (
    SHOWN_PROBLEMS,
    WHEN_AND_WHERE,
    joined,
    lines_of,
    may_render,
    only_project,
    shots_by,
)
from apps.renders.services.planned import Plan

TEMPLATE = "admin/recipes/recipe/start.html"


def recipe_page(page: ShotAdmin, request: HttpRequest, ids: Iterable[object]) -> HttpResponse:
    """Open the form for these shots."""
    shots = shots_by(page, request, ids)
    refusal = _not_these(page, request, shots)
    if refusal:
        return refusal
    form = StartForm(initial={"shots": joined(shots), "key": uuid4().hex})
    return _show(page, request, form, shots[0].project, shots)


def recipe_view(page: ShotAdmin, request: HttpRequest) -> HttpResponse:
    """Preview, or start and go to the run. A repeated press of the same form leads to the same run."""
    shots = shots_by(page, request, request.POST.get("shots", "").split(","))
    refusal = _not_these(page, request, shots)
    if refusal:
        return refusal
    project = shots[0].project
    if "recipe" not in request.POST:
        return recipe_page(page, request, [shot.pk for shot in shots])
    form = StartForm(request.POST)
    if not form.is_valid():
        return _show(page, request, form, project, shots)
    asked: dict[str, Any] = {
        "user": person_of(request),
        "project": project,
        "shots": shots,
        "recipe": form.chosen(),
        "envelope": form.envelope(),
    }
    if not pressed(request, "submit"):
        return _show(page, request, form, project, shots, preview(**asked))
    try:
        started = start(**asked, idempotency_key=form.cleaned_data["key"])
    except Refused as refused:
        return _show(page, request, form, project, shots, Plan(problems=list(refused.problems)))
    except NotAllowed as refused:
        raise PermissionDenied(str(refused)) from refused
    if started.created:
        messages.success(request, _("Run %(run)s is on its way.") % {"run": started.run.code})
    else:
        messages.info(request, _("This was submitted already: run %(run)s.") % {"run": started.run.code})
    return HttpResponseRedirect(reverse("admin:recipes_reciperun_change", args=[started.run.pk]))


def _not_these(page: ShotAdmin, request: HttpRequest, shots: list[Shot]) -> HttpResponse | None:
    """Lead back where nothing can be started; raise PermissionDenied where this person may not."""
    if only_project(shots) is None:
        messages.error(request, _("Select shots of one project, then start a recipe."))
        return HttpResponseRedirect(reverse("admin:productions_shot_changelist"))
    if not may_render(page, request, shots):
        raise PermissionDenied
    return None


def _show(
    page: ShotAdmin,
    request: HttpRequest,
    form: StartForm,
    project: Project,
    shots: list[Shot],
    planned: Plan | None = None,
) -> HttpResponse:
    problems = planned.problems if planned else []
    jobs = planned.jobs if planned and not problems else []
    context: dict[str, Any] = {
        **page.admin_site.each_context(request),
        "title": ngettext("Start a recipe on %(count)d shot", "Start a recipe on %(count)d shots", len(shots))
        % {"count": len(shots)},
        "form": form,
        "project": project,
        "shots": shots,
        "lines": lines_of(jobs),
        "total": len(jobs),
        "mistakes": form.mistakes(),
        "problems": [(form.name_of(problem.field), problem) for problem in problems[:SHOWN_PROBLEMS]],
        "more_problems": max(0, len(problems) - SHOWN_PROBLEMS),
        "clock": clock(),
        "when_open": form.is_bound and any(form.data.get(name) for name in WHEN_AND_WHERE),
    }
    return TemplateResponse(request, TEMPLATE, context)
