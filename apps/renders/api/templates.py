"""Templates over HTTP, with what takes a shot: a dry run."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.strict import Strict
from apps.productions.models import Shot
from apps.projects.selectors import scoped
from apps.renders.services.dry_runs import try_out
from apps.workflows.api import TemplateViewSet
from apps.workflows.api_versions import NodeChangeSerializer
from apps.workflows.selectors import version_numbered
from workflows.roles import ROLES


@extend_schema_field(OpenApiTypes.UUID)
class MyShot(serializers.PrimaryKeyRelatedField[Shot]):
    """A shot of the person's projects, by id; those of others do not exist here."""

    def get_queryset(self) -> Any:
        return scoped(Shot.objects.select_related("project", "sequence"), self.context["request"].user)


class DryRunRequest(Strict):
    """The version (none: the current one), the shot, and values typed over it, by role."""

    version = serializers.IntegerField(required=False, min_value=1)
    shot = MyShot(required=False, allow_null=True)
    values = serializers.DictField(child=serializers.JSONField(), required=False)

    def validate_values(self, values: dict[str, Any]) -> dict[str, Any]:
        for role, value in values.items():
            if role not in ROLES or isinstance(value, bool) or not isinstance(value, str | int | float):
                raise serializers.ValidationError(
                    f"{role}: give a text or a number to a role of the template"
                )
        return values


class OriginSerializer(serializers.Serializer[Any]):
    """default, shot, preset, project, character, request or farm; and which."""

    kind = serializers.CharField()
    detail = serializers.CharField()


class WrittenSerializer(serializers.Serializer[Any]):
    """One input that the run writes."""

    node = serializers.CharField()
    title = serializers.CharField()
    class_type = serializers.CharField()
    input = serializers.CharField()
    role = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    before = serializers.JSONField(allow_null=True)
    origin = OriginSerializer()


class LackingSerializer(serializers.Serializer[Any]):
    """What a node lacks: node classes, and model files as folder/name; and the nearest names it has."""

    node = serializers.CharField()
    names = serializers.ListField(child=serializers.CharField())
    nearest = serializers.ListField(child=serializers.CharField())


class DryRunSerializer(serializers.Serializer[Any]):
    """The graph as it would be sent, and where everything in it comes from."""

    graph = serializers.JSONField()
    written = WrittenSerializer(many=True)
    diff = NodeChangeSerializer(many=True)
    lacking = LackingSerializer(many=True)
    able_nodes = serializers.IntegerField()


class RenderingTemplateViewSet(TemplateViewSet):
    """The templates on offer, by name. What is said about versions is said of withdrawn ones too."""

    @extend_schema(request=DryRunRequest, responses=DryRunSerializer)
    @action(detail=True, methods=["post"], url_path="dry-run")
    def dry_run(self, request: Request, slug: str) -> Response:
        """What a version would send for a shot, or for typed values. Nothing is written."""
        template = self.get_object()
        body = DryRunRequest(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        number = asked.get("version") or (template.current.number if template.current else 1)
        tried = try_out(version_numbered(template, number), shot=asked.get("shot"), typed=asked.get("values"))
        answer = {
            "graph": tried.run.graph,
            "written": tried.run.written,
            "diff": tried.run.diff.nodes,
            "lacking": tried.lacking,
            "able_nodes": tried.able,
        }
        return Response(DryRunSerializer(answer).data)
