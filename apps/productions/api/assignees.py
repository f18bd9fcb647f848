"""Who works on a shot, over HTTP."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common.api_versions import IF_MATCH, Versioned, version_said
from apps.productions.assigning import assign, assignable
from apps.productions.models import Shot
from apps.projects.api_scope import ScopedViewSet
from apps.projects.roles import Act
from apps.projects.selectors import require


class Assignees(serializers.Serializer[Any]):
    """``users``: the people a shot is assigned to. ``assignable``: those it may be assigned to.

    ``row_version``: the shot's.
    """

    users = serializers.ListField(child=serializers.CharField(), read_only=True)
    assignable = serializers.ListField(child=serializers.CharField(), read_only=True)
    row_version = serializers.IntegerField(read_only=True)


class AssigneesChange(Versioned):
    """The user names of everybody who works on the shot; [] for nobody."""

    users = serializers.ListField(child=serializers.CharField(max_length=150), max_length=100)


class AssigneesViewSet(ScopedViewSet[Shot]):
    """Who works on a shot of your projects."""

    queryset = Shot.objects.select_related("project").order_by("pk")
    serializer_class = Assignees
    filter_backends = ()

    @extend_schema(operation_id="shots_assignees", responses=Assignees)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Who works on the shot, and who may."""
        return self._answer(self.get_object())

    @extend_schema(
        operation_id="shots_assign", request=AssigneesChange, responses=Assignees, parameters=[IF_MATCH]
    )
    def assign(self, request: Request, pk: str) -> Response:
        """Assign the shot to these people and nobody else; a locked one is refused.

        It takes the right to plan the whole project. 409: somebody assigned others since you read it.
        """
        shot, user = self.get_object(), person_of(request)
        require(user, Act.PLAN, shot.project)
        body = AssigneesChange(data=request.data)
        body.is_valid(raise_exception=True)
        version = version_said(request, body.validated_data)
        assign(shot, body.validated_data["users"], user=user, row_version=version)
        return self._answer(self.get_object())

    def _answer(self, shot: Shot) -> Response:
        names = shot.assignees.order_by("username").values_list("username", flat=True)
        offered = assignable(shot.project).values_list("username", flat=True)
        told = {"users": list(names), "assignable": list(offered), "row_version": shot.row_version}
        return Response(Assignees(told).data)
