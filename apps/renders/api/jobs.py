"""Jobs: list, read their whole story, cancel, requeue, change, pause; one or many."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import F, Prefetch, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.errors import Conflict, Problem
from apps.common.strict import Strict
from apps.nodes.services import STEER
from apps.projects.api_scope import ScopedRead
from apps.projects.roles import Act
from apps.renders.api.named import jobs_named
from apps.renders.api.requests import CancelMany, Change, ChangeMany, PauseChange, PriorityChange
from apps.renders.api.requeueing import RequeuesJobs
from apps.renders.api.serializers import Cancelled, JobSerializer, JobStory, OutcomeSerializer
from apps.renders.api.waiting import WhySerializer
from apps.renders.models import Attempt, Job, JobDependency, JobMaterial
from apps.renders.services import control
from apps.renders.services.steering import Wishes
from apps.renders.states import JobState
from apps.renders.why import why
from apps.workflows.models import Kind

_READ = ("project", "batch", "lane", "shot__sequence", "template_version__template", "pool", "pinned_to")
_UNREAD = (
    *("lane__wait_nodes", "lane__lora_files"),
    *("template_version__graph", "template_version__manifest"),
)
_TRIES = Attempt.objects.annotate(peak_mib=F("report__peak_mib")).select_related("node").defer("report")
_ATTEMPTS = Prefetch("attempts", _TRIES.order_by("-number"))
_DEPENDENCIES = Prefetch("dependencies", JobDependency.objects.select_related("depends_on"))
_MATERIALS = Prefetch("materials", JobMaterial.objects.select_related("material").order_by("role"))


class JobFilter(filters.ByProject):
    """By the codes of project and batch, by shot (id), state, kind and tier, by pool and pin (names)."""

    batch = filters.CharFilter(field_name="batch__code")
    shot = filters.UUIDFilter(field_name="shot")
    state = filters.MultipleChoiceFilter(choices=JobState.choices)
    kind = filters.ChoiceFilter(choices=Kind.choices)
    pool = filters.CharFilter(field_name="pool__name")
    pinned_to = filters.CharFilter(field_name="pinned_to__name")
    deadline_before = filters.DateTimeFilter(field_name="deadline", lookup_expr="lte")

    class Meta:
        model = Job
        fields = ("tier_gb", "priority", "paused", "held")


class JobViewSet(RequeuesJobs, ScopedRead[Job]):
    """The jobs of your projects, the newest first."""

    queryset = Job.objects.select_related(*_READ).defer(*_UNREAD).order_by("-created_at", "-pk")
    serializer_class = JobSerializer
    filterset_class = JobFilter
    shot_path = "shot"
    stage_path = "stage"

    def get_queryset(self) -> QuerySet[Job]:
        jobs = super().get_queryset()
        if self.action == "list":
            return jobs
        more = (_ATTEMPTS, _DEPENDENCIES, _MATERIALS)
        return jobs.select_related(*_READ, "prompt_build").prefetch_related(*more)

    @extend_schema(responses=JobStory)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One job with its attempts and everything that happened to it."""
        return self._answer()

    @extend_schema(responses=WhySerializer)
    @action(detail=True, methods=["get"], filterset_class=None)
    def why(self, request: Request, pk: str) -> Response:
        """Why the job waits, when it is expected to start and to end, and what each node says to it."""
        told = why(self.get_object())
        answer = {
            "waiting": told.reason if told.reason.code else None,
            "eta": told.eta,
            "nodes": told.rows if person_of(request).has_perm(STEER) else None,
        }
        return Response(WhySerializer(answer).data)

    @extend_schema(request=None, responses=JobStory)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel the job and interrupt the node at work on it."""
        job = self.get_object()
        if not control.cancel(job, user=person_of(request)):
            self._only_if(JobState.CANCELLED, _("it is closed already, so there is nothing to cancel"))
        return self._answer()

    @extend_schema(request=None, responses=JobStory)
    @action(detail=True, methods=["post"])
    def requeue(self, request: Request, pk: str) -> Response:
        """Try a failed, cancelled or quarantined job again, with a fresh budget."""
        if not control.requeue(self.get_object(), user=person_of(request)):
            raise self._conflict(
                _("only a failed, cancelled or quarantined job is requeued; submit a new take")
            )
        return self._answer()

    @extend_schema(request=PriorityChange, responses=JobStory)
    @action(detail=True, methods=["post"])
    def prioritise(self, request: Request, pk: str) -> Response:
        """Give an open job another priority class."""
        job = self.get_object()
        asked = self.asked(PriorityChange, of=job, act=Act.RENDER)
        if not control.prioritise(job, user=person_of(request), **asked):
            raise self._conflict(_("it is closed, so its priority means nothing any more"))
        return self._answer()

    @extend_schema(request=PauseChange, responses=JobStory)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Hold the job back, or let it go on."""
        job = self.get_object()
        asked = self.asked(PauseChange, of=job, act=Act.RENDER)
        if not control.pause(job, user=person_of(request), **asked):
            raise self._conflict(_("it is closed, so there is nothing to hold back"))
        return self._answer()

    @extend_schema(request=Change, responses=JobStory)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change an open job. 409 if it is closed, or if a node has it and pool, tags, pin or start are sent.

        A null time, an empty name or an empty list takes a wish back.
        """
        job = self.get_object()
        wishes = self.asked(Change, of=job, act=Act.RENDER)
        reason = wishes.pop("reason", "")
        control.change_job(job, cast(Wishes, wishes), user=person_of(request), reason=reason)
        return self._answer()

    @extend_schema(operation_id="jobs_change_many", request=ChangeMany, responses=OutcomeSerializer)
    @action(detail=False, methods=["post"], filterset_class=None)
    def change(self, request: Request) -> Response:
        """Change a selection of jobs; what became of each is told."""
        jobs, asked = self._chosen(ChangeMany)
        reason = asked.pop("reason", "")
        outcome = control.change_jobs(jobs, cast(Wishes, asked), user=person_of(request), reason=reason)
        return Response(OutcomeSerializer(outcome).data)

    @extend_schema(operation_id="jobs_cancel_many", request=CancelMany, responses=Cancelled)
    @action(detail=False, methods=["post"], url_path="cancel", filterset_class=None)
    def cancel_many(self, request: Request) -> Response:
        """Cancel a selection of jobs; those that are closed stay as they are."""
        jobs, asked = self._chosen(CancelMany)
        return Response({"cancelled": control.cancel_jobs(jobs, user=person_of(request), **asked)})

    def _chosen(self, form: type[Strict]) -> tuple[QuerySet[Job], dict[str, Any]]:
        """The person's jobs that a body names, and the rest of it. Raises Refused for the unknown."""
        body = form(data=self.request.data)
        body.is_valid(raise_exception=True)
        asked: dict[str, Any] = body.validated_data
        return jobs_named(asked.pop("jobs"), person_of(self.request)), asked

    def _answer(self) -> Response:
        return Response(JobStory(self.get_object(), context=self.get_serializer_context()).data)

    def _only_if(self, state: JobState, told: str) -> None:
        """What was asked for is so already: that is success, said twice."""
        if self.get_object().state != state:
            raise self._conflict(told)

    def _conflict(self, told: str) -> Conflict:
        return Conflict(Problem("state", self.get_object().state, told, code="illegal_move"))
