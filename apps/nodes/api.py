"""GPU nodes: how they stand, and what is desired of them."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.accounts.person import person_of
from apps.common.strict import OneOf, Strict
from apps.nodes.models import Gpu, Node
from apps.nodes.services import require_steering, set_desired
from apps.nodes.states import Desired
from apps.projects.api_scope import MemberOrStaff


class GpuSerializer(serializers.ModelSerializer[Gpu]):
    """One GPU. Memory in MiB; null is unknown; ``source`` says who measured."""

    class Meta:
        model = Gpu
        fields = (
            "index",
            "name",
            "source",
            "total_mib",
            "free_mib",
            "foreign_mib",
            "utilisation",
            "temperature_c",
            "driver",
        )
        read_only_fields = fields


class NodeSerializer(serializers.ModelSerializer[Node]):
    """A GPU worker. ``tier_gb``: 0 serves jobs without VRAM only, null is unknown."""

    gpus = GpuSerializer(many=True, read_only=True)

    class Meta:
        model = Node
        fields = (
            "id",
            "name",
            "desired",
            "observed",
            "reason",
            "tier_gb",
            "simulated",
            "comfyui_version",
            "note",
            "reported_at",
            "gpus",
        )
        read_only_fields = fields


class DesiredChange(Strict):
    """What the node is to do."""

    desired = OneOf(choices=Desired.choices)


class NodeViewSet(ReadOnlyModelViewSet[Node]):
    """Every node of the farm."""

    queryset = (
        Node.objects.prefetch_related("gpus")
        .defer("classes", "models_by_folder", "comfyui_facts")
        .order_by("name")
    )
    serializer_class = NodeSerializer
    permission_classes = (IsAuthenticated, MemberOrStaff)
    filterset_fields = ("observed", "desired", "tier_gb", "simulated")

    @extend_schema(request=DesiredChange, responses=NodeSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def desired(self, request: Request, pk: str) -> Response:
        """Activate, drain or pause the node; it hears so within 5 seconds."""
        node = self.get_object()
        require_steering(person_of(request))
        asked = DesiredChange(data=request.data)
        asked.is_valid(raise_exception=True)
        set_desired(node, asked.validated_data["desired"], user=person_of(request))
        return Response(self.get_serializer(self.get_object()).data)
