"""Characters with their costumes and LoRAs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.characters.models import MOST_WEIGHT, Character, CharacterLora, Costume, Expert
from apps.characters.services import create_character, delete_character, update_character
from apps.common import filters
from apps.common.api_versions import IF_MATCH, Versioned
from apps.common.strict import OneOf, Strict
from apps.projects.api_changes import Removable
from apps.projects.api_scope import ProjectCode


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
        fields = ("base_model", "file", "expert", "sha256", "weight", "trigger_words")
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
            "row_version",
        )
        read_only_fields = fields


class CostumeForm(Strict):
    """A costume. One of the same name stays the costume it is, wherever it is worn."""

    name = serializers.CharField(max_length=120)
    prompt = serializers.CharField()
    prompt_ko = serializers.CharField(required=False, allow_blank=True, default="")


class LoraForm(Strict):
    """A LoRA, for one base model ("sd15", "flux", "wan22")."""

    base_model = serializers.CharField(max_length=40)
    file = serializers.CharField(max_length=255)
    expert = OneOf(choices=Expert.choices, required=False, allow_blank=True, default="")
    sha256 = serializers.RegexField(r"^[0-9a-f]{64}\Z", required=False, allow_blank=True, default="")
    weight = serializers.FloatField(required=False, min_value=0, max_value=MOST_WEIGHT, default=0.8)
    trigger_words = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, default=list
    )


class SaidOfCharacter(Strict):
    """What may be said of a character. Lists replace what was there."""

    name_ko = serializers.CharField(required=False, allow_blank=True, max_length=120)
    description = serializers.CharField(required=False, allow_blank=True)
    description_ko = serializers.CharField(required=False, allow_blank=True)
    negative = serializers.CharField(required=False, allow_blank=True)
    age = serializers.CharField(required=False, allow_blank=True, max_length=40)
    gender = serializers.CharField(required=False, allow_blank=True, max_length=40)
    use_lora = serializers.BooleanField(required=False)


class NewCharacter(SaidOfCharacter):
    """A new character. Without a ``code`` it gets the project's next, such as CH0007."""

    project = ProjectCode()
    code = serializers.CharField(max_length=20, required=False)
    name = serializers.CharField(max_length=120)


class CharacterChange(SaidOfCharacter, Versioned):
    """A change. ``default_costume``: the name of one of its costumes, or null.

    Costumes that are not in a new list go. Where shots wear one that is a conflict (409) which names them,
    unless ``undress`` says that they may lose it.
    """

    name = serializers.CharField(required=False, max_length=120)
    archived = serializers.BooleanField(required=False)
    default_costume = serializers.CharField(required=False, allow_null=True, max_length=120)
    costumes = CostumeForm(many=True, required=False)
    loras = LoraForm(many=True, required=False)
    undress = serializers.BooleanField(required=False, default=False)


class CharacterFilter(filters.ByProject):
    """By project code."""

    class Meta:
        model = Character
        fields = ("archived",)


class CharacterViewSet(Removable):
    """The characters of your projects."""

    change_form = CharacterChange

    queryset = (
        Character.objects.select_related("project", "default_costume")
        .prefetch_related("costumes", "loras")
        .order_by("project__code", "code")
    )
    serializer_class = CharacterSerializer
    filterset_class = CharacterFilter

    @extend_schema(request=NewCharacter, responses={201: CharacterSerializer})
    def create(self, request: Request) -> Response:
        asked = NewCharacter(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        made = create_character(user=person_of(request), **asked.validated_data)
        return self.answer(self.get_queryset().get(pk=made.pk), status.HTTP_201_CREATED)

    @extend_schema(request=CharacterChange, responses=CharacterSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        return self.change_asked(request)

    def change(self, row: Character, *, row_version: int, said: dict[str, Any]) -> None:
        """Change it, its costumes and LoRAs."""
        undress = said.pop("undress", False)
        user = person_of(self.request)
        update_character(row, user=user, row_version=row_version, values=said, undress=undress)

    def take_away(self, row: Character, *, row_version: int) -> bool:
        """Delete it, or put it in the archive if it is cast."""
        return delete_character(row, user=person_of(self.request), row_version=row_version)
