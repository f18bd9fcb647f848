"""Episodes, sequences and locations: list, read, create, change, delete."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.api_versions import IF_MATCH, Versioned
from apps.common.strict import Strict
from apps.productions.api.serializers import SequenceSerializer, episode_of
from apps.productions.models import Episode, Location, Sequence
from apps.productions.outline import create_location, delete_outline, update_outline
from apps.productions.services import create_episode, create_sequence
from apps.projects.api_changes import Removable
from apps.projects.api_scope import ProjectCode


class EpisodeSerializer(Strict, serializers.ModelSerializer[Episode]):
    """A part of a series, or a reel. Without a ``code`` it gets the project's next, such as EP02."""

    project = ProjectCode()
    code = serializers.CharField(max_length=20, required=False)

    class Meta:
        model = Episode
        fields = ("id", "project", "code", "name", "name_ko", "order", "row_version")
        read_only_fields = ("order", "row_version")
        validators: list[Any] = []


class LocationSerializer(Strict, serializers.ModelSerializer[Location]):
    """Where shots play. ``prompt`` is what the composer writes for it."""

    project = ProjectCode()
    code = serializers.CharField(max_length=20)

    class Meta:
        model = Location
        fields = ("id", "project", "code", "name", "name_ko", "prompt", "prompt_ko", "row_version")
        read_only_fields = ("row_version",)
        validators: list[Any] = []


class Renamed(Versioned):
    """A change of what is said of any of them."""

    code = serializers.CharField(required=False, max_length=20)
    name = serializers.CharField(required=False, max_length=200)
    name_ko = serializers.CharField(required=False, allow_blank=True, max_length=200)


class EpisodeChange(Renamed):
    """A change of an episode."""

    order = serializers.IntegerField(required=False, min_value=0, max_value=1_000_000)


class SequenceChange(EpisodeChange):
    """A change of a sequence. ``episode``: an episode's code, or null."""

    episode = serializers.CharField(required=False, allow_null=True, max_length=20)


class LocationChange(Renamed):
    """A change of a location."""

    prompt = serializers.CharField(required=False, allow_blank=True)
    prompt_ko = serializers.CharField(required=False, allow_blank=True)


class EpisodeFilter(filters.ByProject):
    """By project code."""

    class Meta:
        model = Episode
        fields: tuple[str, ...] = ()


class SequenceFilter(filters.ByProject):
    """By the codes of project and episode."""

    episode = filters.CharFilter(field_name="episode__code")

    class Meta:
        model = Sequence
        fields: tuple[str, ...] = ()


class LocationFilter(filters.ByProject):
    """By project code."""

    class Meta:
        model = Location
        fields: tuple[str, ...] = ()


class OutlineViewSet(Removable):
    """What shots stand in."""

    def change(self, row: Any, *, row_version: int, said: dict[str, Any]) -> None:
        """Change what was said."""
        if "episode" in said:
            said["episode"] = episode_of(said["episode"], row.project)
        update_outline(row, user=person_of(self.request), row_version=row_version, **said)

    def take_away(self, row: Any, *, row_version: int) -> bool:
        """Delete it, if no shot stands in it."""
        delete_outline(row, user=person_of(self.request), row_version=row_version)
        return True

    def made(self, request: Request, service: Any) -> Response:
        """Create a row by a service."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = service(user=person_of(request), **asked.validated_data)
        return self.answer(row, status.HTTP_201_CREATED)


class EpisodeViewSet(OutlineViewSet):
    """The episodes of your projects."""

    queryset = Episode.objects.select_related("project").order_by("project__code", "order", "code")
    serializer_class = EpisodeSerializer
    filterset_class = EpisodeFilter
    change_form = EpisodeChange

    @extend_schema(request=EpisodeSerializer, responses={201: EpisodeSerializer})
    def create(self, request: Request) -> Response:
        return self.made(request, create_episode)

    @extend_schema(request=EpisodeChange, responses=EpisodeSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        return self.change_asked(request)


class SequenceViewSet(OutlineViewSet):
    """The sequences of your projects."""

    queryset = Sequence.objects.select_related("project", "episode").order_by(
        "project__code", "order", "code"
    )
    serializer_class = SequenceSerializer
    filterset_class = SequenceFilter
    change_form = SequenceChange

    @extend_schema(request=SequenceSerializer, responses={201: SequenceSerializer})
    def create(self, request: Request) -> Response:
        return self.made(request, create_sequence)

    @extend_schema(request=SequenceChange, responses=SequenceSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        return self.change_asked(request)


class LocationViewSet(OutlineViewSet):
    """The locations of your projects."""

    queryset = Location.objects.select_related("project").order_by("project__code", "code")
    serializer_class = LocationSerializer
    filterset_class = LocationFilter
    change_form = LocationChange

    @extend_schema(request=LocationSerializer, responses={201: LocationSerializer})
    def create(self, request: Request) -> Response:
        return self.made(request, create_location)

    @extend_schema(request=LocationChange, responses=LocationSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        return self.change_asked(request)
