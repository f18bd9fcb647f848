"""GPU nodes: how they stand, what is desired of them, where they belong."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.api_versions import IF_MATCH, version_said
from apps.common.strict import Strict
from apps.nodes.api.serializers import DesiredChange, HoursChange, NodeChange, NodeSerializer
from apps.nodes.models import Node
from apps.nodes.services import (
    accept_software,
    assign,
    at_version,
    bound_golden_renders,
    require_steering,
    say_well,
    set_desired,
    set_note,
    work_until,
)
from apps.projects.api_scope import MemberOrStaff


class NodeFilter(filters.FilterSet):
    """By the names of pool and schedule, by state, wish, health, tier, drift."""

    pool = filters.CharFilter(field_name="pool__name")
    schedule = filters.CharFilter(field_name="schedule__name")

    class Meta:
        model = Node
        fields = ("observed", "desired", "health", "off_hours", "software_state", "tier_gb", "simulated")


class NodeViewSet(ReadOnlyModelViewSet[Node]):
    """Every node of the farm."""

    queryset = (
        Node.objects.select_related("pool", "schedule")
        .prefetch_related("gpus")
        .defer("classes", "models_by_folder", "comfyui_facts", "software", "baseline")
        .order_by("name")
    )
    serializer_class = NodeSerializer
    permission_classes = (IsAuthenticated, MemberOrStaff)
    filterset_class = NodeFilter

    @extend_schema(request=NodeChange, responses=NodeSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        """Put the node into a pool, on a schedule, tag it, pin a note to it, bound its golden renders.

        409: somebody changed one of these after the version you read. What the node reports is no matter.
        """
        (node, asked), user = self._asked(NodeChange), person_of(request)
        with at_version(node, version_said(request, asked), *asked, user=user):
            if "note" in asked:
                set_note(node, asked.pop("note"), user=user)
            if "prove_minutes" in asked:
                bound_golden_renders(node, asked.pop("prove_minutes"), user=user)
            assign(node, user=user, **asked)
        return self._answer()

    @extend_schema(request=DesiredChange, responses=NodeSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def desired(self, request: Request, pk: str) -> Response:
        """Activate, drain or pause the node; it hears so within 5 seconds, and finishes what it has."""
        node, asked = self._asked(DesiredChange)
        set_desired(node, asked["desired"], user=person_of(request), reason=asked["reason"])
        return self._answer()

    @extend_schema(request=HoursChange, responses=NodeSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, url_path="work-until")
    def work(self, request: Request, pk: str) -> Response:
        """Let the node work until then, whatever its schedule says."""
        node, asked = self._asked(HoursChange)
        work_until(node, asked["until"], user=person_of(request))
        return self._answer()

    @extend_schema(request=None, responses=NodeSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def well(self, request: Request, pk: str) -> Response:
        """Give a node work again that was concluded sick or deaf."""
        say_well(self.get_object(), user=person_of(request))
        return self._answer()

    @extend_schema(request=None, responses=NodeSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, url_path="accept-software")
    def accept(self, request: Request, pk: str) -> Response:
        """Take what runs on the node now for what should run there."""
        accept_software(self.get_object(), user=person_of(request))
        return self._answer()

    def _asked(self, form: type[Strict]) -> tuple[Node, dict[str, Any]]:
        """The node and what is asked of it. Whoever may not steer is told no more."""
        node = self.get_object()
        require_steering(person_of(self.request))
        body = form(data=self.request.data)
        body.is_valid(raise_exception=True)
        return node, dict(body.validated_data)

    def _answer(self) -> Response:
        return Response(self.get_serializer(self.get_object()).data)
