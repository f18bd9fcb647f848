"""Bring a workflow, complete what was found in it, make a template of it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.person import person_of
from apps.common.api_versions import IF_MATCH, Versioned, version_said
from apps.common.strict import Strict
from apps.projects.api_scope import MemberOrStaff
from apps.workflows.api_on_nodes import OnNodeSerializer
from apps.workflows.catalogues import RECORDED
from apps.workflows.checking import on_nodes
from apps.workflows.foundwords import in_words
from apps.workflows.models import WorkflowImport, WorkflowTemplate
from apps.workflows.saidwords import kept_in_words
from apps.workflows.services.confirming import confirm
from apps.workflows.services.importing import (
    convert_again,
    discard,
    import_file,
    keep_manifest,
)
from apps.workflows.services.managing import require_import
from apps.workflows.services.mending import connect, offers_of
from workflows.finding.draft import questions


class FindingSerializer(serializers.Serializer[Any]):
    """What is wrong, or to be known: node and input are null where the whole graph is meant."""

    node = serializers.CharField(allow_null=True)
    title = serializers.CharField(allow_null=True)
    input = serializers.CharField(allow_null=True)
    code = serializers.CharField()
    message = serializers.SerializerMethodField()
    nearest = serializers.ListField(child=serializers.CharField(), help_text="What there is")
    absent = serializers.BooleanField(help_text="Only a model file that this catalogue's server lacks")

    def get_message(self, row: dict[str, Any]) -> str:
        """In the reader's language."""
        return kept_in_words(row)


class ImportSerializer(serializers.ModelSerializer[WorkflowImport]):
    """A file somebody brought, and what was made of it so far."""

    imported_by = serializers.CharField(source="imported_by.username", default=None, allow_null=True)
    problems = FindingSerializer(many=True)
    notes = FindingSerializer(many=True)
    version = serializers.CharField(default=None, allow_null=True, help_text="What it became: SLUG vN")

    class Meta:
        model = WorkflowImport
        fields: tuple[str, ...] = (
            "id",
            "state",
            "file_name",
            "sha256",
            "bytes",
            "imported_by",
            "catalogue",
            "problems",
            "notes",
            "version",
            "created_at",
            "row_version",
        )
        read_only_fields: tuple[str, ...] = fields


class SourceSerializer(serializers.Serializer[Any]):
    """An output of the graph. ``used``: some input takes it already."""

    node = serializers.CharField()
    slot = serializers.IntegerField()
    title = serializers.CharField()
    type = serializers.CharField()
    used = serializers.BooleanField()


class OfferSerializer(serializers.Serializer[Any]):
    """An input that is missing, and the outputs that it could take: ``connect`` lets it."""

    node = serializers.CharField()
    input = serializers.CharField()
    sources = SourceSerializer(many=True)


class ImportDetail(ImportSerializer):
    """The same with its graph (API format), its manifest so far, and what that still lacks."""

    offers = serializers.SerializerMethodField()
    questions = serializers.SerializerMethodField()
    nodes = serializers.SerializerMethodField()

    class Meta(ImportSerializer.Meta):
        fields = (*ImportSerializer.Meta.fields, "graph", "manifest", "offers", "questions", "nodes")
        read_only_fields = fields

    @extend_schema_field(OfferSerializer(many=True))
    def get_offers(self, row: WorkflowImport) -> Any:
        """Absent inputs that something in the graph fits."""
        return OfferSerializer(offers_of(row), many=True).data

    def get_questions(self, row: WorkflowImport) -> list[str]:
        """What a person must still say, a sentence each."""
        return [in_words(one) for one in questions(row.manifest)] if row.manifest else []

    @extend_schema_field(OnNodeSerializer(many=True))
    def get_nodes(self, row: WorkflowImport) -> Any:
        """What each registered node lacks or refuses; empty for a very large graph."""
        return OnNodeSerializer(on_nodes(row.graph), many=True).data


class Upload(Strict):
    """A workflow as ComfyUI saved it, or a picture, film or sound it wrote."""

    file = serializers.FileField()
    catalogue = serializers.CharField(required=False, default=RECORDED, max_length=120)


class Completed(Versioned):
    """The manifest, and the imported template whose next version this is (none: a new template)."""

    manifest = serializers.JSONField()
    into = serializers.SlugRelatedField(
        slug_field="slug", queryset=WorkflowTemplate.objects.all(), required=False, allow_null=True
    )

    def validate_manifest(self, value: Any) -> dict[str, Any]:
        return _object(value)


class Kept(Versioned):
    """The manifest as far as it is filled in."""

    manifest = serializers.JSONField()

    def validate_manifest(self, value: Any) -> dict[str, Any]:
        return _object(value)


class Another(Versioned):
    """The node catalogue to convert with."""

    catalogue = serializers.CharField(max_length=120)


class Link(Strict):
    """An input of a node that is missing, and the output that it is to take."""

    node = serializers.CharField(max_length=200)
    input = serializers.CharField(max_length=200)
    output_of = serializers.CharField(max_length=200, help_text="The id of the node that gives it")
    slot = serializers.IntegerField(min_value=0, max_value=1_000, default=0)


class ImportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[WorkflowImport]):
    """Imported workflows, the newest first."""

    queryset = WorkflowImport.objects.select_related("imported_by", "version__template").order_by(
        "-created_at", "-pk"
    )
    serializer_class = ImportSerializer
    permission_classes = (IsAuthenticated, MemberOrStaff)

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        return rows.defer("graph", "manifest") if self.action == "list" else rows

    @extend_schema(responses=ImportDetail)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One import with its graph and manifest."""
        return self._answer(self.get_object())

    @extend_schema(request=Kept, responses=ImportDetail, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        """Keep a manifest that is not complete yet."""
        row = self._row(request)
        asked = _asked(Kept, request)
        version = version_said(request, asked)
        keep_manifest(row, asked["manifest"], user=person_of(request), row_version=version)
        return self._answer(row)

    @extend_schema(request=Completed, responses={201: ImportDetail}, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Make a template of it, or the next version of an imported one. Every problem is named."""
        row = self._row(request)
        asked = _asked(Completed, request)
        version, into = version_said(request, asked), asked.get("into")
        confirm(row, asked["manifest"], user=person_of(request), into=into, row_version=version)
        return self._answer(self.get_object(), status.HTTP_201_CREATED)

    @extend_schema(request=Link, responses=ImportDetail)
    @action(detail=True, methods=["post"])
    def connect(self, request: Request, pk: str) -> Response:
        """Let an input that is missing take an output of the graph; ``offers`` says which fit."""
        row = self._row(request)
        asked = _asked(Link, request)
        wish = {"name": asked["input"], "source": asked["output_of"], "slot": asked["slot"]}
        connect(row, node=asked["node"], **wish, user=person_of(request))
        return self._answer(row)

    @extend_schema(request=Another, responses=ImportDetail, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def convert(self, request: Request, pk: str) -> Response:
        """Convert the kept file again, with another node catalogue."""
        row = self._row(request)
        asked = _asked(Another, request)
        version, user = version_said(request, asked), person_of(request)
        again = convert_again(row, catalogue_name=asked["catalogue"], user=user, row_version=version)
        return self._answer(again)

    @extend_schema(request=None, responses=ImportDetail)
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: str) -> Response:
        """Lay it aside; bringing the same file again finds it."""
        discard(self._row(request), user=person_of(request))
        return self._answer(self.get_object())

    def _row(self, request: Request) -> WorkflowImport:
        """The import, for somebody who may change it: whoever may not is told no more."""
        row = self.get_object()
        require_import(person_of(request))
        return row

    def _answer(self, row: WorkflowImport, code: int = status.HTTP_200_OK) -> Response:
        return Response(ImportDetail(row, context=self.get_serializer_context()).data, status=code)


class ImportsFiles(GenericViewSet[WorkflowTemplate]):
    """The door for files, beside the templates they become."""

    @extend_schema(request=Upload, responses={201: ImportDetail, 200: ImportDetail})
    @action(detail=False, methods=["post"], url_path="import", parser_classes=(MultiPartParser,))
    def import_file(self, request: Request) -> Response:
        """Bring a file (multipart). 201: a draft, even if it cannot be converted; 200: brought before."""
        user = person_of(request)
        require_import(user)
        asked = _asked(Upload, request)
        made = import_file(
            asked["file"], name=asked["file"].name, catalogue_name=asked["catalogue"], user=user
        )
        code = status.HTTP_201_CREATED if made.created else status.HTTP_200_OK
        return Response(ImportDetail(made.row, context={"request": request}).data, status=code)


def _asked(form: type[Strict], request: Request) -> dict[str, Any]:
    body = form(data=request.data)
    body.is_valid(raise_exception=True)
    asked: dict[str, Any] = body.validated_data
    return asked


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise serializers.ValidationError("write the manifest as a JSON object")
    return value
