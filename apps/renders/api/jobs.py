"""Jobs: list, read their whole story, cancel, requeue, reprioritise, pause."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.errors import Conflict, Problem
from apps.projects.api_scope import ScopedRead
from apps.projects.roles import Act
from apps.renders.api.requeueing import RequeuesJobs
from apps.renders.api.serializers import JobSerializer, JobStory, PauseChange, PriorityChange
from apps.renders.models import Attempt, Job, JobDependency
from apps.renders.services import control
from apps.renders.states import JobState
from apps.workflows.models import Kind

_ATTEMPTS = Prefetch("attempts", Attempt.objects.select_related("node").defer("report").order_by("-number"))
_DEPENDENCIES = Prefetch("dependencies", JobDependency.objects.select_related("depends_on"))


class JobFilter(filters.ByProject):
    """By the codes of project and batch, by shot (id), state, kind and tier."""

    batch = filters.CharFilter(field_name="batch__code")
    shot = filters.UUIDFilter(field_name="shot")
    state = filters.MultipleChoiceFilter(choices=JobState.choices)
    kind = filters.ChoiceFilter(choices=Kind.choices)

    class Meta:
        model = Job
        fields = ("tier_gb", "priority", "paused")


class JobViewSet(RequeuesJobs, ScopedRead[Job]):
    """The jobs of your projects, the newest first."""

    queryset = Job.objects.select_related(
        "project", "batch", "shot__sequence", "template_version__template"
    ).order_by("-created_at", "-pk")
    serializer_class = JobSerializer
    filterset_class = JobFilter

    def get_queryset(self) -> QuerySet[Job]:
        jobs = super().get_queryset()
        if self.action == "list":
            return jobs
        return jobs.select_related(
            "project", "batch", "shot__sequence", "template_version__template", "prompt_build"
        ).prefetch_related(_ATTEMPTS, _DEPENDENCIES)

    @extend_schema(responses=JobStory)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One job with its attempts and everything that happened to it."""
        return self._answer()

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
        control.pause(job, user=person_of(request), **asked)
        return self._answer()

    def _answer(self) -> Response:
        return Response(JobStory(self.get_object(), context=self.get_serializer_context()).data)

    def _only_if(self, state: JobState, told: str) -> None:
        """What was asked for is so already: that is success, said twice."""
        if self.get_object().state != state:
            raise self._conflict(told)

    def _conflict(self, told: str) -> Conflict:
        return Conflict(Problem("state", self.get_object().state, told, code="illegal_move"))
