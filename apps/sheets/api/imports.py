"""A spreadsheet over HTTP: bring it, look at its plan, confirm, take back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common.api_versions import IF_MATCH, Versioned, version_if_said, version_said
from apps.common.errors import Problem, Refused
from apps.common.parsers import BoundedJson
from apps.common.strict import OneOf, Strict
from apps.sheets.api.of_project import OfProject
from apps.sheets.models import ImportBatch, ImportRow, Work
from apps.sheets.reading import TableMapping
from apps.sheets.selectors import ONLY, plan_rows
from apps.sheets.services.asking import confirm
from apps.sheets.services.choosing import EMPTY, choose, discard
from apps.sheets.services.doing import ask
from apps.sheets.services.undoing import undo_import
from apps.sheets.services.uploading import upload


class SheetProblem(serializers.Serializer[Any]):
    """What is wrong, and what would be right."""

    field = serializers.CharField()
    value = serializers.CharField()
    message = serializers.CharField()
    code = serializers.CharField()


class SheetMapping(Strict):
    """Which sheet a table is ("": not read), and which column each of its columns is, in order."""

    sheet = serializers.CharField(allow_blank=True)
    columns = serializers.ListField(child=serializers.CharField(allow_blank=True))


class SheetImportSerializer(serializers.ModelSerializer[ImportBatch]):
    """A file brought into a project. ``work``: what the farm is doing with it now, "" for nothing.

    ``counts``: rows by outcome; ``kept_cells``: empty cells beside filled values; ``problems`` in all.
    """

    project = serializers.CharField(source="project.code")
    by = serializers.CharField(source="by.username", default=None, allow_null=True)
    tables = serializers.JSONField(help_text="What is in the file: name, headings, rows, samples")
    mapping = serializers.JSONField(help_text="Table → sheet and columns")
    options = serializers.JSONField(help_text="create, empty, sequence, left_out")
    counts = serializers.JSONField()
    problems = SheetProblem(many=True)

    class Meta:
        model = ImportBatch
        fields = (
            "id",
            "project",
            "state",
            "work",
            "done",
            "total",
            "file_name",
            "sha256",
            "bytes",
            "format",
            "kind",
            "by",
            "tables",
            "mapping",
            "options",
            "counts",
            "problems",
            "applied_at",
            "applied_by",
            "created_at",
            "row_version",
        )
        read_only_fields = fields


class PlanRowSerializer(serializers.ModelSerializer[ImportRow]):
    """A row of a plan. ``cells``: column, state (new, changed, same, kept, error), before, after, problem."""

    cells = serializers.SerializerMethodField()

    class Meta:
        model = ImportRow
        fields = ("sheet", "row", "what", "outcome", "cells")
        read_only_fields = fields

    def get_cells(self, row: ImportRow) -> list[dict[str, str]]:
        """Each cell as an object."""
        names = ("column", "state", "before", "after", "problem")
        return [dict(zip(names, cell, strict=True)) for cell in row.cells]


class SheetUpload(Strict):
    """A file: XLSX, CSV or JSON."""

    file = serializers.FileField()


class SheetChoices(Versioned):
    """What is to be taken. What is not named stays as it was chosen."""

    mapping = serializers.DictField(child=SheetMapping(), required=False)
    create = serializers.BooleanField(  # type: ignore[assignment]  # the metaclass takes fields out
        required=False, help_text="Create what is not there yet"
    )
    empty = OneOf(choices=EMPTY, required=False, help_text="What an empty cell does to a filled value")
    sequence = serializers.CharField(
        required=False, allow_blank=True, max_length=20, help_text="That of shots without one"
    )
    left_out = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2),
        required=False,
        help_text='Rows not to be taken: [["Shots", "12"]]',
    )

    def validate_left_out(self, value: list[list[str]]) -> list[list[Any]]:
        """Table and row number each."""
        if not all(number.isdecimal() for _table, number in value):
            raise serializers.ValidationError('write table and row number each: [["Shots", "12"]]')
        return [[table, int(number)] for table, number in value]


class SheetImportViewSet(OfProject):
    """Imports of a project, the newest first."""

    parser_classes = (BoundedJson, MultiPartParser)
    serializer_class = SheetImportSerializer

    @extend_schema(responses=SheetImportSerializer(many=True))
    def list(self, request: Request, code: str) -> Response:
        """What was brought into this project. Takes the right to plan."""
        rows = ImportBatch.objects.filter(project=self.planned()).select_related("project", "by")
        page: Any = self.paginate_queryset(rows.order_by("-created_at", "-pk"))  # type: ignore[arg-type]  # rows, typed for any model
        return self.get_paginated_response(SheetImportSerializer(page, many=True).data)

    @extend_schema(request={"multipart/form-data": SheetUpload}, responses={201: SheetImportSerializer})
    def create(self, request: Request, code: str) -> Response:
        """Bring a file (multipart). Its columns are guessed, the dry run is begun; read it to see how far."""
        project = self.planned()
        asked = SheetUpload(data=request.data)
        asked.is_valid(raise_exception=True)
        file = asked.validated_data["file"]
        batch = upload(project, file, name=file.name, user=person_of(request))
        ask(batch, Work.PLAN)
        return self._answer(batch, status.HTTP_201_CREATED)

    @extend_schema(responses=SheetImportSerializer)
    def retrieve(self, request: Request, code: str, batch_id: UUID) -> Response:
        """Where an import stands."""
        return self._answer(self._batch(batch_id))

    @extend_schema(request=SheetChoices, responses=SheetImportSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, code: str, batch_id: UUID) -> Response:
        """Say which column is which and what is to be taken; the dry run is made again."""
        batch = self._batch(batch_id)
        asked = SheetChoices(data=request.data)
        asked.is_valid(raise_exception=True)
        told = dict(asked.validated_data)
        version, mapping = version_said(request, told), told.pop("mapping", None)
        if mapping is not None:
            told["mapping"] = {
                name: TableMapping(one["sheet"], tuple(one["columns"])) for name, one in mapping.items()
            }
        choose(batch, user=person_of(request), row_version=version, **told)
        return self._answer(batch)

    @extend_schema(
        responses=PlanRowSerializer(many=True),
        parameters=[
            OpenApiParameter("only", str, description="changes, errors, or an outcome", enum=sorted(ONLY)),
            OpenApiParameter("sheet", str, description="Rows of this table"),
            OpenApiParameter("limit", int),
            OpenApiParameter("offset", int),
        ],
    )
    @action(detail=False)
    def rows(self, request: Request, code: str, batch_id: UUID) -> Response:
        """The plan, row by row: what is new, what changes from what to what, what is wrong."""
        only = request.query_params.get("only", "")
        if only and only not in ONLY:
            told = f"choose one of {', '.join(ONLY)}"
            raise Refused(Problem("only", only, told, code="unknown_choice"))
        rows = plan_rows(self._batch(batch_id), only=only, sheet=request.query_params.get("sheet", ""))
        page: Any = self.paginate_queryset(rows)  # type: ignore[arg-type]  # rows, typed for any model
        return self.get_paginated_response(PlanRowSerializer(page, many=True).data)

    @extend_schema(request=Versioned, responses=SheetImportSerializer, parameters=[IF_MATCH])
    @action(detail=False, methods=["post"])
    def confirm(self, request: Request, code: str, batch_id: UUID) -> Response:
        """Write the plan, all or nothing. What somebody changed since the dry run is told in problems.

        With ``row_version``: of the import whose plan was looked at; 409 if somebody chose otherwise since.
        """
        batch = self._batch(batch_id)
        confirm(batch, user=person_of(request), row_version=version_if_said(request))
        return self._answer(batch)

    @extend_schema(request=None, responses=SheetImportSerializer)
    @action(detail=False, methods=["post"])
    def undo(self, request: Request, code: str, batch_id: UUID) -> Response:
        """Take the whole import back. 409 names what somebody changed since."""
        batch = self._batch(batch_id)
        undo_import(batch, user=person_of(request))
        return self._answer(batch)

    @extend_schema(request=None, responses=SheetImportSerializer)
    @action(detail=False, methods=["post"])
    def discard(self, request: Request, code: str, batch_id: UUID) -> Response:
        """Lay it aside."""
        batch = self._batch(batch_id)
        discard(batch, user=person_of(request))
        return self._answer(batch)

    def _batch(self, batch_id: UUID) -> ImportBatch:
        rows = ImportBatch.objects.filter(project=self.planned()).select_related("project", "by")
        batch = rows.filter(pk=batch_id).first()
        if batch is None:
            raise NotFound
        return batch

    def _answer(self, batch: ImportBatch, code: int = status.HTTP_200_OK) -> Response:
        batch.refresh_from_db()
        return Response(SheetImportSerializer(batch).data, status=code)
