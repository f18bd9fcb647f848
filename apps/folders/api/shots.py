"""Shots with the paths of their folders."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.folders.api.paths import PathsSerializer, WithPaths, located
from apps.productions.api import ShotViewSet
from apps.productions.api.serializers import ShotSerializer
from apps.productions.models import Shot


class FolderedShotSerializer(ShotSerializer):
    """A shot. ``paths``: its folder on each system. ``frames`` and ``handles`` count at the project's fps;
    presets are category/slug. Send ``row_version`` back with a change.
    """

    paths = serializers.SerializerMethodField()

    class Meta(ShotSerializer.Meta):
        fields = (*ShotSerializer.Meta.fields, "paths")
        read_only_fields = fields

    @extend_schema_field(PathsSerializer)
    def get_paths(self, shot: Shot) -> dict[str, str | None]:
        """On each system."""
        known = located(self)
        return known.paths(known.folder_of_shot(shot))


class FolderedShotViewSet(WithPaths[Shot], ShotViewSet):
    """The shots of your projects, in the film's order."""

    queryset = ShotViewSet.queryset.select_related("sequence__episode")
    serializer_class = FolderedShotSerializer
