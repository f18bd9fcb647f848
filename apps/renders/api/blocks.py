"""Blocked pairs: which node is not given which template, until when, and why."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.accounts.person import person_of
from apps.common import filters
from apps.nodes.words import reason_in_words
from apps.projects.api_scope import MemberOrStaff
from apps.renders.models import NodeBlock
from apps.renders.services.breaker import clear_block
from apps.renders.states import BlockState


class BlockSerializer(serializers.ModelSerializer[NodeBlock]):
    """A node and a template that failed there. ``until`` null: not blocked now."""

    node: Any = serializers.SlugRelatedField("name", read_only=True)
    template: Any = serializers.SlugRelatedField("slug", read_only=True)
    reason = serializers.SerializerMethodField()

    class Meta:
        model = NodeBlock
        fields = ("id", "node", "template", "state", "failures", "until", "reason")
        read_only_fields = fields

    def get_reason(self, block: NodeBlock) -> str:
        return reason_in_words(block.reason)


class BlockFilter(filters.FilterSet):
    """By the names of node and template, by state."""

    node = filters.CharFilter(field_name="node__name")
    template = filters.CharFilter(field_name="template__slug")
    state = filters.ChoiceFilter(choices=BlockState.choices)

    class Meta:
        model = NodeBlock
        fields: tuple[str, ...] = ()


class BlockViewSet(ReadOnlyModelViewSet[NodeBlock]):
    """Pairs of node and template with failures in a row."""

    queryset = (
        NodeBlock.objects.filter(failures__gt=0)
        .select_related("node", "template")
        .only("state", "failures", "until", "reason", "node__name", "template__slug")
        .order_by("node__name", "template__slug")
    )
    serializer_class = BlockSerializer
    permission_classes = (IsAuthenticated, MemberOrStaff)
    filterset_class = BlockFilter

    def get_queryset(self) -> QuerySet[NodeBlock]:
        # What has been cleared is still told as the answer to clearing it.
        return (
            super().get_queryset()
            if self.action == "list"
            else NodeBlock.objects.select_related("node", "template")
        )

    @extend_schema(request=None, responses=BlockSerializer)
    @action(detail=True, methods=["post"])
    def clear(self, request: Request, pk: str) -> Response:
        """Give the node this template again."""
        clear_block(self.get_object(), user=person_of(request))
        return Response(self.get_serializer(self.get_object()).data)
