"""Notes on takes: read, write, answer, correct, resolve."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.api_versions import IF_MATCH, Versioned, version_of
from apps.common.errors import Problem, Refused
from apps.common.strict import OneOf, Strict
from apps.projects.api_scope import ScopedRead
from apps.projects.roles import Act
from apps.projects.selectors import may
from apps.projects.stages import Stage
from apps.review.models import Playlist, ReviewNote, Visibility
from apps.review.numbering import number_of
from apps.review.selectors import looked_at, notes_for, playlists_for, takes_watched
from apps.review.services.noting import add_note, delete_note, edit_note, require_own, resolve_note
from apps.review.stills import still_of


class NoteSerializer(serializers.ModelSerializer[ReviewNote]):
    """A remark about a take. ``frame`` in the project's numbering; null: about all of it.

    ``drawing``: strokes {tool: pen | arrow, colour: #rrggbb, width, points: [[x, y], …]}, x and y from 0
    (left, top) to 1, width in parts of the picture's. ``mine``: whether you wrote it.
    """

    project = serializers.CharField(source="project.code", read_only=True)
    shot = serializers.CharField(source="take.shot.full_code", read_only=True)
    frame = serializers.SerializerMethodField()
    mine = serializers.SerializerMethodField()
    guest = serializers.SerializerMethodField()

    class Meta:
        model = ReviewNote
        fields = (
            "id",
            "project",
            "shot",
            "take",
            "stage",
            "playlist",
            "reply_to",
            "frame",
            "text",
            "drawing",
            "visibility",
            "author",
            "guest",
            "mine",
            "resolved_at",
            "resolved_by",
            "row_version",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_frame(self, note: ReviewNote) -> int | None:
        return number_of(note.take, note.frame)

    @extend_schema_field(serializers.BooleanField())
    def get_mine(self, note: ReviewNote) -> bool:
        return note.user_id is not None and note.user_id == self.context["request"].user.pk

    @extend_schema_field(serializers.BooleanField())
    def get_guest(self, note: ReviewNote) -> bool:
        """Whether somebody wrote it who came by a client link."""
        return note.user_id is None


class Stroke(Strict):
    """One stroke of a drawing; see NoteSerializer."""

    tool = OneOf(choices=("pen", "arrow"))
    colour = serializers.CharField()
    width = serializers.FloatField()
    points = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))


@extend_schema_field(Stroke(many=True))
class Drawing(serializers.JSONField):
    """Strokes, as they are; the service checks them to the last number."""


class NewNote(Strict):
    """A note to write. ``frame`` in the project's numbering; a drawing needs one."""

    take = serializers.UUIDField()
    text = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)
    frame = serializers.IntegerField(required=False, allow_null=True, default=None)
    drawing = Drawing(required=False, allow_null=True, default=None)
    visibility = OneOf(choices=Visibility.choices, required=False, default=str(Visibility.INTERNAL))
    reply_to = serializers.UUIDField(required=False, allow_null=True, default=None)
    playlist = serializers.UUIDField(required=False, allow_null=True, default=None)


class NoteChange(Strict):
    """What to change of a note; ``row_version`` as you read it."""

    text = serializers.CharField(required=False, allow_blank=True, max_length=4000)
    visibility = OneOf(choices=Visibility.choices, required=False)
    row_version = serializers.IntegerField()


class Resolution(Strict):
    """Whether the note is done."""

    resolved = serializers.BooleanField(required=False, default=True)


class NoteFilter(filters.ByProject):
    """By project code, take, shot and playlist (ids), department, who sees it, and whether it is open."""

    take = filters.UUIDFilter(field_name="take")
    shot = filters.UUIDFilter(field_name="take__shot")
    playlist = filters.UUIDFilter(field_name="playlist")
    stage = filters.ChoiceFilter(choices=Stage.choices)
    visibility = filters.ChoiceFilter(choices=Visibility.choices)
    open = filters.BooleanFilter(field_name="resolved_at", lookup_expr="isnull")

    class Meta:
        model = ReviewNote
        fields: tuple[str, ...] = ()


class NoteViewSet(ScopedRead[ReviewNote]):
    """The notes of your projects, the oldest first."""

    queryset = ReviewNote.objects.select_related(
        "project", "take__project", "take__shot__sequence", "take__shot__project"
    ).order_by("created_at", "pk")
    serializer_class = NoteSerializer
    view_act = Act.WATCH
    filterset_class = NoteFilter

    def get_queryset(self) -> QuerySet[ReviewNote]:
        return notes_for(self.request.user, super().get_queryset())

    @extend_schema(request=NewNote, responses={201: NoteSerializer})
    def create(self, request: Request) -> Response:
        body = NewNote(data=request.data)
        body.is_valid(raise_exception=True)
        asked = dict(body.validated_data)
        takes = looked_at(takes_watched(request.user))
        take = _one(takes, "take", asked.pop("take"))
        if asked["reply_to"] is not None:
            asked["reply_to"] = _one(self.get_queryset(), "reply_to", asked["reply_to"])
        if asked["playlist"] is not None:
            lists = playlists_for(request.user, Playlist.objects.filter(project=take.project_id))
            asked["playlist"] = _one(lists, "playlist", asked["playlist"])
        note = add_note(take, user=person_of(request), **asked)
        return self._answer(note, status.HTTP_201_CREATED)

    @extend_schema(request=NoteChange, responses=NoteSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Correct your own note: for a day, while it is open. 409: it changed since ``row_version``."""
        note = self.get_object()
        body = NoteChange(data=request.data)
        body.is_valid(raise_exception=True)
        edit_note(note, user=person_of(request), **body.validated_data)
        return self._answer(note)

    @extend_schema(request=Versioned, responses={204: None}, parameters=[IF_MATCH])
    def destroy(self, request: Request, pk: str) -> Response:
        """Take your own note away, as long as nobody has answered it."""
        note, user = self.get_object(), person_of(request)
        if not may(user, Act.MANAGE, note.project):
            require_own(note, user)
        delete_note(note, user=user, row_version=version_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=Resolution, responses=NoteSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str) -> Response:
        """Call the note done, or open it again."""
        note = self.get_object()
        body = Resolution(data=request.data)
        body.is_valid(raise_exception=True)
        resolve_note(note, user=person_of(request), resolved=body.validated_data["resolved"])
        return self._answer(note)

    @extend_schema(responses={(200, "image/png"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], filterset_class=None)
    def still(self, request: Request, pk: str) -> HttpResponse:
        """The picture the note is about, its drawing on it, as PNG. 400: there is none to be had."""
        return still_of(self.get_object())

    def _answer(self, note: ReviewNote, code: int = status.HTTP_200_OK) -> Response:
        """The note as it is now; by its key, for a client may have made it invisible to themselves."""
        now = self.queryset.get(pk=note.pk) if self.queryset is not None else note
        return Response(self.get_serializer(now).data, status=code)


def _one(rows: QuerySet[Any], field: str, key: object) -> Any:
    found = rows.filter(pk=key).first()
    if found is None:
        raise Refused(
            Problem(field, str(key), _("there is none with this id in your projects"), code="does_not_exist")
        )
    return found
