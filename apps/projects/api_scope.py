"""Views of the API that show each person their projects only; rows of others look absent."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import mixins, serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from apps.accounts.models import User
from apps.projects.models import Membership, Project
from apps.projects.selectors import projects_for, scoped

M = TypeVar("M", bound=Model)


class ScopedViewSet(GenericViewSet[M]):
    """Rows of the person's projects. ``project_path`` leads from the row to its project."""

    project_path = "project"

    def get_queryset(self) -> QuerySet[M]:
        return scoped(super().get_queryset(), self.request.user, path=self.project_path)


class ScopedRead(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet[M]):
    """A list of the rows, and each by its key."""


class MemberOrStaff(BasePermission):
    """What the whole farm shares (nodes, templates, presets) is shown to whoever works with it."""

    message = "This takes a membership in at least one project."

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        if not isinstance(user, User):
            return False
        return user.is_staff or user.is_superuser or Membership.objects.filter(user=user).exists()


class ProjectCode(serializers.SlugRelatedField[Project]):
    """A project of the person's by its code. Other projects do not exist here."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="code", queryset=Project.objects.all(), **kwargs)

    def get_queryset(self) -> QuerySet[Project]:
        return projects_for(self.context["request"].user)
