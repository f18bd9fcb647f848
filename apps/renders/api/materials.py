"""Material of shots, sequences and films: list it, bring it, name it otherwise, take it away."""

from __future__ import annotations

from collections.abc import Sequence as Rows
from typing import Any, TypeVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.api_versions import IF_MATCH, Versioned, version_of, version_said
from apps.common.strict import OneOf, Strict
from apps.materials.models import Material, MaterialKind
from apps.materials.selectors import of_owner, usable_by
from apps.materials.services import add_material, change_material
from apps.productions.models import Sequence, Shot
from apps.projects.api_history import Historied
from apps.projects.api_scope import ScopedRead, ScopedViewSet
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.renders.services.material import remove_material
from apps.review.states import Media

M = TypeVar("M", Project, Sequence, Shot)


class MaterialSerializer(serializers.ModelSerializer[Material]):
    """A file of a shot, of a sequence (shot null), or of the whole film (both null).

    ``state``: jobs are given what is ready. Pixels, frames and seconds are 0 or null where there are none,
    and until a video or sound was decoded. The file itself: ``/api/v1/materials/ID/file``.
    """

    project = serializers.CharField(source="project.code", read_only=True)
    sequence = serializers.CharField(source="sequence.code", read_only=True, default=None, allow_null=True)
    shot = serializers.CharField(source="shot.full_code", read_only=True, default=None, allow_null=True)
    kind = serializers.ChoiceField(choices=MaterialKind.choices, read_only=True)
    state = serializers.ChoiceField(choices=Media.choices, read_only=True)
    added_by = serializers.CharField(
        source="added_by.username", read_only=True, default=None, allow_null=True
    )

    class Meta:
        model = Material
        fields = (
            "id",
            "project",
            "sequence",
            "shot",
            "kind",
            "name",
            "medium",
            "media_type",
            "bytes",
            "sha256",
            "width",
            "height",
            "frames",
            "fps",
            "seconds",
            "state",
            "problem",
            "added_by",
            "created_at",
            "row_version",
        )
        read_only_fields = fields


class MaterialUpload(Strict):
    """A picture (at most 20 MB), a video or a sound (30 MB). Without a ``kind``, name and bytes decide."""

    file = serializers.FileField()
    kind = OneOf(choices=MaterialKind.choices, required=False)
    name = serializers.CharField(required=False, max_length=120, help_text="Else the file's own.")


class MaterialChange(Versioned):
    """Another name, another kind. The file never changes."""

    name = serializers.CharField(required=False, max_length=120)
    kind = OneOf(choices=MaterialKind.choices, required=False)


class MaterialFilter(filters.ByProject):
    """By project code, shot and sequence (ids), kind and state."""

    shot = filters.UUIDFilter(field_name="shot")
    sequence = filters.UUIDFilter(field_name="sequence")
    kind = filters.ChoiceFilter(choices=MaterialKind.choices)
    state = filters.ChoiceFilter(choices=Media.choices)

    class Meta:
        model = Material
        fields: tuple[str, ...] = ()


class MaterialViewSet(Historied, ScopedRead[Material]):
    """The material of your projects, the newest first."""

    queryset = (
        Material.objects.filter(removed_at=None)
        .select_related("project", "sequence", "shot__sequence", "added_by")
        .order_by("-created_at", "-pk")
    )
    serializer_class = MaterialSerializer
    filterset_class = MaterialFilter
    shot_path = "shot"

    @extend_schema(request=MaterialChange, responses=MaterialSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        """Rename it, or say that it is of another kind."""
        material = self.get_object()
        asked = self.asked(MaterialChange, of=material, act=Act.PLAN)
        version = version_said(request, asked)
        change_material(material, user=person_of(request), row_version=version, **asked)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=Versioned, responses={204: None}, parameters=[IF_MATCH])
    def destroy(self, request: Request, pk: str) -> Response:
        """Take it away, unless a job that is not done needs it. The file of what was used stays."""
        material = self.get_object()
        self.require(Act.PLAN, material)
        remove_material(material, user=person_of(request), row_version=version_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class _MaterialOf(ScopedViewSet[M]):
    """What belongs to one row, and the door for more."""

    parser_classes = (MultiPartParser,)
    pagination_class = None
    filter_backends = ()

    def get_serializer_class(self) -> type[Any]:
        return MaterialSerializer

    def materials_of(self, owner: M) -> Rows[Material]:
        """What is told of a row's material, in order."""
        return list(of_owner(owner).select_related("project", "sequence", "shot__sequence"))

    @extend_schema(responses=MaterialSerializer(many=True))
    def list(self, request: Request, **_: Any) -> Response:
        """All of it, by kind and name."""
        return Response(MaterialSerializer(self.materials_of(self.get_object()), many=True).data)

    @extend_schema(request=MaterialUpload, responses={201: MaterialSerializer, 200: MaterialSerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Bring a file (multipart). 201: kept; 200: the very same was there already."""
        owner = self.get_object()
        asked = self.asked(MaterialUpload, of=owner, act=Act.PLAN)
        added = add_material(
            owner,
            asked["file"],
            kind=asked.get("kind", ""),
            name=asked.get("name", ""),
            user=person_of(request),
        )
        code = status.HTTP_201_CREATED if added.created else status.HTTP_200_OK
        return Response(MaterialSerializer(added.material).data, status=code)


class ShotMaterialViewSet(_MaterialOf[Shot]):
    """A shot's material, and what it can use of its sequence's and its film's."""

    queryset = Shot.objects.select_related("project", "sequence")
    shot_path = "pk"

    def materials_of(self, owner: Shot) -> Rows[Material]:
        return usable_by([owner])[owner.pk]


class SequenceMaterialViewSet(_MaterialOf[Sequence]):
    """Material that every shot of a sequence can use."""

    queryset = Sequence.objects.select_related("project")


class ProjectMaterialViewSet(_MaterialOf[Project]):
    """Material that every shot of a film can use."""

    queryset = Project.objects.all()
    lookup_field = "code"
    project_path = "pk"
