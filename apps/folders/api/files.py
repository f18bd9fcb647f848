"""Published files, and takes with theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import Model, Prefetch
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common import filters
from apps.folders.api.paths import PathsSerializer, WithPaths, located
from apps.folders.models import Publication
from apps.folders.services.wanting import publish_take
from apps.folders.states import Published
from apps.projects.models import Project
from apps.renders.api.takes import RenderedTakeViewSet
from apps.review.api import TakeSerializer
from apps.review.models import Take

M = TypeVar("M", bound=Model)


class PublicationSerializer(serializers.ModelSerializer[Publication]):
    """A take's file at its published path, below the root of what is published, and on each system."""

    project = serializers.CharField(source="project.code", read_only=True)
    state = serializers.ChoiceField(choices=Published.choices, read_only=True)
    layout = serializers.CharField(source="template.__str__", read_only=True)
    paths = serializers.SerializerMethodField()

    class Meta:
        model = Publication
        fields = (
            "id",
            "project",
            "shot",
            "take",
            "stage",
            "version",
            "layout",
            "path",
            "paths",
            "state",
            "problem",
            "bytes",
            "sha256",
            "asked_by",
            "published_at",
        )
        read_only_fields = fields

    @extend_schema_field(PathsSerializer)
    def get_paths(self, publication: Publication) -> dict[str, str | None]:
        """On each system."""
        return located(self).paths(publication.path)


class PublicationFilter(filters.ByProject):
    """By project code, shot (id), take (id), stage and state."""

    shot = filters.UUIDFilter(field_name="shot")
    take = filters.UUIDFilter(field_name="take")
    state = filters.ChoiceFilter(choices=Published.choices)

    class Meta:
        model = Publication
        fields = ("stage",)


class Kept(WithPaths[M]):
    """Rows whose paths are kept with them: no layout says them again."""

    def projects_of(self, rows: Iterable[Any]) -> Iterable[Project]:
        return ()


class PublicationViewSet(Kept[Publication]):
    """What was published of your projects, by path."""

    queryset = Publication.objects.select_related("project", "template").order_by("project__code", "path")
    serializer_class = PublicationSerializer
    filterset_class = PublicationFilter


class PublishedTakeSerializer(TakeSerializer):
    """What came back. ``published``: its files, by path. ``render_seconds``: the node's time at work."""

    published = PublicationSerializer(source="publications", many=True, read_only=True)
    paths = serializers.SerializerMethodField()

    class Meta(TakeSerializer.Meta):
        fields = (*TakeSerializer.Meta.fields, "published", "paths")
        read_only_fields = fields

    @extend_schema_field(PathsSerializer)
    def get_paths(self, take: Take) -> dict[str, str | None]:
        """Of its first published file; nulls where nothing is published."""
        files = [file for file in take.publications.all() if file.state == Published.PUBLISHED]
        return located(self).paths(files[0].path if files else None)


class PublishedTakeViewSet(Kept[Take], RenderedTakeViewSet):
    """The takes of your projects, the newest first."""

    queryset = RenderedTakeViewSet.queryset.prefetch_related(
        Prefetch("publications", Publication.objects.select_related("project", "template").order_by("path"))
    )
    serializer_class = PublishedTakeSerializer

    @extend_schema(request=None, responses=PublishedTakeSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Bring the take's originals to their published paths. Twice is once; what failed is tried again."""
        take = self.get_object()
        publish_take(take, user=person_of(request))
        return Response(self.get_serializer(self.get_object()).data)
