"""Runs of recipes: start one, see how each shot stands, open gates, render what changed."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.errors import Problem, Refused
from apps.common.problems import as_json
from apps.projects.api_scope import ScopedRead
from apps.projects.roles import Act
from apps.projects.selectors import require_some
from apps.recipes.api.standings import (
    ChooseRequest,
    RunRequest,
    RunSerializer,
    RunStanding,
    ShotsRequest,
    ShotStep,
)
from apps.recipes.models import Recipe, RecipeRun, RunStep
from apps.recipes.services.choosing import choose
from apps.recipes.services.rerendering import look_at, render_changed, render_more, shots_of
from apps.recipes.services.starting import start
from apps.recipes.services.stopping import cancel_run, cancel_stale, resume_run
from apps.recipes.standing import Cell, Row
from apps.recipes.words import waits_for, why_stale
from apps.renders.api.batches import KEY, shots_named
from apps.renders.services.submit import KEY_FIELD
from apps.review.models import Take


class RunFilter(filters.ByProject):
    """By project code and recipe."""

    recipe = filters.CharFilter(field_name="recipe__slug")

    class Meta:
        model = RecipeRun
        fields: tuple[str, ...] = ()


class RunViewSet(ScopedRead[RecipeRun]):
    """The runs of your projects, the newest first."""

    queryset = (
        RecipeRun.objects.select_related("project", "recipe", "submitted_by")
        .prefetch_related("recipe__steps")
        .order_by("-created_at", "-pk")
    )
    serializer_class = RunSerializer
    filterset_class = RunFilter

    def require(self, act: Act, of: RecipeRun) -> None:
        """A run is of many shots: the services judge each."""
        require_some(person_of(self.request), act, of.project)

    @extend_schema(responses=RunStanding)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One run: how every step of every shot stands."""
        return self._answer(self.get_object())

    @extend_schema(request=RunRequest, responses={201: RunStanding, 200: RunStanding}, parameters=[KEY])
    def create(self, request: Request) -> Response:
        """Start a recipe. 201: a new run; 200: this request was made before; 409: the key names another."""
        user = person_of(request)
        asked = RunRequest(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        require_some(user, Act.RENDER, data["project"])
        key = request.headers.get(KEY_FIELD, "").strip()
        if not key:
            told = _("send this header: your own name for this request, so that repeating it does no harm")
            raise Refused(Problem(KEY_FIELD, "", told, code="required"))
        made = start(
            user=user,
            project=data["project"],
            recipe=_recipe(data["recipe"]),
            shots=shots_named(data["project"], data["shots"]),
            idempotency_key=key,
            envelope=asked.envelope(),
        )
        answer = status.HTTP_201_CREATED if made.created else status.HTTP_200_OK
        return self._answer(self.get_queryset().get(pk=made.run.pk), answer)

    @extend_schema(request=ShotsRequest, responses=RunStanding)
    @action(detail=True, methods=["post"], url_path="render-changed")
    def render_changed(self, request: Request, pk: str) -> Response:
        """For each shot render the first step that would be another now, up to the next gate."""
        run = self.get_object()
        names = self.asked(ShotsRequest, of=run, act=Act.RENDER).get("shots")
        shots = None if names is None else _shots(run, names)
        render_changed(run, user=person_of(request), shots=shots)
        return self._answer(self.get_object())

    @extend_schema(request=ShotStep, responses=RunStanding, parameters=[KEY])
    @action(detail=True, methods=["post"])
    def more(self, request: Request, pk: str) -> Response:
        """Ask for more takes of one step."""
        run = self.get_object()
        asked = self.asked(ShotStep, of=run, act=Act.RENDER)
        key = request.headers.get(KEY_FIELD, "").strip()
        if not key:
            told = _("send this header: your own name for this request, so that repeating it does no harm")
            raise Refused(Problem(KEY_FIELD, "", told, code="required"))
        [shot] = _shots(run, [asked["shot"]])
        render_more(run, user=person_of(request), shot=shot, position=asked["step"] - 1, key=key)
        return self._answer(self.get_object())

    @extend_schema(request=ChooseRequest, responses=RunStanding)
    @action(detail=True, methods=["post"])
    def choose(self, request: Request, pk: str) -> Response:
        """Let a step go on with this take; at a gate it is approved by that."""
        run = self.get_object()
        asked = self.asked(ChooseRequest, of=run, act=Act.REVIEW)
        [shot] = _shots(run, [asked["shot"]])
        cells = RunStep.objects.select_related("run__project", "shot__sequence")
        cell = cells.filter(run=run, shot=shot, position=asked["step"] - 1).first()
        if cell is None or cell.position >= len(run.steps):
            told = _("this run has the steps 1 to %d") % len(run.steps)
            raise Refused(Problem("step", str(asked["step"]), told, code="unknown_step"))
        takes = Take.objects.filter(project=run.project_id).select_related("shot__sequence", "project")
        take = takes.filter(pk=asked["take"]).first()
        if take is None:
            told = _("no such take in %s") % run.project.code
            raise Refused(Problem("take", str(asked["take"]), told, code="unknown_take"))
        choose(cell, take, user=person_of(request))
        return self._answer(self.get_object())

    @extend_schema(request=None, responses=RunStanding)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel every open job of the run; no gate leads on until it is resumed."""
        cancel_run(self.get_object(), user=person_of(request))
        return self._answer(self.get_object())

    @extend_schema(request=None, responses=RunStanding)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Let the run go on, and requeue what failed or was cancelled."""
        resume_run(self.get_object(), user=person_of(request))
        return self._answer(self.get_object())

    @extend_schema(request=None, responses=RunStanding)
    @action(detail=True, methods=["post"], url_path="cancel-stale")
    def cancel_stale(self, request: Request, pk: str) -> Response:
        """Cancel what renders from things that have changed, and what waits for it."""
        cancel_stale(self.get_object(), user=person_of(request))
        return self._answer(self.get_object())

    def _answer(self, run: RecipeRun, http_status: int = status.HTTP_200_OK) -> Response:
        rows, problems = look_at(run, shots_of(run))
        # dressed for the serializer, as lists of jobs and takes are
        run.problems = [as_json(one) for one in problems]  # type: ignore[attr-defined]
        run.shots = [_shot(run, row) for row in rows]  # type: ignore[attr-defined]
        context = self.get_serializer_context()
        return Response(RunStanding(run, context=context).data, status=http_status)


def _shot(run: RecipeRun, row: Row) -> dict[str, Any]:
    return {
        "shot": row.shot.full_code,
        "problems": [as_json(problem) for problem in row.problems],
        "steps": [_step(run, row, cell) for cell in row.cells],
    }


def _step(run: RecipeRun, row: Row, cell: Cell) -> dict[str, Any]:
    return {
        "step": cell.position + 1,
        "template": cell.spec.template,
        "state": cell.stand,
        "waits_for": waits_for(run, row, cell),
        "stale": why_stale(row, cell),
        "made_of": cell.fingerprint,
        "goes_on_with": cell.approved.pk if cell.approved else None,
        "jobs": [one.job for one in cell.renders],
        "takes": cell.shown,
    }


def _recipe(slug: str) -> Recipe:
    recipe = Recipe.objects.prefetch_related("steps").filter(slug=slug).first()
    if recipe is None:
        names = ", ".join(Recipe.objects.filter(active=True).values_list("slug", flat=True)) or "–"
        told = _("no such recipe; there are: %s") % names
        raise Refused(Problem("recipe", slug, told, code="unknown_recipe"))
    return recipe


def _shots(run: RecipeRun, names: list[str]) -> list[Any]:
    """Shots of the run by name. Raises Refused for one that is not in it."""
    shots = shots_named(run.project, names)
    there = {shot.pk for shot in shots_of(run)}
    wrong = [
        Problem("shots", shot.full_code, _("this shot is not in the run %s") % run.code, code="unknown_shot")
        for shot in shots
        if shot.pk not in there
    ]
    if wrong:
        raise Refused(*wrong)
    return shots
