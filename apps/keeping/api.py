"""Archives of a project over HTTP: ask for one, see how far it is, fetch it, let it go."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common.strict import OneOf, Strict
from apps.keeping.models import ProjectArchive, Takes
from apps.keeping.selectors import archive_url, archives_of
from apps.keeping.services.asking import ask, discard
from apps.projects.api_scope import ScopedViewSet
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require


class ArchiveSerializer(serializers.ModelSerializer[ProjectArchive]):
    """An archive. ``done`` of ``total`` bytes of media are in it; ``url`` fetches it for a while, once ready.

    ``missing``: files that were named and are not in it, or are not what they were (MISSING.txt inside).
    """

    project = serializers.CharField(source="project.code")
    by = serializers.CharField(source="by.username", default=None, allow_null=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = ProjectArchive
        fields = (
            "id",
            "project",
            "state",
            "takes",
            "materials",
            "by",
            "created_at",
            "done",
            "total",
            "bytes",
            "sha256",
            "files",
            "missing",
            "problem",
            "finished_at",
            "expires_at",
            "file_name",
            "url",
        )
        read_only_fields = fields

    def get_url(self, archive: ProjectArchive) -> str:
        """Signed for you; "" while there is nothing to fetch."""
        return archive_url(archive, person_of(self.context["request"]))


class ArchiveWish(Strict):
    """What is to be in it. Plan, prompts, references, playlists and notes always are."""

    takes = OneOf(choices=Takes.choices, default=Takes.APPROVED.value, help_text="Whose files go along")
    materials = serializers.BooleanField(default=True, help_text="Plates, masks, sounds of shots too")


class ArchiveViewSet(ScopedViewSet[Project]):
    """Archives of a project, the newest first."""

    queryset = Project.objects.all()
    lookup_field = "code"
    project_path = "pk"
    filter_backends = ()
    serializer_class: Any = ArchiveSerializer

    @extend_schema(responses=ArchiveSerializer(many=True))
    def list(self, request: Request, code: str) -> Response:
        """What was asked for. Takes the right to plan the whole project."""
        page: Any = self.paginate_queryset(archives_of(self._planned()))  # type: ignore[arg-type]  # rows, typed for any model
        told = ArchiveSerializer(page, many=True, context={"request": request})
        return self.get_paginated_response(told.data)

    @extend_schema(request=ArchiveWish, responses={202: ArchiveSerializer})
    def create(self, request: Request, code: str) -> Response:
        """Have one written in the background; read it to see how far. 409 while another is under way."""
        project = self._planned()
        asked = self.asked(ArchiveWish, of=project, act=Act.PLAN)
        made = ask(project, user=person_of(request), **asked)
        return self._answer(made, status.HTTP_202_ACCEPTED)

    @extend_schema(responses=ArchiveSerializer)
    def retrieve(self, request: Request, code: str, archive_id: UUID) -> Response:
        """How far it is, and where it can be fetched."""
        return self._answer(self._archive(archive_id))

    @extend_schema(request=None, responses=ArchiveSerializer)
    @action(detail=False, methods=["post"])
    def discard(self, request: Request, code: str, archive_id: UUID) -> Response:
        """Cancel one that is not ready; take away the file of one that is."""
        archive = self._archive(archive_id)
        discard(archive, user=person_of(request))
        archive.refresh_from_db()
        return self._answer(archive)

    def _planned(self) -> Project:
        project: Project = self.get_object()
        require(person_of(self.request), Act.PLAN, project)
        return project

    def _archive(self, archive_id: UUID) -> ProjectArchive:
        found = archives_of(self._planned()).filter(pk=archive_id).first()
        if found is None:
            raise NotFound
        return found

    def _answer(self, archive: ProjectArchive, code: int = status.HTTP_200_OK) -> Response:
        return Response(ArchiveSerializer(archive, context={"request": self.request}).data, status=code)


__all__ = ["ArchiveViewSet"]
