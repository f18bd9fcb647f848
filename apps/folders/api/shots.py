"""Shots with the paths of their folders."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.folders.api.paths import PathsSerializer, WithPaths, located
from apps.productions.models import Shot
from apps.renders.api.shots import RenderedShotSerializer, RenderedShotViewSet


class FolderedShotSerializer(RenderedShotSerializer):
    """A shot. ``paths``: its folder on each system. ``stale``: takes that stand for it and are made of what
    does not go on any more. ``frames`` and ``handles`` count at the project's fps;
    presets are category/slug. Send ``row_version`` back with a change.
    """

    paths = serializers.SerializerMethodField()

    class Meta(RenderedShotSerializer.Meta):
        fields = (*RenderedShotSerializer.Meta.fields, "paths")
        read_only_fields = fields

    @extend_schema_field(PathsSerializer)
    def get_paths(self, shot: Shot) -> dict[str, str | None]:
        """On each system."""
        known = located(self)
        return known.paths(known.folder_of_shot(shot))


class FolderedShotViewSet(WithPaths[Shot], RenderedShotViewSet):
    """The shots of your projects, in the film's order."""

    queryset = RenderedShotViewSet.queryset.select_related("sequence__episode")
    serializer_class = FolderedShotSerializer
