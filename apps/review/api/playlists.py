"""Playlists: made, put in order, copied, shared; dailies; and what was said, as a table."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.api_versions import IF_MATCH, Versioned, version_of, version_said
from apps.common.errors import Problem, Refused
from apps.common.strict import Strict
from apps.productions.models import Shot
from apps.projects.api_scope import ScopedRead
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.review.api.playlist_bodies import (
    Copy,
    Dailies,
    LinkSerializer,
    NewLink,
    NewPlaylist,
    OfProject,
    Order,
    PlaylistChange,
    PlaylistDetail,
    PlaylistSerializer,
    TakeIds,
    TakesNamed,
)
from apps.review.models import Playlist, PlaylistKind, Take
from apps.review.noted import notes_csv
from apps.review.selectors import playlists_for, takes_of_shots
from apps.review.services.dailies import make_dailies
from apps.review.services.playlists import (
    add_takes,
    create_playlist,
    delete_playlist,
    duplicate,
    remove_takes,
    reorder,
    update_playlist,
)
from apps.review.services.sharing import create_link, revoke_link


class PlaylistFilter(filters.ByProject):
    """By project code, kind and day."""

    kind = filters.ChoiceFilter(choices=PlaylistKind.choices)

    class Meta:
        model = Playlist
        fields = ("day", "for_clients")


class PlaylistViewSet(ScopedRead[Playlist]):
    """The playlists of your projects, the newest first."""

    queryset = Playlist.objects.select_related("project").order_by("-created_at", "-pk")
    serializer_class = PlaylistSerializer
    filterset_class = PlaylistFilter
    view_act = Act.WATCH

    def get_queryset(self) -> QuerySet[Playlist]:
        rows = playlists_for(self.request.user, super().get_queryset())
        counted: QuerySet[Playlist] = rows.annotate(take_count=Count("items"))
        return counted

    @extend_schema(responses=PlaylistDetail)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._answer(self.get_object())

    @extend_schema(request=NewPlaylist, responses={201: PlaylistDetail})
    def create(self, request: Request) -> Response:
        body = NewPlaylist(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        made = create_playlist(
            project=asked["project"],
            user=person_of(request),
            name=asked["name"],
            description=asked["description"],
            for_clients=asked["for_clients"],
            takes=_takes(asked["project"], asked),
        )
        return self._answer(made, status.HTTP_201_CREATED)

    @extend_schema(request=PlaylistChange, responses=PlaylistDetail)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change name, description or who sees it. 409: it changed since ``row_version``."""
        playlist = self.get_object()
        asked = self.asked(PlaylistChange, of=playlist, act=Act.REVIEW)
        update_playlist(playlist, user=person_of(request), **asked)
        return self._answer(playlist)

    @extend_schema(request=Versioned, responses={204: None}, parameters=[IF_MATCH])
    def destroy(self, request: Request, pk: str) -> Response:
        """Take the playlist away; its takes and their notes stay."""
        playlist = self.get_object()
        self.require(Act.REVIEW, playlist)
        delete_playlist(playlist, user=person_of(request), row_version=version_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=TakesNamed, responses=PlaylistDetail)
    @action(detail=True, methods=["post"])
    def add(self, request: Request, pk: str) -> Response:
        """Put takes behind those that are there; one that is there already stays where it is."""
        playlist = self.get_object()
        asked = self.asked(TakesNamed, of=playlist, act=Act.REVIEW)
        add_takes(playlist, _takes(playlist.project, asked), user=person_of(request))
        return self._answer(playlist)

    @extend_schema(request=TakeIds, responses=PlaylistDetail)
    @action(detail=True, methods=["post"])
    def remove(self, request: Request, pk: str) -> Response:
        """Take takes out of it."""
        playlist = self.get_object()
        asked = self.asked(TakeIds, of=playlist, act=Act.REVIEW)
        remove_takes(playlist, asked["takes"], user=person_of(request))
        return self._answer(playlist)

    @extend_schema(request=Order, responses=PlaylistDetail, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def order(self, request: Request, pk: str) -> Response:
        """Put its takes into another order. 409: it changed since the version you read."""
        playlist = self.get_object()
        asked = self.asked(Order, of=playlist, act=Act.REVIEW)
        version = version_said(request, asked)
        reorder(playlist, user=person_of(request), row_version=version, **asked)
        return self._answer(playlist)

    @extend_schema(request=Copy, responses={201: PlaylistDetail})
    @action(detail=True, methods=["post"])
    def duplicate(self, request: Request, pk: str) -> Response:
        """Copy it with its order."""
        playlist = self.get_object()
        asked = self.asked(Copy, of=playlist, act=Act.REVIEW)
        return self._answer(duplicate(playlist, user=person_of(request), **asked), status.HTTP_201_CREATED)

    @extend_schema(request=OfProject, responses=Dailies, filters=False)
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def dailies(self, request: Request) -> Response:
        """Make today's dailies of a project, or add what came since to them."""
        body = OfProject(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        made, new = make_dailies(body.validated_data["project"], user=person_of(request))
        shown = PlaylistSerializer(self.get_queryset().get(pk=made.pk), context=self.get_serializer_context())
        return Response({"playlist": shown.data, "new": new})

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    @action(detail=True, methods=["get"], url_path="notes.csv", filterset_class=None)
    def notes(self, request: Request, pk: str) -> HttpResponse:
        """What was said about its takes, as a table for a spreadsheet."""
        return notes_csv(self.get_object(), person_of(request))

    @extend_schema(request=NewLink, responses={200: LinkSerializer(many=True), 201: LinkSerializer})
    @action(detail=True, methods=["get", "post"], pagination_class=None, filterset_class=None)
    def links(self, request: Request, pk: str) -> Response:
        """The client links of the playlist, for those who may make them; or make another."""
        playlist, context = self.get_object(), self.get_serializer_context()
        if request.method == "GET":
            self.asked(Strict, of=playlist, act=Act.REVIEW)
            return Response(LinkSerializer(playlist.links.all(), many=True, context=context).data)
        asked = self.asked(NewLink, of=playlist, act=Act.REVIEW)
        link = create_link(playlist, user=person_of(request), **asked)
        return Response(LinkSerializer(link, context=context).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=LinkSerializer)
    @action(detail=True, methods=["post"], url_path=r"links/(?P<link>[0-9a-f-]{36})/revoke")
    def revoke(self, request: Request, pk: str, link: str) -> Response:
        """End a client link, and every address given by it, at once."""
        playlist = self.get_object()
        found = get_object_or_404(playlist.links.select_related("playlist__project"), pk=UUID(link))
        revoke_link(found, user=person_of(request))
        found.refresh_from_db()
        return Response(LinkSerializer(found, context=self.get_serializer_context()).data)

    def _answer(self, playlist: Playlist, code: int = status.HTTP_200_OK) -> Response:
        rows = Playlist.objects.select_related("project").annotate(take_count=Count("items"))
        whole = rows.prefetch_related("items__take__shot__sequence").get(pk=playlist.pk)
        return Response(PlaylistDetail(whole, context=self.get_serializer_context()).data, status=code)


def _takes(project: Project, asked: dict[str, Any]) -> list[Take]:
    """The takes that are named, in that order. Raises Refused for one that is not in the project."""
    keys = asked.get("takes") or []
    rows = {
        take.pk: take
        for take in Take.objects.filter(project=project, pk__in=keys).select_related("shot__sequence")
    }
    lost = [key for key in keys if key not in rows]
    if lost:
        raise Refused(
            Problem("takes", str(lost[0]), _("no such take in this project"), code="does_not_exist")
        )
    named = [rows[key] for key in keys]
    codes = asked.get("shots") or []
    if not codes:
        return named
    if "stage" not in asked:
        raise Refused(Problem("stage", "", _("say of which stage the shots' takes are"), code="required"))
    shots = shots_by_code(project, codes)
    return named + list(takes_of_shots(shots, stage=asked["stage"], which=asked["which"]))


def shots_by_code(project: Project, codes: list[str]) -> list[UUID]:
    """The keys of shots named by full code (SQ010_SH0040). Raises Refused for one there is not."""
    wanted = [code.strip().partition("_")[::2] for code in codes]
    rows = Shot.objects.filter(
        project=project,
        sequence__code__in={sequence for sequence, _code in wanted},
        code__in={code for _sequence, code in wanted},
    ).values_list("sequence__code", "code", "pk")
    found = {(sequence, code): pk for sequence, code, pk in rows}
    for said, pair in zip(codes, wanted, strict=True):
        if pair not in found:
            raise Refused(Problem("shots", said, _("no such shot in this project"), code="does_not_exist"))
    return [found[pair] for pair in wanted]
