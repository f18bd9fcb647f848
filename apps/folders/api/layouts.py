"""Layouts of folders in versions, and mounts, over HTTP."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.person import person_of
from apps.common.api_versions import IF_MATCH, Versioned, version_given
from apps.common.errors import lacks_permission
from apps.folders.models import Mount, PathTemplate
from apps.folders.selectors import layout_version
from apps.folders.services.layouts import CHANGE, save_version
from apps.folders.services.mounts import CHANGE as CHANGE_MOUNT
from apps.folders.services.mounts import set_mount
from apps.projects.api_scope import MemberOrStaff


class LayoutSerializer(serializers.ModelSerializer[PathTemplate]):
    """A version of a layout. ``text``: its rules, a line each (docs/folders.md)."""

    class Meta:
        model = PathTemplate
        fields = (
            "slug",
            "number",
            "name",
            "name_ko",
            "text",
            "used_at",
            "saved_by",
            "created_at",
            "row_version",
        )
        read_only_fields = fields


class NewLayout(Versioned):
    """The next version of a layout, or the first of a new one. ``row_version``: of its newest version, unless
    the layout is new.
    """

    slug = serializers.SlugField(max_length=40)
    name = serializers.CharField(max_length=80)
    name_ko = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    text = serializers.CharField(max_length=20_000, trim_whitespace=False)


class LayoutViewSet(mixins.ListModelMixin, GenericViewSet[PathTemplate]):
    """Every version of every layout."""

    queryset = PathTemplate.objects.order_by("slug", "-number")
    serializer_class = LayoutSerializer
    permission_classes = (IsAuthenticated, MemberOrStaff)
    lookup_field = "slug"

    @extend_schema(
        responses=LayoutSerializer,
        parameters=[OpenApiParameter("version", int, description="Else the newest")],
    )
    def retrieve(self, request: Request, slug: str) -> Response:
        """One version."""
        number = request.query_params.get("version", "")
        found = layout_version(slug, int(number) if number.isdecimal() else None)
        return Response(self.get_serializer(found).data)

    @extend_schema(request=NewLayout, responses={201: LayoutSerializer}, parameters=[IF_MATCH])
    def create(self, request: Request) -> Response:
        """Write a version. What is wrong is said by line and column. Versions that are there never change."""
        user = person_of(request)
        if not user.has_perm(CHANGE):
            raise lacks_permission(user, CHANGE)
        body = NewLayout(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        version = version_given(request, said)
        made = save_version(user=user, row_version=version, **said)
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)


class MountSerializer(serializers.ModelSerializer[Mount]):
    """Where a system finds the root of what is published."""

    class Meta:
        model = Mount
        fields = ("system", "root", "row_version")
        read_only_fields = fields


class NewMount(Versioned):
    """Where it is mounted; "" takes it back. ``row_version``: unless there was none."""

    def get_fields(self) -> dict[str, Any]:
        """``root`` is a word of REST framework's own."""
        own = {"root": serializers.CharField(max_length=200, allow_blank=True)}
        return {**super().get_fields(), **own}


class MountViewSet(mixins.ListModelMixin, GenericViewSet[Mount]):
    """The studio's mounts, by system: linux, windows, mac."""

    queryset = Mount.objects.order_by("system")
    serializer_class = MountSerializer
    permission_classes = (IsAuthenticated, MemberOrStaff)
    lookup_field = "system"
    lookup_value_regex = "[a-z]+"

    @extend_schema(request=NewMount, responses={200: MountSerializer, 204: None}, parameters=[IF_MATCH])
    def update(self, request: Request, system: str) -> Response:
        """Say where a system finds what is published."""
        user = person_of(request)
        if not user.has_perm(CHANGE_MOUNT):
            raise lacks_permission(user, CHANGE_MOUNT)
        body = NewMount(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        version = version_given(request, said)
        mount = set_mount(system, said["root"], user=user, row_version=version)
        if mount is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(self.get_serializer(mount).data)
