"""The farm's lines over HTTP: by VRAM tier, the nodes that serve, the jobs that wait, how long one would."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.desk.selectors import farm_nodes, lines_with_waits
from apps.projects.api_scope import MemberOrStaff
from apps.renders.api.waiting import BetweenSerializer
from apps.renders.holding import holds


class TierWaitSerializer(serializers.Serializer[Any]):
    """How long a job of normal priority would wait behind all that waits now, nine times in ten.

    Seconds and times null: ``unknown`` says why (``paused``; ``no_node``: none of the tier may be given work;
    ``nobody``: no node can take what waits; ``few``: what is ahead was seen less than three times).
    ``most_s`` alone null: more is ahead than was counted. ``words``: the same for people.
    """

    least_s = serializers.FloatField(allow_null=True)
    most_s = serializers.FloatField(allow_null=True)
    start = BetweenSerializer(allow_null=True)
    unknown = serializers.CharField(allow_blank=True)
    words = serializers.CharField()


class TierSerializer(serializers.Serializer[Any]):
    """A rung of the VRAM ladder. ``tier_gb``: 0 needs no VRAM, null fits no card.

    ``nodes`` serve it; ``waiting`` jobs may start (``more``: and others that were not counted); ``in_flight``
    are on their way or at work.
    """

    tier_gb = serializers.IntegerField(allow_null=True)
    nodes = serializers.IntegerField()
    waiting = serializers.IntegerField(source="ready")
    more = serializers.BooleanField()
    in_flight = serializers.IntegerField()
    paused = serializers.BooleanField()
    wait = TierWaitSerializer(source="wait.as_json")


class TiersView(APIView):
    """The lines jobs wait in."""

    permission_classes = (IsAuthenticated, MemberOrStaff)

    @extend_schema(operation_id="farm_tiers", responses=TierSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Queue depth by VRAM tier, and how long a job would wait there."""
        lines = lines_with_waits(farm_nodes(), holds())
        return Response(TierSerializer(lines, many=True).data)
