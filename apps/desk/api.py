"""Files and the stream of events, for whoever holds a token."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import Throttled
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts.person import person_of
from apps.desk import media
from apps.desk.stream.following import follow
from apps.desk.stream.hub import FULL_S, is_full
from apps.desk.stream.readers import reader_of
from farm.handover import hand_over

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


class EventsView(APIView):
    """Tells what changes in your projects, as it changes."""

    content_negotiation_class = AsItIs

    @extend_schema(
        operation_id="events",
        description=(
            "Server-sent events. `hello` opens the stream; `missed` says that something may have happened "
            "that it does not tell. `changed` says what changed: `kind` (job, take, shot, node, …), "
            "`project` (null: the farm's), `ids`, the ids they are part of (`within`: batch, shot), or "
            "`many`, and then no ids. `away`: nothing is heard for a while, look yourself. It holds keys "
            "only: read what they stand for at their own addresses. A stream ends with the token or session "
            "it was opened with."
        ),
        parameters=[
            OpenApiParameter("Last-Event-ID", str, OpenApiParameter.HEADER, description="Go on after this"),
            OpenApiParameter("after", str, description="The same, for whoever cannot set headers"),
        ],
        responses={(200, "text/event-stream"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        reader = reader_of(request)
        if is_full(reader.person):
            raise Throttled(FULL_S)
        after = request.headers.get("Last-Event-ID") or request.query_params.get("after", "")
        answer = HttpResponse(f"retry: {FULL_S * 1000}\n\n", content_type="text/event-stream")
        answer["Cache-Control"] = "no-store, no-transform"
        answer["X-Accel-Buffering"] = "no"
        if request.method == "GET":
            hand_over(request._request, partial(follow, reader, after))
        return answer
