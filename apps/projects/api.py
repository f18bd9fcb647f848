"""Projects, to read."""

from __future__ import annotations

from django.db.models import OuterRef, QuerySet, Subquery
from rest_framework import serializers

from apps.projects.api_scope import ScopedRead
from apps.projects.models import Membership, Project
from apps.projects.roles import Role


class ProjectSerializer(serializers.ModelSerializer[Project]):
    """A film. ``role`` is yours in it. Sizes in pixels, fps in frames per second.

    ``frame_rate`` says the same exactly: "24000/1001". ``handles``: frames a new shot gets on each side.
    """

    fps = serializers.FloatField(read_only=True)
    frame_rate = serializers.CharField(read_only=True)

    role = serializers.SerializerMethodField()

    class Meta:
        model = Project
        fields = (
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


class ProjectViewSet(ScopedRead[Project]):
    """Your projects, by code."""

    queryset = Project.objects.order_by("code")
    serializer_class = ProjectSerializer
    project_path = "pk"
    lookup_field = "code"
    filterset_fields = ("archived",)

    def get_queryset(self) -> QuerySet[Project]:
        mine = Membership.objects.filter(project=OuterRef("pk"), user=self.request.user.pk)
        return super().get_queryset().annotate(my_role=Subquery(mine.values("role")[:1]))
