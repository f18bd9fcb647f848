"""The picture by which people know a project, over HTTP: see it, give one, take it away."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common.api_versions import IF_MATCH, Versioned, version_said
from apps.productions.covers import cover_url, set_cover, take_cover_away
from apps.projects.api_scope import ScopedViewSet
from apps.projects.models import Project
from apps.projects.roles import Act


class CoverAnswer(serializers.Serializer[Any]):
    """Where you, signed in, see the picture for a while ("" for none), and the project's version."""

    url = serializers.CharField()
    row_version = serializers.IntegerField()


class CoverUpload(Versioned):
    """A PNG, JPEG or WebP picture of at most 20 MB and 64 megapixels (multipart). It is kept small."""

    file = serializers.FileField()


class CoverViewSet(ScopedViewSet[Project]):
    """A project's picture. Every change names the version of the project you read."""

    queryset = Project.objects.all()
    serializer_class = CoverAnswer
    project_path = "pk"
    lookup_field = "code"
    parser_classes = (MultiPartParser, JSONParser)
    pagination_class = None
    filter_backends = ()

    @extend_schema(responses=CoverAnswer)
    def retrieve(self, request: Request, code: str) -> Response:
        """Where it is."""
        return self.answer()

    @extend_schema(request=CoverUpload, responses=CoverAnswer, parameters=[IF_MATCH])
    def put(self, request: Request, code: str) -> Response:
        """Give the project this picture, whether or not it has one."""
        project = self.get_object()
        said = self.asked(CoverUpload, of=project, act=Act.MANAGE)
        version = version_said(request, said)
        set_cover(project, said["file"], user=person_of(request), row_version=version)
        return self.answer()

    @extend_schema(request=Versioned, responses=CoverAnswer, parameters=[IF_MATCH])
    def destroy(self, request: Request, code: str) -> Response:
        """Let the project have no picture."""
        project = self.get_object()
        version = version_said(request, self.asked(Versioned, of=project, act=Act.MANAGE))
        take_cover_away(project, user=person_of(request), row_version=version)
        return self.answer()

    def answer(self) -> Response:
        """The picture as it is now."""
        project = self.get_object()
        told = {"url": cover_url(project, person_of(self.request)), "row_version": project.row_version}
        return Response(CoverAnswer(told).data, headers={"ETag": f'"{project.row_version}"'})
