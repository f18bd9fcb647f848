"""Shots: list, read, create, change, one or many, put in order, delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.filters import SearchFilter
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.api_versions import IF_MATCH, version_said
from apps.common.errors import Conflict, Problem
from apps.common.strict import Strict
from apps.presets.api.serializers import LookSerializer
from apps.presets.models import Look
from apps.presets.selectors import seen_by
from apps.productions.api.bulk import BulkDone, BulkUpdate, Reorder, ReorderDone
from apps.productions.api.presets import KeepLookBody, look_answer
from apps.productions.api.serializers import (
    LockBody,
    NewShot,
    ShotChange,
    ShotDetail,
    ShotSerializer,
    StatusChange,
    continued_of,
    location_of,
    part_from,
)
from apps.productions.assigning import assigned
from apps.productions.bulk import change_shots, reorder_shots
from apps.productions.editing import create_full_shot, update_shot
from apps.productions.locking import lock_shot, unlock_shot
from apps.productions.models import Shot, ShotPreset
from apps.productions.outline import delete_shot
from apps.productions.preset_looks import look_from_shot, wearing
from apps.productions.services import move_shot_status
from apps.productions.states import SHOT
from apps.projects.api_changes import Removable
from apps.projects.roles import Act
from apps.projects.selectors import may


class ShotFilter(filters.ByProject):
    """By the codes of project and sequence, by status, by a preset (category/slug), by a look, by whom."""

    assigned = filters.CharFilter(
        method="assigned_to", help_text="`me`, `none`, or a user name: whom the shot is assigned to"
    )

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

    def assigned_to(self, shots: QuerySet[Shot], _name: str, told: str) -> QuerySet[Shot]:
        """Narrow to the shots of somebody."""
        return assigned(shots, told, reader=person_of(self.request))

    def with_look(self, shots: QuerySet[Shot], name: str, key: UUID) -> QuerySet[Shot]:
        look = seen_by(Look.objects.all(), self.request.user).filter(pk=key).first()
        return wearing(shots, look) if look else shots.none()


class ShotViewSet(Removable):
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
        return self.answer(self.get_queryset().get(pk=shot.pk), status.HTTP_201_CREATED)

    @extend_schema(request=ShotChange, responses=ShotSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        shot = self.get_object()
        said = _said(self.asked(ShotChange, of=shot, act=Act.PLAN))
        version = version_said(request, said)
        if "location" in said:
            said["location"] = location_of(said["location"], shot.project_id)
        if "continuity_from" in said:
            said["continuity_from"] = continued_of(said["continuity_from"], shot.project_id)
        update_shot(shot, user=person_of(request), row_version=version, **said)
        return self.answer(self.get_object())

    @extend_schema(request=StatusChange, responses=ShotSerializer)
    @action(detail=True, methods=["post"], url_path="status")
    def move(self, request: Request, pk: str) -> Response:
        """Move the shot to another status, as far as its machine allows."""
        shot = self.get_object()
        if not may(person_of(request), Act.REVIEW, shot.project, shot=shot.pk):
            self.require(Act.PLAN, shot)  # which of the two it takes depends on where it goes
        asked = self.asked(StatusChange, of=shot, act=Act.VIEW)
        if not move_shot_status(shot, user=person_of(request), **asked):
            told = _("somebody else moved this shot just now; read it again")
            raise Conflict(Problem("to", asked["to"], told, code="stale"))
        return self.answer(self.get_object())

    @extend_schema(request=LockBody, responses=ShotSerializer)
    @action(detail=True, methods=["post"], url_path="lock")
    def lock(self, request: Request, pk: str) -> Response:
        """Lock the shot's plan, so that nobody changes it, or unlock it. Twice is once."""
        shot = self.get_object()
        locked = self.asked(LockBody, of=shot, act=Act.PLAN)["locked"]
        (lock_shot if locked else unlock_shot)(shot, user=person_of(request))
        return self.answer(self.get_object())

    def answer(self, row: Shot, http_status: int = status.HTTP_200_OK) -> Response:
        headers = {"ETag": f'"{row.row_version}"'}
        whole = ShotDetail(row, context=self.get_serializer_context())
        # What apps above say of a shot stands beside what its presets break.
        data = {**self.get_serializer(row).data, "preset_problems": whole.get_preset_problems(row)}
        return Response(data, status=http_status, headers=headers)

    @extend_schema(request=KeepLookBody, responses={201: LookSerializer})
    @action(detail=True, methods=["post"])
    def look(self, request: Request, pk: str) -> Response:
        """Keep the shot's presets as a look of its project."""
        shot = self.get_object()
        asked = self.asked(KeepLookBody, of=shot, act=Act.PLAN)
        return look_answer(look_from_shot(shot, user=person_of(request), **asked))

    def take_away(self, row: Shot, *, row_version: int) -> bool:
        """Delete a shot of which nothing was made yet."""
        delete_shot(row, user=person_of(self.request), row_version=row_version)
        return True

    @extend_schema(request=BulkUpdate, responses=BulkDone)
    @action(detail=False, methods=["post"], url_path="bulk-update", filter_backends=())
    def bulk_update(self, request: Request) -> Response:
        """Set the same values for many shots, all or nothing; one bulk change, which can be undone.

        With ``preview`` nothing is kept: the answer says what each shot would say.
        """
        asked = _body(BulkUpdate, self)
        values = dict(asked["set"])
        done = change_shots(
            asked["project"],
            {one["id"]: one["row_version"] for one in asked["shots"]},
            values,
            user=person_of(request),
            preview=asked["preview"],
        )
        return Response(BulkDone(done).data)

    @extend_schema(request=Reorder, responses=ReorderDone)
    @action(detail=False, methods=["post"], filter_backends=())
    def reorder(self, request: Request) -> Response:
        """Put shots of one sequence in this order, in the places they hold among the others."""
        asked = _body(Reorder, self)
        batch = reorder_shots(
            asked["sequence"], asked["shots"], user=person_of(request), before=asked.get("before")
        )
        return Response(ReorderDone({"batch": batch.pk if batch else None}).data)


def _body(form: type[Strict], view: Any) -> dict[str, Any]:
    body = form(data=view.request.data, context=view.get_serializer_context())
    body.is_valid(raise_exception=True)
    data: dict[str, Any] = body.validated_data
    return data


def _said(data: dict[str, Any]) -> dict[str, Any]:
    said = dict(data)
    if "casting" in said:
        said["casting"] = [part_from(part) for part in said["casting"]]
    return said
