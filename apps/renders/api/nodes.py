"""Nodes over HTTP, with what takes a look at their jobs: being taken off the books."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common.api_versions import IF_MATCH, Versioned, version_of
from apps.common.strict import Strict
from apps.nodes.api import NodeViewSet
from apps.nodes.services import require_steering
from apps.renders.api.stock import ProofSerializer
from apps.renders.services.proving import prove
from apps.renders.services.removal import remove_node, require_removing
from apps.renders.stock import templates_named


class ProveRequest(Strict):
    """Which template is to be proven, by its name."""

    template = serializers.CharField(max_length=120)


class WorkingNodeViewSet(NodeViewSet):
    """Every node of the farm."""

    @extend_schema(request=ProveRequest, responses={201: ProofSerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def prove(self, request: Request, pk: str) -> Response:
        """Let the node show that it can do a template, by the smallest render of it, when it has time.

        400: it lacks something, which is named. One that is open is returned as it is.
        """
        node = self.get_object()
        require_steering(person_of(request))
        body = ProveRequest(data=request.data)
        body.is_valid(raise_exception=True)
        (template,) = templates_named(body.validated_data["template"])
        proof = prove(template, node, user=person_of(request))
        return Response(ProofSerializer(proof).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=Versioned, responses={204: None}, parameters=[IF_MATCH])
    def destroy(self, request: Request, pk: str) -> Response:
        """Take a node off the books that is gone for good. 400: it reports, has work, or jobs wait for it."""
        node, user = self.get_object(), person_of(request)
        require_removing(user)
        remove_node(node, user=user, row_version=version_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
