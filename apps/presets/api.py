"""The cinematic preset library, to read."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.common import filters
from apps.presets.models import CinematicPreset
from apps.projects.api_scope import MemberOrStaff


class PresetSerializer(serializers.ModelSerializer[CinematicPreset]):
    """One option. ``ref`` (category/slug) is how a shot names it."""

    ref = serializers.SerializerMethodField()
    category = serializers.CharField(source="category.slug", read_only=True)
    category_name = serializers.CharField(source="category.name", read_only=True)
    exclusive = serializers.BooleanField(
        source="category.exclusive", read_only=True, help_text="At most one of its category per shot"
    )
    params = serializers.DictField(read_only=True)

    class Meta:
        model = CinematicPreset
        fields = (
            "id",
            "ref",
            "category",
            "category_name",
            "exclusive",
            "slug",
            "name",
            "name_ko",
            "channel",
            "prompt_fragment",
            "negative_fragment",
            "params",
        )
        read_only_fields = fields

    def get_ref(self, preset: CinematicPreset) -> str:
        """Category and slug."""
        return f"{preset.category.slug}/{preset.slug}"


class PresetFilter(filters.FilterSet):
    """By the category's slug and by channel."""

    category = filters.CharFilter(field_name="category__slug")

    class Meta:
        model = CinematicPreset
        fields = ("channel",)


class PresetViewSet(ReadOnlyModelViewSet[CinematicPreset]):
    """The presets that may be chosen, in the library's order."""

    queryset = (
        CinematicPreset.objects.filter(archived=False)
        .select_related("category")
        .order_by("category__order", "order", "pk")
    )
    serializer_class = PresetSerializer
    filterset_class = PresetFilter
    permission_classes = (IsAuthenticated, MemberOrStaff)
