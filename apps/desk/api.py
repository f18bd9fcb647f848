"""Files of takes and material for whoever holds a token."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts.person import person_of
from apps.desk import media

RANGE = OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One part: bytes=0-1023")


class AsItIs(BaseContentNegotiation):
    """The file has one form, whatever ``Accept`` says; errors are JSON."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type or ""


class ArtifactFileView(APIView):
    """Streams a file of a take of your projects."""

    content_negotiation_class = AsItIs

    @extend_schema(
        operation_id="artifact_file",
        parameters=[RANGE],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, artifact_id: UUID) -> HttpResponseBase:
        return media.send(request._request, media.stored_artifact(artifact_id, person_of(request)))


class ArchiveFileView(APIView):
    """Streams the archive of a project of yours, once it is ready."""

    content_negotiation_class = AsItIs

    @extend_schema(
        operation_id="archive_file",
        parameters=[RANGE],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, archive_id: UUID) -> HttpResponseBase:
        return media.send(request._request, media.stored_archive(archive_id, person_of(request)), fresh_s=0)


class MaterialFileView(APIView):
    """Streams a material's file, of your projects."""

    content_negotiation_class = AsItIs

    @extend_schema(
        operation_id="material_file",
        parameters=[RANGE],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, material_id: UUID) -> HttpResponseBase:
        return media.send(request._request, media.stored_material(material_id, person_of(request)))
