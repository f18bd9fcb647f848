"""Automations over HTTP, with what one would have done lately."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common.strict import Strict
from apps.productions.api import AutomationViewSet
from apps.renders.rehearsal import MOST_DAYS, USUAL_DAYS, rehearse


class RehearsalQuery(Strict):
    """How many days to look back."""

    days = serializers.IntegerField(required=False, default=USUAL_DAYS, min_value=1, max_value=MOST_DAYS)


class WouldSerializer(serializers.Serializer[Any]):
    """A shot to which something would have been done; ``before`` and ``after`` are statuses by slug."""

    shot = serializers.UUIDField(source="shot.pk")
    code = serializers.CharField(source="shot.full_code")
    at = serializers.DateTimeField()
    before = serializers.CharField()
    after = serializers.CharField()
    deed = serializers.CharField()
    actor = serializers.CharField()


class RehearsalSerializer(serializers.Serializer[Any]):
    """``occasions``: how often it would have looked; ``cut``: more happened than was looked at."""

    since = serializers.DateTimeField()
    occasions = serializers.IntegerField()
    cut = serializers.BooleanField()
    would = WouldSerializer(many=True)


class RehearsedAutomationViewSet(AutomationViewSet):
    """The automations of the studio and of your projects."""

    @extend_schema(parameters=[RehearsalQuery], responses=RehearsalSerializer, filters=False)
    @action(detail=True, methods=["get"], url_path="rehearsal", pagination_class=None)
    def rehearsal(self, request: Request, pk: str) -> Response:
        """Tell what it would have done lately, in the projects you see; nothing is changed."""
        row = self.get_object()
        asked = RehearsalQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        told = rehearse(row, user=person_of(request), days=asked.validated_data["days"])
        return Response(RehearsalSerializer(told).data)
