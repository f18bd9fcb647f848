"""A project's plan handed out over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from apps.accounts.person import person_of
from apps.common.errors import Problem, Refused
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.sheets.api.of_project import OfProject
from apps.sheets.exporting import Discipline, export
from apps.sheets.handing import handed_over
from apps.sheets.models import Format


class _Unnegotiated(DefaultContentNegotiation):
    """``format`` says which file is wanted, not how REST framework writes its answers."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class ExportViewSet(OfProject):
    """A project's plan as a file."""

    content_negotiation_class = _Unnegotiated
    pagination_class = None
    serializer_class = serializers.Serializer

    @extend_schema(
        parameters=[
            OpenApiParameter("format", str, enum=list(Format.values), description="xlsx by default"),
            OpenApiParameter(
                "discipline",
                str,
                enum=[one for one in Discipline.values if one],
                description="All by default",
            ),
            OpenApiParameter("shots", str, description="Only these, by full code: SQ010_SH0010,SQ010_SH0020"),
        ],
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    def retrieve(self, request: Request, code: str) -> HttpResponse:
        """The plan as XLSX, CSV (several sheets: a ZIP) or JSON. Imported again, it changes nothing."""
        project: Project = self.get_object()
        format_ = _choice(request, "format", Format.values, Format.XLSX.value)
        discipline = _choice(request, "discipline", Discipline.values, "")
        shots = _shots(project, request.query_params["shots"]) if "shots" in request.query_params else None
        return handed_over(
            export(project, user=person_of(request), format=format_, discipline=discipline, shots=shots)
        )


def _choice(request: Request, name: str, known: list[str], otherwise: str) -> str:
    value = request.query_params.get(name, otherwise)
    if value not in known:
        told = f"choose one of {', '.join(filter(None, known))}"
        raise Refused(Problem(name, value, told, code="unknown_choice"))
    return value


def _shots(project: Project, told: str) -> set[UUID]:
    names = {name.strip() for name in told.split(",") if name.strip()}
    rows = Shot.objects.filter(project=project).values_list("pk", "sequence__code", "code")
    found = {f"{sequence}_{code}": pk for pk, sequence, code in rows}
    problems = [
        Problem("shots", name, "there is no such shot in this project", code="unknown_shot")
        for name in sorted(names - found.keys())
    ]
    if problems:
        raise Refused(*problems)
    return {found[name] for name in names}
