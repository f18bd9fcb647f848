"""What is read and done within one project."""

from __future__ import annotations

from typing import Any

from apps.accounts.person import person_of
from apps.projects.api_scope import ScopedViewSet
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require


class OfProject(ScopedViewSet[Project]):
    """What belongs to one project of the person's."""

    serializer_class: Any = None

    queryset = Project.objects.all()
    lookup_field = "code"
    project_path = "pk"
    filter_backends = ()

    def planned(self) -> Project:
        """The project, for somebody who plans it."""
        project: Project = self.get_object()
        require(person_of(self.request), Act.PLAN, project)
        return project
