"""A template's versions: read, compare, choose, deprecate; and the template withdrawn or offered again."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.person import person_of
from apps.common.api_versions import Versioned, version_said
from apps.common.strict import Strict
from apps.ledger.services.versions import at_version
from apps.workflows.api_on_nodes import OnNodeSerializer
from apps.workflows.checking import on_nodes
from apps.workflows.models import WorkflowTemplate, WorkflowTemplateVersion
from apps.workflows.selectors import version_numbered
from apps.workflows.services.managing import require_manage
from apps.workflows.services.versions import (
    LONGEST_REASON,
    deprecate,
    make_current,
    offer_again,
    set_offered,
)
from workflows.compare import compare, compare_manifests

NUMBER = r"versions/(?P<number>[0-9]{1,9})"


def _version_in(name: str) -> OpenApiParameter:
    return OpenApiParameter(name, int, required=True, description="The number of a version")


class VersionSerializer(serializers.ModelSerializer[WorkflowTemplateVersion]):
    """One version. ``deprecated``: why it is not offered for new renders; null if it is."""

    current = serializers.SerializerMethodField()
    deprecated = serializers.SerializerMethodField()

    class Meta:
        model = WorkflowTemplateVersion
        fields: tuple[str, ...] = (
            "number",
            "content_hash",
            "created_at",
            "current",
            "deprecated",
            "classes",
            "models_needed",
        )
        read_only_fields: tuple[str, ...] = fields

    def get_current(self, version: WorkflowTemplateVersion) -> bool:
        """Whether new renders use it."""
        return version.template.current_id == version.pk

    def get_deprecated(self, version: WorkflowTemplateVersion) -> str | None:
        return version.deprecation.reason if hasattr(version, "deprecation") else None


class VersionDetail(VersionSerializer):
    """The same with its graph in API format, its manifest, and what nodes lack for it."""

    nodes = serializers.SerializerMethodField()

    class Meta(VersionSerializer.Meta):
        fields = (*VersionSerializer.Meta.fields, "graph", "manifest", "nodes")
        read_only_fields = fields

    @extend_schema_field(OnNodeSerializer(many=True))
    def get_nodes(self, version: WorkflowTemplateVersion) -> Any:
        """What each registered node lacks, in every precision, or refuses; empty for a very large graph."""
        return OnNodeSerializer(on_nodes(version.graph, version.manifest), many=True).data


class InputChangeSerializer(serializers.Serializer[Any]):
    """One input: added, removed, value, link, linked (value to link) or unlinked."""

    input = serializers.CharField()
    kind = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class NodeChangeSerializer(serializers.Serializer[Any]):
    """One node: added, removed, changed or renumbered."""

    kind = serializers.CharField()
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)
    class_before = serializers.CharField()
    class_after = serializers.CharField()
    title = serializers.CharField()
    inputs = InputChangeSerializer(many=True)


class FieldChangeSerializer(serializers.Serializer[Any]):
    """One field of the manifest."""

    path = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class ComparisonSerializer(serializers.Serializer[Any]):
    """What differs between two versions."""

    nodes = NodeChangeSerializer(many=True)
    unchanged = serializers.IntegerField()
    manifest = FieldChangeSerializer(many=True)
    text = serializers.CharField()


class Pair(Strict):
    """Two numbers of versions."""

    before = serializers.IntegerField(min_value=1)
    after = serializers.IntegerField(min_value=1)


class Deprecation(Strict):
    """Why nothing new should be rendered with it."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class Standing(Versioned):
    """Whether the template is offered, and which version new renders use."""

    offered = serializers.BooleanField(required=False)
    version = serializers.IntegerField(required=False, min_value=1)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() - {"row_version"}:
            raise serializers.ValidationError("say what to change: offered, version", code="required")
        return attrs


class HasVersions(GenericViewSet[WorkflowTemplate]):
    """What the view of templates says about versions. The templates include withdrawn ones here."""

    @extend_schema(responses=VersionSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def versions(self, request: Request, slug: str) -> Response:
        """Every version, the newest first."""
        rows = self.get_object().versions.select_related("template", "deprecation").order_by("-number")
        return Response(VersionSerializer(rows.defer("graph", "manifest"), many=True).data)

    @extend_schema(responses=VersionDetail)
    @action(detail=True, methods=["get"], url_path=NUMBER)
    def version(self, request: Request, slug: str, number: str) -> Response:
        """One version with its graph and manifest."""
        return Response(VersionDetail(self._version(number)).data)

    @extend_schema(
        parameters=[
            _version_in("before"),
            _version_in("after"),
        ],
        responses=ComparisonSerializer,
    )
    @action(detail=True, methods=["get"])
    def compare(self, request: Request, slug: str) -> Response:
        """What differs between two versions, node by node."""
        asked = Pair(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        before, after = (self._version(asked.validated_data[name]) for name in ("before", "after"))
        graphs, manifests = (
            compare(before.graph, after.graph),
            compare_manifests(before.manifest, after.manifest),
        )
        answer = {
            "nodes": graphs.nodes,
            "unchanged": graphs.unchanged,
            "manifest": manifests.fields,
            "text": "\n".join(text for text in (graphs.text(), manifests.text()) if text),
        }
        return Response(ComparisonSerializer(answer).data)

    @extend_schema(request=Deprecation, responses=VersionDetail)
    @action(detail=True, methods=["post"], url_path=f"{NUMBER}/deprecate")
    def deprecate(self, request: Request, slug: str, number: str) -> Response:
        """Offer this version to no new render. Takes made with it can still be rendered again exactly."""
        user = person_of(request)
        require_manage(user)
        version = self._version(number)
        asked = Deprecation(data=request.data)
        asked.is_valid(raise_exception=True)
        deprecate(version, reason=asked.validated_data["reason"], user=user)
        return Response(VersionDetail(self._version(number)).data)

    @extend_schema(request=None, responses=VersionDetail)
    @action(detail=True, methods=["post"], url_path=f"{NUMBER}/offer")
    def offer(self, request: Request, slug: str, number: str) -> Response:
        """Take a deprecation back."""
        user = person_of(request)
        require_manage(user)
        offer_again(self._version(number), user=user)
        return Response(VersionDetail(self._version(number)).data)

    def change(self, request: Request) -> None:
        """Withdraw or offer the template, choose the version new renders use."""
        user = person_of(request)
        require_manage(user)
        template = self.get_object()
        asked = Standing(data=request.data)
        asked.is_valid(raise_exception=True)
        wished = dict(asked.validated_data)
        with at_version(template, version_said(request, wished), user=user):
            if "version" in wished:
                make_current(version_numbered(template, wished["version"]), user=user)
            if "offered" in wished:
                set_offered(template, offered=wished["offered"], user=user)

    def _version(self, number: int | str) -> WorkflowTemplateVersion:
        return version_numbered(self.get_object(), int(number))
