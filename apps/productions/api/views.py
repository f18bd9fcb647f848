"""Sequences and shots: list, read, create, change."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.filters import SearchFilter
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.errors import Conflict, Problem, Refused
from apps.presets.api.serializers import LookSerializer
from apps.presets.models import Look
from apps.presets.selectors import seen_by
from apps.productions.api.presets import KeepLookBody, look_answer
from apps.productions.api.serializers import (
    NewShot,
    SequenceSerializer,
    ShotChange,
    ShotDetail,
    ShotSerializer,
    StatusChange,
    continued_of,
    location_of,
    part_from,
)
from apps.productions.editing import create_full_shot, update_shot
from apps.productions.models import Sequence, Shot, ShotPreset
from apps.productions.preset_looks import look_from_shot, wearing
from apps.productions.services import create_sequence, move_shot_status
from apps.productions.states import SHOT
from apps.projects.api_scope import ScopedRead
from apps.projects.roles import Act

IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description='The ETag you read, such as "3"; or send row_version',
)


class SequenceFilter(filters.ByProject):
    """By project code."""

    class Meta:
        model = Sequence
        fields: tuple[str, ...] = ()


class SequenceViewSet(ScopedRead[Sequence]):
    """The sequences of your projects."""

    queryset = Sequence.objects.select_related("project", "episode").order_by(
        "project__code", "order", "code"
    )
    serializer_class = SequenceSerializer
    filterset_class = SequenceFilter

    @extend_schema(request=SequenceSerializer, responses={201: SequenceSerializer})
    def create(self, request: Request) -> Response:
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        sequence = create_sequence(user=person_of(request), **asked.validated_data)
        return Response(self.get_serializer(sequence).data, status=status.HTTP_201_CREATED)


class ShotFilter(filters.ByProject):
    """By the codes of project and sequence, by status, by a preset (category/slug), by a look they wear."""

    sequence = filters.CharFilter(field_name="sequence__code")
    preset = filters.CharFilter(method="with_preset")
    look = filters.UUIDFilter(method="with_look")
    status = filters.ChoiceFilter(field_name="status_id", choices=[(state, state) for state in SHOT.states])
    studio_status = filters.CharFilter(field_name="studio_status_id")

    class Meta:
        model = Shot
        fields: tuple[str, ...] = ()

    def with_preset(self, shots: QuerySet[Shot], name: str, ref: str) -> QuerySet[Shot]:
        category, _slash, slug = ref.partition("/")
        used = ShotPreset.objects.filter(preset__category__slug=category, preset__slug=slug)
        return shots.filter(Exists(used.filter(shot=OuterRef("pk"))))

    def with_look(self, shots: QuerySet[Shot], name: str, key: UUID) -> QuerySet[Shot]:
        look = seen_by(Look.objects.all(), self.request.user).filter(pk=key).first()
        return wearing(shots, look) if look else shots.none()


class ShotViewSet(ScopedRead[Shot]):
    """The shots of your projects, in the film's order."""

    queryset = (
        Shot.objects.select_related("project", "sequence", "location", "continuity_from__sequence")
        .prefetch_related(
            "casting__character", "casting__costume", "shot_presets__preset__category", "assignees"
        )
        .order_by("project__code", "sequence__order", "order", "code", "pk")
    )
    serializer_class = ShotSerializer
    filterset_class = ShotFilter
    shot_path = "pk"
    filter_backends = (filters.FilterBackend, SearchFilter)
    search_fields = ("code", "sequence__code", "description", "description_ko", "dialogue")

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._answer(self.get_object())

    @extend_schema(request=NewShot, responses={201: ShotSerializer})
    def create(self, request: Request) -> Response:
        asked = NewShot(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        project, said = asked.validated_data.pop("project"), _said(asked.validated_data)
        if "location" in said:
            said["location"] = location_of(said["location"], project.pk)
        if "continuity_from" in said:
            said["continuity_from"] = continued_of(said["continuity_from"], project.pk)
        shot = create_full_shot(user=person_of(request), **said)
        return self._answer(self.get_queryset().get(pk=shot.pk), status.HTTP_201_CREATED)

    @extend_schema(request=ShotChange, responses=ShotSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        shot = self.get_object()
        said = _said(self.asked(ShotChange, of=shot, act=Act.PLAN))
        version = _version(request, said.pop("row_version", None))
        if "location" in said:
            said["location"] = location_of(said["location"], shot.project_id)
        if "continuity_from" in said:
            said["continuity_from"] = continued_of(said["continuity_from"], shot.project_id)
        update_shot(shot, user=person_of(request), row_version=version, **said)
        return self._answer(self.get_object())

    @extend_schema(request=StatusChange, responses=ShotSerializer)
    @action(detail=True, methods=["post"], url_path="status")
    def move(self, request: Request, pk: str) -> Response:
        """Move the shot to another status, as far as its machine allows."""
        shot = self.get_object()
        asked = self.asked(StatusChange, of=shot, act=Act.VIEW)  # what it takes depends on where it goes
        if not move_shot_status(shot, user=person_of(request), **asked):
            told = _("somebody else moved this shot just now; read it again")
            raise Conflict(Problem("to", asked["to"], told, code="stale"))
        return self._answer(self.get_object())

    def _answer(self, shot: Shot, http_status: int = status.HTTP_200_OK) -> Response:
        headers = {"ETag": f'"{shot.row_version}"'}
        data = ShotDetail(shot, context=self.get_serializer_context()).data
        return Response(data, status=http_status, headers=headers)

    @extend_schema(request=KeepLookBody, responses={201: LookSerializer})
    @action(detail=True, methods=["post"])
    def look(self, request: Request, pk: str) -> Response:
        """Keep the shot's presets as a look of its project."""
        shot = self.get_object()
        asked = self.asked(KeepLookBody, of=shot, act=Act.PLAN)
        return look_answer(look_from_shot(shot, user=person_of(request), **asked))


def _said(data: dict[str, Any]) -> dict[str, Any]:
    said = dict(data)
    if "casting" in said:
        said["casting"] = [part_from(part) for part in said["casting"]]
    return said


def _version(request: Request, in_body: int | None) -> int:
    """Which version the caller read: by If-Match, else in the body."""
    header = request.headers.get("If-Match", "").removeprefix("W/").strip('"')
    if header.isdecimal():
        return int(header)
    if in_body is not None:
        return in_body
    told = _("send the row_version you read, in the body or as If-Match, so that nobody's change is lost")
    raise Refused(Problem("row_version", header, told, code="required"))
