"""Requeue over HTTP: a batch, a selection of jobs, or what failed on a node."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common.errors import Problem, Refused
from apps.common.strict import Strict
from apps.nodes.models import Node
from apps.renders.api.named import jobs_named
from apps.renders.models import Job
from apps.renders.services.requeueing import failures_of, requeue_jobs, requeueable
from farm.contracts import FailureClass

MOST_NAMED = 5_000


class RequeueMany(Strict):
    """Which jobs: named ones, or those whose last attempt failed on a node.

    ``since`` and ``failure_class`` narrow down a node's failures. With ``dry_run`` nothing is changed.
    """

    jobs = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, min_length=1, max_length=MOST_NAMED
    )
    node = serializers.CharField(required=False, max_length=120)
    since = serializers.DateTimeField(required=False)
    failure_class = serializers.ChoiceField(required=False, choices=[str(name) for name in FailureClass])
    dry_run = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("jobs" in attrs) == ("node" in attrs):
            raise serializers.ValidationError(_("say which: jobs (codes or ids), or node (a name)"))
        if "node" not in attrs and ("since" in attrs or "failure_class" in attrs):
            raise serializers.ValidationError(_("since and failure_class go with node"))
        return attrs


class Requeued(serializers.Serializer[Any]):
    """How many of the chosen jobs ended without a take and are yours to requeue, and how many were."""

    found = serializers.IntegerField()
    requeued = serializers.IntegerField()


class RequeuesJobs:
    """What the jobs' addresses gain."""

    @extend_schema(operation_id="jobs_requeue_many", request=RequeueMany, responses=Requeued)
    @action(detail=False, methods=["post"], url_path="requeue", filterset_class=None)
    def requeue_many(self, request: Request) -> Response:
        """Requeue named jobs, or what failed on a node. Jobs that did not end without a take stay."""
        body = RequeueMany(data=request.data)
        body.is_valid(raise_exception=True)
        asked: dict[str, Any] = body.validated_data
        user = person_of(request)
        jobs = jobs_named(asked["jobs"], user) if "jobs" in asked else _failed_on(asked)
        found = requeueable(jobs, user=user).count()
        done = 0 if asked["dry_run"] else requeue_jobs(jobs, user=user)
        return Response(Requeued({"found": found, "requeued": done}).data)


def _failed_on(asked: dict[str, Any]) -> QuerySet[Job]:
    node = Node.objects.filter(name=asked["node"]).first()
    if node is None:
        raise Refused(Problem("node", asked["node"], _("no such node; write its name as the farm page does")))
    return failures_of(node, since=asked.get("since"), failure_class=asked.get("failure_class", ""))
