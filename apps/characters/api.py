"""Characters with their costumes, to read."""

from __future__ import annotations

from rest_framework import serializers

from apps.characters.models import Character, CharacterLora, Costume
from apps.common import filters
from apps.projects.api_scope import ScopedRead


class CostumeSerializer(serializers.ModelSerializer[Costume]):
    """What a character can wear."""

    class Meta:
        model = Costume
        fields = ("name", "prompt", "prompt_ko")
        read_only_fields = fields


class LoraSerializer(serializers.ModelSerializer[CharacterLora]):
    """A LoRA that knows the character, for one base model."""

    trigger_words = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = CharacterLora
        fields = ("base_model", "file", "expert", "weight", "trigger_words")
        read_only_fields = fields


class CharacterSerializer(serializers.ModelSerializer[Character]):
    """Someone in the film."""

    project = serializers.CharField(source="project.code", read_only=True)
    default_costume = serializers.CharField(
        source="default_costume.name", read_only=True, default=None, allow_null=True
    )
    costumes = CostumeSerializer(many=True, read_only=True)
    loras = LoraSerializer(many=True, read_only=True)

    class Meta:
        model = Character
        fields = (
            "id",
            "project",
            "code",
            "name",
            "name_ko",
            "description",
            "description_ko",
            "negative",
            "age",
            "gender",
            "use_lora",
            "default_costume",
            "costumes",
            "loras",
            "archived",
        )
        read_only_fields = fields


class CharacterFilter(filters.ByProject):
    """By project code."""

    class Meta:
        model = Character
        fields = ("archived",)


class CharacterViewSet(ScopedRead[Character]):
    """The characters of your projects."""

    queryset = (
        Character.objects.select_related("project", "default_costume")
        .prefetch_related("costumes", "loras")
        .order_by("project__code", "code")
    )
    serializer_class = CharacterSerializer
    filterset_class = CharacterFilter
