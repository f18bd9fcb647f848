"""Who works on a shot, over HTTP."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common.strict import Strict
from apps.productions.assigning import assign, assignable
from apps.productions.models import Shot
from apps.projects.api_scope import ScopedViewSet
from apps.projects.roles import Act
from apps.projects.selectors import require


class Assignees(serializers.Serializer[Any]):
    """``users``: the people a shot is assigned to. ``assignable``: those it may be assigned to."""

    users = serializers.ListField(child=serializers.CharField(), read_only=True)
    assignable = serializers.ListField(child=serializers.CharField(), read_only=True)


class AssigneesChange(Strict):
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

    @extend_schema(operation_id="shots_assign", request=AssigneesChange, responses=Assignees)
    def assign(self, request: Request, pk: str) -> Response:
        """Assign the shot to these people and nobody else. It takes the right to plan the whole project."""
        shot, user = self.get_object(), person_of(request)
        require(user, Act.PLAN, shot.project)
        body = AssigneesChange(data=request.data)
        body.is_valid(raise_exception=True)
        assign(shot, body.validated_data["users"], user=user)
        return self._answer(shot)

    def _answer(self, shot: Shot) -> Response:
        names = shot.assignees.order_by("username").values_list("username", flat=True)
        offered = assignable(shot.project).values_list("username", flat=True)
        return Response(Assignees({"users": list(names), "assignable": list(offered)}).data)
