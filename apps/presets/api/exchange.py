"""The library as a file over HTTP."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.person import person_of
from apps.common.errors import Problem, Refused
from apps.common.strict import OneOf, Strict
from apps.presets.api.serializers import Scope
from apps.presets.services.exchange import bring_in, export
from apps.presets.services.papers import KINDS, read_paper
from apps.projects.api_scope import MemberOrStaff, ProjectCode


class ImportBody(Strict):
    """A library as it was exported: ``library`` (JSON), or the text of a ``csv`` file of one kind."""

    project = ProjectCode(required=False, allow_null=True, default=None)
    library = serializers.JSONField(required=False)
    csv = serializers.CharField(required=False, trim_whitespace=False)
    kind = OneOf(choices=[(name, name) for name in KINDS], required=False, help_text="Of a csv file")
    dry_run = serializers.BooleanField(required=False, default=False)


class ImportedRow(serializers.Serializer[Any]):
    """A row that is new or says something else: column → [before, after]."""

    kind = serializers.CharField()
    name = serializers.CharField()
    new = serializers.BooleanField()
    changes = serializers.DictField()


class ImportAnswer(serializers.Serializer[Any]):
    """What an import did, or would do. ``batch``: in activity; null for a dry run."""

    changes = ImportedRow(many=True)
    unchanged = serializers.IntegerField()
    batch = serializers.UUIDField(allow_null=True)


class ExportView(APIView):
    """The library as a file."""

    permission_classes = (IsAuthenticated, MemberOrStaff)

    @extend_schema(
        parameters=[
            OpenApiParameter("project", str, description="A project's own rows; left out: the studio's"),
            OpenApiParameter(
                "kind", str, enum=list(KINDS), description="One kind, as CSV; left out: JSON of all"
            ),
        ],
        responses={(200, "application/json"): OpenApiTypes.STR, (200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponse:
        """Take the library out; importing it again changes nothing."""
        scope = Scope(
            data={"project": request.query_params.get("project") or None}, context={"request": request}
        )
        scope.is_valid(raise_exception=True)
        text, name = export(scope.validated_data["project"], kind=request.query_params.get("kind", ""))
        return HttpResponse(
            text,
            content_type=f"{'text/csv' if name.endswith('.csv') else 'application/json'}; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


class ImportView(APIView):
    """A library brought in."""

    permission_classes = (IsAuthenticated, MemberOrStaff)

    @extend_schema(request=ImportBody, responses=ImportAnswer)
    def post(self, request: Request) -> Response:
        """Make and change rows as a file says, all or none; ``dry_run`` writes nothing."""
        body = ImportBody(data=request.data, context={"request": request})
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        if ("library" in asked) is ("csv" in asked):
            raise Refused(Problem("library", "", _("send either library or csv"), code="required"))
        content = asked["csv"] if "csv" in asked else json.dumps(asked["library"])
        paper = read_paper(content.encode(), kind=asked.get("kind", ""))
        done = bring_in(paper, asked["project"], user=person_of(request), dry_run=asked["dry_run"])
        if done.problems:
            raise Refused(*done.problems)
        return Response(ImportAnswer(done).data)
