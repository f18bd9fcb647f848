"""Who is in which shot, read and written for many shots at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.ids import uuid_in
from apps.common.strict import Strict
from apps.productions.api.serializers import PartSerializer, part_from
from apps.productions.breakdown import CAST_OF
from apps.productions.casting import ShotCast, cast_shots
from apps.productions.models import Shot
from apps.projects.api_scope import ProjectCode, ScopedViewSet


class CastingSerializer(serializers.ModelSerializer[Shot]):
    """Who is in a shot, in this order. ``locked_by``: who locked its plan, "" for nobody."""

    project = serializers.CharField(source="project.code", read_only=True)
    full_code = serializers.CharField(read_only=True)
    casting = PartSerializer(many=True, read_only=True)

    class Meta:
        model = Shot
        fields = ("id", "project", "full_code", "row_version", "locked_by", "casting")
        read_only_fields = fields


class CastingOfShot(Strict):
    """The whole cast of a shot, and the version of the shot you read. An empty list: nobody."""

    id = serializers.UUIDField()
    row_version = serializers.IntegerField(min_value=0)
    casting = PartSerializer(many=True)


class CastingBody(Strict):
    """Shots of one project and who shall be in them; shots that are not named stay as they are."""

    project = ProjectCode()
    shots = CastingOfShot(many=True)


class RecastSerializer(serializers.Serializer[Any]):
    """A shot that changed, and its version now."""

    id = serializers.UUIDField(source="shot")
    full_code = serializers.CharField(source="label")
    row_version = serializers.IntegerField()


class CastingDone(serializers.Serializer[Any]):
    """``batch`` is what /bulk-changes calls it, and takes it back by; null where nothing changed."""

    batch = serializers.UUIDField(allow_null=True)
    changed = RecastSerializer(many=True)
    unchanged = serializers.IntegerField()


class CastingFilter(filters.ByProject):
    """By the codes of project, sequence and episode, by a character, by keys of shots."""

    sequence = filters.CharFilter(field_name="sequence__code")
    episode = filters.CharFilter(field_name="sequence__episode__code")
    character = filters.CharFilter(method="with_character", help_text="Shots in which this character is")
    id = filters.CharFilter(method="of_keys", help_text="Keys of shots, with commas between them")

    class Meta:
        model = Shot
        fields: tuple[str, ...] = ()

    def with_character(self, shots: QuerySet[Shot], _name: str, code: str) -> QuerySet[Shot]:
        """Narrow to shots in which somebody is."""
        return shots.filter(casting__character__code=code)

    def of_keys(self, shots: QuerySet[Shot], _name: str, told: str) -> QuerySet[Shot]:
        """Narrow to these shots."""
        keys = [uuid_in(one.strip()) for one in told.split(",")]
        if None in keys:
            raise serializers.ValidationError({"id": _("write keys with commas between them")})
        return shots.filter(pk__in=[key for key in keys if isinstance(key, UUID)])


class CastingViewSet(mixins.ListModelMixin, ScopedViewSet[Shot]):
    """Who is in which shot."""

    queryset = (
        Shot.objects.select_related("project", "sequence")
        .prefetch_related(*CAST_OF)
        .order_by("project__code", "sequence__order", "order", "code", "pk")
    )
    serializer_class = CastingSerializer
    filterset_class = CastingFilter
    filter_backends = (filters.FilterBackend,)
    shot_path = "pk"

    @extend_schema(
        request=CastingBody,
        responses=CastingDone,
    )
    def cast(self, request: Request) -> Response:
        """Write the casts of many shots, all or nothing; one bulk change, which can be undone.

        A shot whose cast somebody changed since you read it is a conflict (409), as is nothing else that was
        changed of it; each is named, with who it was. Locked shots are refused.
        """
        body = CastingBody(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        casts = [
            ShotCast(
                shot=one["id"],
                row_version=one["row_version"],
                casting=[part_from(part) for part in one["casting"]],
            )
            for one in asked["shots"]
        ]
        return Response(CastingDone(cast_shots(asked["project"], casts, user=person_of(request))).data)
