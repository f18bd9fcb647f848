"""What the library looks like over HTTP, and what may be said of it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.common.strict import OneOf, Strict
from apps.presets.models import (
    Channel,
    CinematicPreset,
    Look,
    PresetCategory,
    PresetRule,
    RuleKind,
    Severity,
)
from apps.presets.selectors import Texts, texts_of
from apps.projects.api_scope import ProjectCode

SCOPE = "The project whose own it is; null: the studio's, in every project"


class LibrarySerializer(serializers.ModelSerializer[Any]):
    """What every row of the library says."""

    project = serializers.CharField(
        source="project.code", read_only=True, default=None, allow_null=True, help_text=SCOPE
    )


class CategorySerializer(LibrarySerializer):
    """A category. ``exclusive``: at most one of it per shot."""

    class Meta:
        model = PresetCategory
        fields = ("id", "project", "slug", "name", "name_ko", "order", "exclusive", "archived", "row_version")
        read_only_fields = fields


class PresetSerializer(LibrarySerializer):
    """One option. ``ref`` (category/slug) is how a shot names it.

    In a list of one project (``?project=``) the texts are those it is used with there.
    """

    ref = serializers.CharField(read_only=True)
    category = serializers.CharField(source="category.slug", read_only=True)
    category_name = serializers.CharField(source="category.name", read_only=True)
    exclusive = serializers.BooleanField(
        source="category.exclusive", read_only=True, help_text="At most one of its category per shot"
    )
    prompt_fragment = serializers.SerializerMethodField()
    prompt_fragment_ko = serializers.SerializerMethodField()
    negative_fragment = serializers.SerializerMethodField()
    negative_fragment_ko = serializers.SerializerMethodField()
    params = serializers.DictField(read_only=True)

    class Meta:
        model = CinematicPreset
        fields = (
            "id",
            "project",
            "ref",
            "category",
            "category_name",
            "exclusive",
            "slug",
            "name",
            "name_ko",
            "channel",
            "order",
            "prompt_fragment",
            "prompt_fragment_ko",
            "negative_fragment",
            "negative_fragment_ko",
            "params",
            "archived",
            "row_version",
        )
        read_only_fields = fields

    def _texts(self, preset: CinematicPreset) -> Texts:
        return texts_of(preset, self.context.get("overrides", {}).get(preset.pk))

    def get_prompt_fragment(self, preset: CinematicPreset) -> str:
        return self._texts(preset).prompt

    def get_prompt_fragment_ko(self, preset: CinematicPreset) -> str:
        return self._texts(preset).prompt_ko

    def get_negative_fragment(self, preset: CinematicPreset) -> str:
        return self._texts(preset).negative

    def get_negative_fragment_ko(self, preset: CinematicPreset) -> str:
        return self._texts(preset).negative_ko


class LookSerializer(LibrarySerializer):
    """A named set of presets (category/slug)."""

    presets = serializers.SerializerMethodField()

    class Meta:
        model = Look
        fields = (
            "id",
            "project",
            "slug",
            "name",
            "name_ko",
            "description",
            "description_ko",
            "order",
            "presets",
            "archived",
            "row_version",
        )
        read_only_fields = fields

    def get_presets(self, look: Look) -> list[str]:
        return [part.preset.ref for part in look.look_presets.all()]


class RuleSerializer(LibrarySerializer):
    """A rule. ``when`` and ``other`` are lines of terms (docs/presets.md says how they are written)."""

    class Meta:
        model = PresetRule
        fields = (
            "id",
            "project",
            "slug",
            "kind",
            "severity",
            "when",
            "other",
            "message",
            "message_ko",
            "order",
            "archived",
            "row_version",
        )
        read_only_fields = fields


class BrokenRule(serializers.Serializer[Any]):
    """A rule that is broken: hard ones refuse a save, the others are told. ``because``: terms that hold."""

    rule = serializers.CharField()
    severity = serializers.ChoiceField(choices=Severity.choices)
    message = serializers.CharField()
    because = serializers.ListField(child=serializers.CharField())


def _text(length: int | None = None) -> serializers.CharField:
    return serializers.CharField(required=False, allow_blank=True, max_length=length)


class Row(Strict):
    """What may be said of every row of the library."""

    order = serializers.IntegerField(required=False, min_value=0, max_value=32_767)
    archived = serializers.BooleanField(required=False)
    row_version = serializers.IntegerField(
        required=False, min_value=0, help_text="Of a change: as you read it; or send If-Match"
    )


class CategoryBody(Row):
    """A category."""

    slug = serializers.SlugField(max_length=50)
    name = serializers.CharField(max_length=80)
    name_ko = _text(80)
    exclusive = serializers.BooleanField(required=False)


class PresetBody(Row):
    """A preset. ``category`` by its slug."""

    category = serializers.CharField(max_length=50)
    slug = serializers.SlugField(max_length=80)
    name = serializers.CharField(max_length=120)
    name_ko = _text(120)
    channel = OneOf(choices=Channel.choices, required=False)
    prompt_fragment = _text()
    prompt_fragment_ko = _text()
    negative_fragment = _text()
    negative_fragment_ko = _text()
    params = serializers.DictField(required=False)


class LookBody(Row):
    """A look. ``presets`` replaces its set."""

    slug = serializers.SlugField(max_length=80, required=False)
    name = serializers.CharField(max_length=120)
    name_ko = _text(120)
    description = _text()
    description_ko = _text()
    presets = serializers.ListField(child=serializers.CharField(max_length=140))


class RuleBody(Row):
    """A rule."""

    slug = serializers.SlugField(max_length=80)
    kind = OneOf(choices=RuleKind.choices, required=False)
    severity = OneOf(choices=Severity.choices, required=False)
    when = serializers.CharField()
    other = serializers.CharField()
    message = serializers.CharField(max_length=300)
    message_ko = _text(300)


class Scope(Strict):
    """Whose row it becomes."""

    project = ProjectCode(required=False, allow_null=True, default=None, help_text=SCOPE)


class OverrideBody(Strict):
    """What a project says instead of the studio; an empty text leaves the studio's."""

    project = ProjectCode()
    prompt_fragment = _text()
    prompt_fragment_ko = _text()
    negative_fragment = _text()
    negative_fragment_ko = _text()
    hidden = serializers.BooleanField(required=False)
    row_version = serializers.IntegerField(required=False, min_value=0)


class OverrideSerializer(serializers.Serializer[Any]):
    """What a project says instead of the studio."""

    project = serializers.CharField(source="project.code")
    preset = serializers.CharField(source="preset.ref")
    prompt_fragment = serializers.CharField()
    prompt_fragment_ko = serializers.CharField()
    negative_fragment = serializers.CharField()
    negative_fragment_ko = serializers.CharField()
    hidden = serializers.BooleanField()
    row_version = serializers.IntegerField()
