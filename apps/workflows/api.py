"""Workflow templates, what they need, and their versions."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.common.api_versions import IF_MATCH
from apps.projects.api_scope import MemberOrStaff
from apps.workflows.api_imports import ImportsFiles
from apps.workflows.api_versions import HasVersions, Standing
from apps.workflows.models import WorkflowTemplate
from apps.workflows.selectors import offered
from apps.workflows.services import remember, template_of
from workflows.load import Template
from workflows.schema import manifest_schema


class RoleSerializer(serializers.Serializer[Any]):
    """A value a template takes. A number lies between minimum and maximum."""

    role = serializers.CharField()
    type = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    default = serializers.CharField(allow_null=True)
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    choices = serializers.ListField(child=serializers.CharField())
    unit = serializers.CharField(allow_null=True)


class VramSerializer(serializers.Serializer[Any]):
    """A card of ``gb`` GB renders up to so many pixels (width × height) and frames."""

    precision = serializers.CharField()
    max_pixels = serializers.IntegerField()
    max_frames = serializers.IntegerField()
    gb = serializers.FloatField()
    source = serializers.CharField()  # type: ignore[assignment]


class ModelFileSerializer(serializers.Serializer[Any]):
    """A model file a node must have; with a precision it is needed for that one only."""

    folder = serializers.CharField()
    name = serializers.CharField()
    precision = serializers.CharField(allow_null=True)
    url = serializers.CharField(allow_null=True)


class NeedsSerializer(serializers.Serializer[Any]):
    """What a template asks for: values, memory, model files, node classes, legal frame counts."""

    produces = serializers.CharField()
    base_model = serializers.CharField(allow_null=True)
    native_fps = serializers.FloatField(allow_null=True)
    size_step = serializers.IntegerField(help_text="Width and height are multiples of so many pixels")
    frame_rule = serializers.CharField(allow_null=True)
    precisions = serializers.ListField(child=serializers.CharField())
    saves_latents = serializers.BooleanField(
        help_text="Its takes keep latents for a shot that continues them"
    )
    takes_latents = serializers.BooleanField(help_text="A shot that keeps latents can be rendered with it")
    roles = RoleSerializer(many=True)
    vram = VramSerializer(many=True)
    models = ModelFileSerializer(many=True)
    classes = serializers.ListField(child=serializers.CharField())


class TemplateSerializer(serializers.ModelSerializer[WorkflowTemplate]):
    """A workflow by name, and the version that would be rendered now."""

    version = serializers.IntegerField(source="current.number", read_only=True)
    content_hash = serializers.CharField(source="current.content_hash", read_only=True)
    description = serializers.SerializerMethodField()
    needs = serializers.SerializerMethodField()

    class Meta:
        model = WorkflowTemplate
        fields = (
            "slug",
            "title",
            "title_ko",
            "kind",
            "version",
            "content_hash",
            "description",
            "needs",
            "row_version",
        )
        read_only_fields = fields

    def get_description(self, row: WorkflowTemplate) -> dict[str, str]:
        """By language."""
        return dict(_template(row).manifest.description)

    @extend_schema_field(NeedsSerializer)
    def get_needs(self, row: WorkflowTemplate) -> dict[str, Any]:
        template = _template(row)
        manifest = template.manifest
        return {
            "produces": manifest.produces,
            "base_model": manifest.base_model,
            "native_fps": manifest.native_fps,
            "size_step": manifest.dim_step,
            "frame_rule": str(manifest.frame_rule) if manifest.frame_rule else None,
            "precisions": list(manifest.precisions),
            "saves_latents": manifest.saves_latents,
            "takes_latents": manifest.takes_latents,
            "roles": [_role(template, role) for role in manifest.bindings],
            "vram": VramSerializer(manifest.vram, many=True).data,
            "models": ModelFileSerializer(manifest.models, many=True).data,
            "classes": row.current.classes if row.current else [],
        }


class TemplateViewSet(ImportsFiles, HasVersions, ReadOnlyModelViewSet[WorkflowTemplate]):
    """The templates on offer, by name. What is said about versions is said of withdrawn ones too."""

    queryset = WorkflowTemplate.objects.none()
    serializer_class = TemplateSerializer
    permission_classes = (IsAuthenticated, MemberOrStaff)
    lookup_field = "slug"

    def get_queryset(self) -> Any:
        if self.action in ("list", "retrieve"):
            return offered().order_by("slug")
        return WorkflowTemplate.objects.select_related("current").order_by("slug")

    def paginate_queryset(self, queryset: Any) -> Any:
        """The rows of a page, with their contents at hand."""
        page = super().paginate_queryset(queryset)
        remember(row.current for row in page or () if row.current)
        return page

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["get"], url_path="schema", pagination_class=None)
    def schema_of_manifests(self, request: Request) -> Response:
        """The JSON Schema of manifests, for editors and scripts that write them."""
        return Response(manifest_schema())

    @extend_schema(request=Standing, responses=TemplateSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, slug: str) -> Response:
        """Withdraw the template or offer it again; choose the version new renders use."""
        self.change(request)
        return Response(self.get_serializer(self.get_object()).data)


def _template(row: WorkflowTemplate) -> Template:
    if row.current is None:
        raise ValueError(f"{row.slug} is not offered")
    return template_of(row.current)


def _role(template: Template, role: str) -> dict[str, Any]:
    manifest = template.manifest
    binding = manifest.bindings[role]
    default = manifest.defaults.get(role)
    return {
        "role": role,
        "type": binding.type,
        "required": role in manifest.required_roles,
        "default": None if default is None else str(default),
        "minimum": binding.minimum,
        "maximum": binding.maximum,
        "choices": list(binding.choices),
        "unit": binding.unit,
    }
