"""Projects, to read and to set."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common.api_versions import IF_MATCH, Versioned
from apps.common.strict import OneOf, Strict
from apps.projects.api_changes import Revisable
from apps.projects.models import MOST_HANDLES, Membership, Project
from apps.projects.roles import Act, Role
from apps.projects.selectors import may_not_open
from apps.projects.services import create_project, update_project


class ProjectSerializer(serializers.ModelSerializer[Project]):
    """A film. ``role`` is yours in it. Sizes in pixels, fps in frames per second.

    ``frame_rate`` says the same exactly: "24000/1001". ``handles``: frames a new shot gets on each side.
    """

    fps = serializers.FloatField(read_only=True)
    frame_rate = serializers.CharField(read_only=True)

    role = serializers.SerializerMethodField()

    class Meta:
        model = Project
        fields: tuple[str, ...] = (
            "id",
            "code",
            "name",
            "name_ko",
            "description",
            "fps",
            "frame_rate",
            "frame_start",
            "handles",
            "start_timecode",
            "width",
            "height",
            "prompt_language",
            "weight",
            "paused",
            "paused_by",
            "archived",
            "row_version",
            "role",
        )
        read_only_fields = fields

    def get_role(self, project: Project) -> str:
        """A superuser has every right, hence an admin's role."""
        if self.context["request"].user.is_superuser:
            return Role.ADMIN.value
        role: str = getattr(project, "my_role", "") or ""
        return role


class ProjectSettings(Strict):
    """What a project is set to. ``fps``: 24, 23.976 or "24000/1001"; sizes in pixels."""

    name_ko = serializers.CharField(required=False, allow_blank=True, max_length=200)
    description = serializers.CharField(required=False, allow_blank=True)
    fps = serializers.CharField(required=False, max_length=60)
    frame_start = serializers.IntegerField(required=False, min_value=0, max_value=10_000_000)
    handles = serializers.IntegerField(required=False, min_value=0, max_value=MOST_HANDLES)
    start_timecode = serializers.CharField(required=False, max_length=12)
    width = serializers.IntegerField(required=False, min_value=1, max_value=65_536)
    height = serializers.IntegerField(required=False, min_value=1, max_value=65_536)
    prompt_language = OneOf(choices=[("en", "English"), ("ko", "한국어")], required=False)
    weight = serializers.IntegerField(required=False, min_value=0, max_value=1_000_000)


class NewProject(ProjectSettings):
    """A project to open. Its code stays: files and codes of jobs are named by it."""

    code = serializers.CharField(max_length=20)
    name = serializers.CharField(max_length=200)


class ProjectChange(ProjectSettings, Versioned):
    """New settings. ``handles`` are new shots'."""

    name = serializers.CharField(required=False, max_length=200)
    archived = serializers.BooleanField(required=False)


class ProjectViewSet(Revisable):
    """Your projects, by code. A project is never deleted here: put it in the archive."""

    change_form = ProjectChange
    change_act = Act.MANAGE
    http_method_names = ["get", "post", "patch", "head"]

    queryset = Project.objects.order_by("code")
    serializer_class = ProjectSerializer
    project_path = "pk"
    lookup_field = "code"
    filterset_fields = ("archived",)

    @extend_schema(request=NewProject, responses={201: ProjectSerializer})
    def create(self, request: Request) -> Response:
        """Open a project; you become its admin. It takes the permission to open projects."""
        user = person_of(request)
        if not user.has_perm("projects.add_project"):
            raise may_not_open(user)
        asked = NewProject(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        made = create_project(user=user, **asked.validated_data)
        return self.answer(self.get_queryset().get(pk=made.pk), status.HTTP_201_CREATED)

    @extend_schema(request=ProjectChange, responses=ProjectSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, code: str) -> Response:
        return self.change_asked(request)

    def change(self, row: Project, *, row_version: int, said: dict[str, Any]) -> None:
        """Change the settings."""
        update_project(row, user=person_of(self.request), row_version=row_version, **said)

    def get_queryset(self) -> QuerySet[Project]:
        mine = Membership.objects.filter(project=OuterRef("pk"), user=self.request.user.pk)
        rows: QuerySet[Project] = super().get_queryset()
        return rows.annotate(my_role=Subquery(mine.values("role")[:1]))
