"""Submit batches, try out what a submission would make, see how far they are."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.accounts.person import person_of
from apps.common import filters
from apps.common.errors import Problem, Refused
from apps.common.problems import as_json
from apps.productions.models import Shot
from apps.projects.api_scope import ScopedRead
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require_some
from apps.renders.api.batch_bodies import BatchAnswer, BatchSerializer, BatchStatus, PlanSerializer
from apps.renders.api.requests import BatchRequest, Change, PauseChange
from apps.renders.models import RenderBatch
from apps.renders.progress import tallies
from apps.renders.services.control import cancel_batch, change_batch, pause_batch
from apps.renders.services.planning import plan
from apps.renders.services.prompting import told_of_prompts
from apps.renders.services.requeueing import requeue_batch
from apps.renders.services.rights import require_batch
from apps.renders.services.steering import Wishes
from apps.renders.services.steps import Step
from apps.renders.services.submit import KEY_FIELD, submit

KEY = OpenApiParameter(
    KEY_FIELD,
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="Your own name for this request, at most 100 characters. Repeating it makes no second batch.",
)


class BatchFilter(filters.ByProject):
    """By project code."""

    class Meta:
        model = RenderBatch
        fields: tuple[str, ...] = ()


class BatchViewSet(ScopedRead[RenderBatch]):
    """The render batches of your projects, the newest first."""

    queryset = RenderBatch.objects.select_related("project", "submitted_by").order_by("-created_at", "-pk")
    serializer_class = BatchSerializer
    filterset_class = BatchFilter

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        rows = list(page or ())
        _count(*rows)
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    @extend_schema(responses=BatchStatus)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One batch: how far it is, and when it is expected to end."""
        batch = self.get_object()
        _count(batch)
        return Response(BatchStatus(batch, context=self.get_serializer_context()).data)

    @extend_schema(request=BatchRequest, responses={201: BatchAnswer, 200: BatchAnswer}, parameters=[KEY])
    def create(self, request: Request) -> Response:
        """Submit. 201: a new batch; 200: this very request was made before; 409: the key names another."""
        user = person_of(request)
        asked = self._asked(request, user)
        key = request.headers.get(KEY_FIELD, "").strip()
        if not key:
            told = _("send this header: your own name for this request, so that repeating it does no harm")
            raise Refused(Problem(KEY_FIELD, "", told, code="required"))
        submission = submit(
            user=user,
            project=asked["project"],
            shots=asked["shots"],
            steps=asked["steps"],
            idempotency_key=key,
            envelope=asked["envelope"],
        )
        made = status.HTTP_201_CREATED if submission.created else status.HTTP_200_OK
        return self._answer(self.get_queryset().get(pk=submission.batch.pk), made)

    @extend_schema(request=BatchRequest, responses=PlanSerializer)
    @action(detail=False, methods=["post"])
    def plan(self, request: Request) -> Response:
        """What a submission would make, or what is wrong with it. Nothing is written."""
        user = person_of(request)
        asked = self._asked(request, user)
        made = plan(
            project=asked["project"],
            shots=asked["shots"],
            steps=asked["steps"],
            envelope=asked["envelope"],
            user=user,
        )
        wrong, of_prompts = (made.problems, []) if made.problems else told_of_prompts(made)
        jobs = [] if wrong else made.jobs
        answer = {
            "total": len(jobs),
            "jobs": jobs,
            "problems": [as_json(one) for one in wrong],
            "warnings": [as_json(one) for one in (*made.warnings, *of_prompts)] if jobs else [],
        }
        return Response(PlanSerializer(answer).data)

    @extend_schema(request=Change, responses=BatchAnswer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change every open job of the batch that still can be; ``paused`` is the batch's own.

        Jobs that a node has keep their pool, tags, pin and start.
        """
        batch = self.get_object()
        wishes = self.asked(Change, of=batch, act=Act.RENDER)
        reason = wishes.pop("reason", "")
        change_batch(batch, cast(Wishes, wishes), user=person_of(request), reason=reason)
        return self._answer(self.get_object())

    @extend_schema(request=None, responses=BatchAnswer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel every open job of the batch."""
        cancel_batch(self.get_object(), user=person_of(request))
        return self._answer(self.get_object())

    @extend_schema(request=None, responses=BatchAnswer)
    @action(detail=True, methods=["post"])
    def requeue(self, request: Request, pk: str) -> Response:
        """Try every failed, cancelled or quarantined job of the batch again, each with a fresh budget."""
        requeue_batch(self.get_object(), user=person_of(request))
        return self._answer(self.get_object())

    @extend_schema(request=PauseChange, responses=BatchAnswer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Hold every job of the batch back, or let them go on. What a node already has goes on."""
        batch = self.get_object()
        asked = self.asked(PauseChange, of=batch, act=Act.RENDER)
        pause_batch(batch, user=person_of(request), **asked)
        return self._answer(self.get_object())

    def require(self, act: Act, of: RenderBatch) -> None:
        require_batch(of, person_of(self.request))

    def _asked(self, request: Request, user: User) -> dict[str, Any]:
        asked = BatchRequest(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        data: dict[str, Any] = asked.validated_data
        require_some(user, Act.RENDER, data["project"])
        return data | {
            "shots": shots_named(data["project"], data["shots"]),
            "steps": [Step(**step) for step in data["steps"]],
            "envelope": asked.envelope(),
        }

    def _answer(self, batch: RenderBatch, http_status: int = status.HTTP_200_OK) -> Response:
        _count(batch)
        return Response(BatchAnswer(batch, context=self.get_serializer_context()).data, status=http_status)


def _count(*batches: RenderBatch) -> None:
    counted = tallies(batch.pk for batch in batches)
    for batch in batches:
        batch.tally = counted[batch.pk]  # type: ignore[attr-defined]


def shots_named(project: Project, names: list[str]) -> list[Shot]:
    """Find shots by full code or id, in the order asked. Raises Refused for unknown and for repeated ones."""
    ids = [key for key in map(_uuid, names) if key is not None]
    codes = [name.rpartition("_")[2] for name in names]
    rows = Shot.objects.filter(Q(pk__in=ids) | Q(code__in=codes), project=project)
    by_name: dict[str, Shot] = {}
    for shot in rows.select_related("project", "sequence", "status", "location"):
        by_name |= {str(shot.pk): shot, shot.full_code: shot}
    found: dict[UUID, Shot] = {}
    problems: list[Problem] = []
    for index, name in enumerate(names):
        named = by_name.get(str(_uuid(name) or name))
        if named is None:
            told = _("no such shot in %s; write SQ010_SH0040, or its id") % project.code
            problems.append(Problem(f"shots[{index}]", name, told, code="unknown_shot"))
        elif named.pk in found:
            problems.append(Problem(f"shots[{index}]", name, _("named twice"), code="twice"))
        else:
            found[named.pk] = named
    if problems:
        raise Refused(*problems)
    return list(found.values())


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
