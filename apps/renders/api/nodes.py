"""Nodes over HTTP, with what takes a look at their jobs: being taken off the books."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.nodes.api import NodeViewSet
from apps.renders.services.removal import remove_node


class WorkingNodeViewSet(NodeViewSet):
    """Every node of the farm."""

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Take a node off the books that is gone for good. 400: it reports, has work, or jobs wait for it."""
        remove_node(self.get_object(), user=person_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
