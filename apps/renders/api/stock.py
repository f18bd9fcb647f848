"""Model files over HTTP: which lie where, what is missing, lines that fetch it; and golden renders."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.errors import Problem, Refused
from apps.projects.api_scope import MemberOrStaff
from apps.renders.models import Proof
from apps.renders.services.proving import cancel_proof
from apps.renders.states import ProofState
from apps.renders.stock import Matrix, downloads, matrix, needs_of, row_json, stocked_nodes, templates_named
from workflows.downloads import TOOLS, as_rows, as_text

_ASKED = [
    OpenApiParameter("template", str, description="Only what this template needs (its name)"),
    OpenApiParameter("node", str, many=True, description="Only these nodes (names)"),
    OpenApiParameter("missing", bool, description="Only files that some of these nodes lack"),
    OpenApiParameter("all", bool, description="Also files that no offered template needs"),
]
_YES = ("1", "true")


class CellSerializer(serializers.Serializer[Any]):
    """A file on a node. ``size`` null and ``sha256`` empty: unknown, ``why`` says why."""

    node = serializers.CharField()
    standing = serializers.ChoiceField(choices=("present", "unsure", "other", "missing"))
    size = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField()
    why = serializers.CharField()


class ModelRowSerializer(serializers.Serializer[Any]):
    """A model file, who needs it, and how it stands on each node."""

    folder = serializers.CharField()
    name = serializers.CharField()
    templates = serializers.ListField(child=serializers.CharField())
    url = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField(allow_null=True)
    conflict = serializers.BooleanField()
    missing_on = serializers.ListField(child=serializers.CharField())
    nodes = CellSerializer(many=True)


class ModelsView(APIView):
    """Files × nodes."""

    permission_classes = (IsAuthenticated, MemberOrStaff)

    @extend_schema(parameters=_ASKED, responses=ModelRowSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Every model file that templates need, and how it stands on each node."""
        return Response([row_json(row) for row in _found(request).rows])


class DownloadsView(APIView):
    """Lines to copy that fetch what is missing."""

    permission_classes = (IsAuthenticated, MemberOrStaff)

    @extend_schema(
        parameters=[
            *_ASKED[:2],
            OpenApiParameter("tool", str, enum=("json", *TOOLS), description="json by default"),
        ],
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> HttpResponse:
        """What these nodes lack: as objects, or as a script (for aria2 its input file) in plain text."""
        tool = request.query_params.get("tool", "json")
        if tool not in ("json", *TOOLS):
            raise Refused(Problem("tool", tool[:80], "expected one of json, " + ", ".join(TOOLS)))
        files = downloads(_found(request))
        if tool == "json":
            return Response(as_rows(files))
        title = "Model files missing on nodes of this farm"
        return HttpResponse(as_text(files, tool, title=title), content_type="text/plain; charset=utf-8")


class ProofSerializer(serializers.ModelSerializer[Proof]):
    """A golden render. ``execute_s`` on the GPU; ``peak_mib`` null: nobody measured."""

    node: Any = serializers.SlugRelatedField("name", read_only=True)
    template: Any = serializers.CharField(source="version.template.slug", read_only=True)
    version: Any = serializers.IntegerField(source="version.number", read_only=True)

    class Meta:
        model = Proof
        fields = (
            *("id", "node", "template", "version", "precision", "state", "asked_by", "created_at"),
            *("finished_at", "values", "outputs", "execute_s", "peak_mib", "comfyui_version", "gpu"),
            *("simulated", "software", "files", "failure_class", "message"),
        )
        read_only_fields = fields


class ProofFilter(filters.FilterSet):
    """By the names of node and template, by state."""

    node = filters.CharFilter(field_name="node__name")
    template = filters.CharFilter(field_name="version__template__slug")
    state = filters.ChoiceFilter(choices=ProofState.choices)

    class Meta:
        model = Proof
        fields: tuple[str, ...] = ()


class ProofViewSet(ReadOnlyModelViewSet[Proof]):
    """Golden renders, the newest first. POST nodes/{id}/prove asks for one."""

    queryset = (
        Proof.objects.select_related("node", "version__template")
        .defer("version__graph", "version__manifest", "version__classes", "report", "node__models_by_folder")
        .order_by("-created_at")
    )
    serializer_class = ProofSerializer
    permission_classes = (IsAuthenticated, MemberOrStaff)
    filterset_class = ProofFilter

    @extend_schema(request=None, responses=ProofSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Call it off; its node stops it with its next report."""
        cancel_proof(self.get_object(), user=person_of(request))
        return Response(self.get_serializer(self.get_object()).data)


def _found(request: Request) -> Matrix:
    asked = request.query_params
    templates = templates_named(asked.get("template", "")[:120])
    names = set(asked.getlist("node"))
    nodes = [node for node in stocked_nodes() if not names or node.name in names]
    if unknown := names - {node.name for node in nodes}:
        raise Refused(Problem("node", min(unknown)[:120], "no node of this name whose models are known"))
    found = matrix(nodes, needs_of(templates), everything=asked.get("all", "") in _YES)
    return found.only_missing() if asked.get("missing", "") in _YES else found
