"""Runs of recipes: shots × steps, with takes, gates, and what is stale."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID, uuid4

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin import ReadOnly
from apps.common.errors import Problem, Refused
from apps.common.show import badge, moment, spoken
from apps.productions.models import Shot
from apps.projects.admin_filters import MyProjects
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act
from apps.recipes.admin.grid import draw, tally_text
from apps.recipes.models import RecipeRun, RunJob, RunStep
from apps.recipes.services.choosing import choose
from apps.recipes.services.rerendering import look_at, render_changed, render_more, shots_of
from apps.recipes.services.stopping import WHAT_CELLS_ARE_OF, cancel_run, cancel_stale, resume_run
from apps.renders.progress import Tally
from apps.renders.states import REQUEUEABLE
from apps.review.models import Take

SHOTS_ON_A_PAGE = 25


@admin.register(RecipeRun)
class RecipeRunAdmin(ReadOnly, ScopedAdmin):
    """What was started, how far it is, and which gates wait for somebody."""

    list_display = ("code", "what", "project", "note", "progress", "submitted_by", "when")
    list_select_related = ("project", "recipe", "submitted_by")
    list_filter = (("project", MyProjects), "recipe")
    search_fields = ("code", "note", "recipe__slug")
    ordering = ("-created_at",)
    change_form_template = "admin/recipes/reciperun/page.html"

    def may(self, request: HttpRequest, act: Act, row: Any = None) -> bool:
        """A run is of many shots: its buttons are for whoever may do it to one; the services judge each."""
        if row is None or act is Act.VIEW:
            return super().may(request, act, row)
        reach = reach_of(request)
        if act is Act.REVIEW:
            return reach.may_of_some_stage(act, row.project_id)
        cells = RunStep.objects.filter(run=row)
        return reach.may_of_some_stage(act, row.project_id) or reach.may_any(
            act, row.project_id, cells, **WHAT_CELLS_ARE_OF
        )

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        counted: dict[UUID, dict[str, int]] = defaultdict(dict)
        jobs = RunJob.objects.filter(cell__run__in=rows).order_by()
        for run, state, count in jobs.values_list("cell__run", "job__state").annotate(count=Count("pk")):
            counted[run][state] = count
        for row in rows:
            row.tally = Tally(counted[row.pk])

    def get_urls(self) -> list[URLPattern]:
        deeds = {
            "changed": self.changed_view,
            "more": self.more_view,
            "choose": self.choose_view,
            "cancel": self.cancel_view,
            "cancel-stale": self.cancel_stale_view,
            "resume": self.resume_view,
        }
        own = [
            path(
                f"<path:object_id>/{deed}/",
                self.admin_site.admin_view(view),
                name=f"recipes_reciperun_{deed.replace('-', '_')}",
            )
            for deed, view in deeds.items()
        ]
        return own + super().get_urls()

    def changed_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer “Render what changed”, for one shot or for all."""

        def deed(run: RecipeRun) -> str:
            shots = [_shot(run, request)] if request.POST.get("shot") else None
            made = render_changed(run, user=person_of(request), shots=shots)
            if not made:
                return _("Nothing has changed that could be rendered now.")
            return _("On its way: %s.") % ", ".join(batch.code for batch in made)

        return self.perform(request, object_id, Act.RENDER, deed)

    def more_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer “More takes” of one step of a shot."""

        def deed(run: RecipeRun) -> str:
            batch = render_more(
                run,
                user=person_of(request),
                shot=_shot(run, request),
                position=_position(request),
                key=request.POST.get("key") or uuid4().hex,
            )
            return _("On its way: %s.") % batch.code

        return self.perform(request, object_id, Act.RENDER, deed)

    def choose_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Approve (and “Go on with this one”) beside a take."""

        def deed(run: RecipeRun) -> str:
            shot = _shot(run, request)
            cells = RunStep.objects.select_related("run__project", "shot__sequence")
            cell = cells.filter(run=run, shot=shot, position=_position(request)).first()
            take = _take(run, request)
            if cell is None or cell.position >= len(run.steps):
                raise Refused(Problem("step", request.POST.get("step", ""), _("this run has no such step")))
            choose(cell, take, user=person_of(request))
            return _("%(take)s goes on.") % {"take": take}

        return self.perform(request, object_id, Act.REVIEW, deed)

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer “Cancel the run” (the page has asked already)."""

        def deed(run: RecipeRun) -> str:
            count = cancel_run(run, user=person_of(request))
            told = ngettext("%(count)d job cancelled.", "%(count)d jobs cancelled.", count)
            return told % {"count": count}

        return self.perform(request, object_id, Act.RENDER, deed)

    def cancel_stale_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer “Cancel what is stale”."""

        def deed(run: RecipeRun) -> str:
            count = cancel_stale(run, user=person_of(request))
            told = ngettext("%(count)d job cancelled.", "%(count)d jobs cancelled.", count)
            return told % {"count": count}

        return self.perform(request, object_id, Act.RENDER, deed)

    def resume_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Resume and “Requeue what failed”."""

        def deed(run: RecipeRun) -> str:
            count = resume_run(run, user=person_of(request))
            told = ngettext("%(count)d job requeued.", "%(count)d jobs requeued.", count)
            return told % {"count": count}

        return self.perform(request, object_id, Act.RENDER, deed)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        run: RecipeRun = context["original"]
        pages = Paginator(shots_of(run), SHOTS_ON_A_PAGE)
        shown = pages.get_page(request.GET.get("page"))
        rows, problems = look_at(run, list(shown.object_list))
        cells = [cell for row in rows for cell in row.cells]
        may_render = self.may(request, Act.RENDER, run)
        every_shot = reach_of(request).may_each(
            Act.RENDER, run.project_id, RunStep.objects.filter(run=run), **WHAT_CELLS_ARE_OF
        )
        context |= {
            "title": run.code,
            "grid": draw(run, rows),
            "specs": run.specs if problems else run.recipe.specs,
            "shown": shown,
            "problems": problems,
            "recipe_changed": run.recipe.specs != run.specs,
            "may_render": may_render and run.cancelled_at is None,
            "may_review": self.may(request, Act.REVIEW, run),
            "may_cancel": every_shot and run.cancelled_at is None,
            "may_resume": every_shot
            and (
                run.cancelled_at is not None
                or any(job.state in REQUEUEABLE for cell in cells for job in cell.newest)
            ),
            "due": sum(row.due is not None for row in rows),
            "stale_open": sum(cell.is_stale and cell.is_open for cell in cells),
            "is_open": any(cell.is_open for cell in cells),
            "asks": request.GET.get("cancel") == "ask",
            "key": uuid4().hex,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("recipe"), ordering="recipe__slug")
    def what(self, run: RecipeRun) -> str:
        return spoken(run.recipe, "title")

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, run: Any) -> SafeString:
        if run.cancelled_at is not None:
            return badge(_("cancelled"), "grey")
        return tally_text(run.tally)

    @admin.display(description=gettext_lazy("submitted"), ordering="created_at")
    def when(self, run: RecipeRun) -> str:
        return moment(run.created_at)


def _shot(run: RecipeRun, request: HttpRequest) -> Shot:
    key = request.POST.get("shot", "")
    found = next((shot for shot in shots_of(run) if str(shot.pk) == key), None)
    if found is None:
        raise Refused(Problem("shot", key, _("this shot is not in the run %s") % run.code))
    return found


def _position(request: HttpRequest) -> int:
    text = request.POST.get("step", "")
    if not text.isdecimal() or len(text) > 3:
        raise Refused(Problem("step", text[:20], _("this run has no such step")))
    return int(text) - 1


def _take(run: RecipeRun, request: HttpRequest) -> Take:
    key = request.POST.get("take", "")
    try:
        wanted = UUID(key)
    except ValueError as exc:
        raise Refused(Problem("take", key[:40], _("no such take"))) from exc
    takes = Take.objects.filter(project=run.project_id).select_related("shot__sequence", "project")
    take = takes.filter(pk=wanted).first()
    if take is None:
        raise Refused(Problem("take", key, _("no such take")))
    return take
