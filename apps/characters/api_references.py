"""Reference pictures of characters over HTTP: list, bring, replace, name, put in order, take away."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.characters.models import Character, CharacterReference
from apps.characters.references import (
    bring_reference,
    change_reference,
    remove_reference,
    replace_reference,
)
from apps.characters.services import reference_url
from apps.common.api_versions import IF_MATCH, Versioned, version_said
from apps.projects.api_scope import ScopedViewSet
from apps.projects.roles import Act


class ReferenceSerializer(serializers.ModelSerializer[CharacterReference]):
    """A reference picture; the first one is the character's face.

    ``url``: where you, signed in, see it for a while. Size in pixels, upright.
    """

    url = serializers.SerializerMethodField()

    class Meta:
        model = CharacterReference
        fields = ("id", "title", "media_type", "bytes", "sha256", "width", "height", "url")
        read_only_fields = fields

    def get_url(self, reference: CharacterReference) -> str:
        """Signed in the reader's name."""
        return reference_url(reference.pk, person_of(self.context["request"]))


class ReferencesAnswer(serializers.Serializer[Any]):
    """A character's pictures in their order, and the character's version to send back with a change."""

    row_version = serializers.IntegerField()
    references = ReferenceSerializer(many=True)


class ReferenceFile(Versioned):
    """A PNG, JPEG or WebP picture of at most 20 MB and 64 megapixels (multipart)."""

    file = serializers.FileField()


class ReferenceUpload(ReferenceFile):
    """A new picture. ``place``: 0 makes it the face; left out, it comes last."""

    title = serializers.CharField(required=False, allow_blank=True, max_length=120)
    place = serializers.IntegerField(required=False, min_value=0, max_value=10_000)


class ReferenceChange(Versioned):
    """Another title, another place among the character's pictures: 0 makes it the face."""

    title = serializers.CharField(required=False, allow_blank=True, max_length=120)
    place = serializers.IntegerField(required=False, min_value=0, max_value=10_000)


class ReferencesViewSet(ScopedViewSet[Character]):
    """The reference pictures of a character. Every change names the version of the character you read."""

    queryset = Character.objects.select_related("project")
    serializer_class = ReferencesAnswer
    parser_classes = (MultiPartParser, JSONParser)
    pagination_class = None
    filter_backends = ()

    @extend_schema(responses=ReferencesAnswer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """All of them, the face first."""
        return self.answer()

    @extend_schema(request=ReferenceUpload, responses={201: ReferencesAnswer}, parameters=[IF_MATCH])
    def create(self, request: Request, pk: str) -> Response:
        """Bring a picture. One that is there already is not brought twice."""
        character, said, version = self._said(ReferenceUpload)
        bring_reference(character, said.pop("file"), user=person_of(request), row_version=version, **said)
        return self.answer(status.HTTP_201_CREATED)

    @extend_schema(request=ReferenceFile, responses=ReferencesAnswer, parameters=[IF_MATCH])
    def replace(self, request: Request, pk: str, reference_id: str) -> Response:
        """Put another picture in this one's place, under its title; one that is there already keeps its."""
        _character, said, version = self._said(ReferenceFile)
        reference = self._reference(reference_id)
        replace_reference(reference, said["file"], user=person_of(request), row_version=version)
        return self.answer()

    @extend_schema(request=ReferenceChange, responses=ReferencesAnswer, parameters=[IF_MATCH])
    def change(self, request: Request, pk: str, reference_id: str) -> Response:
        """Give it another title, or another place."""
        _character, said, version = self._said(ReferenceChange)
        change_reference(self._reference(reference_id), user=person_of(request), row_version=version, **said)
        return self.answer()

    @extend_schema(request=Versioned, responses=ReferencesAnswer, parameters=[IF_MATCH])
    def remove(self, request: Request, pk: str, reference_id: str) -> Response:
        """Take it away. Its file stays in the store: takes made with it may point at it."""
        _character, _said, version = self._said(Versioned)
        remove_reference(self._reference(reference_id), user=person_of(request), row_version=version)
        return self.answer()

    def answer(self, http_status: int = status.HTTP_200_OK) -> Response:
        """The pictures as they are now."""
        character = self.get_object()
        rows = CharacterReference.objects.filter(character=character).order_by("order", "created_at", "pk")
        told = {"row_version": character.row_version, "references": rows}
        data = ReferencesAnswer(told, context=self.get_serializer_context()).data
        return Response(data, status=http_status, headers={"ETag": f'"{character.row_version}"'})

    def _said(self, form: type[Versioned]) -> tuple[Character, dict[str, Any], int]:
        character = self.get_object()
        said = self.asked(form, of=character, act=Act.PLAN)
        return character, said, version_said(self.request, said)

    def _reference(self, key: str) -> CharacterReference:
        rows = CharacterReference.objects.select_related("character__project")
        return get_object_or_404(rows, pk=key, character=self.kwargs["pk"])
