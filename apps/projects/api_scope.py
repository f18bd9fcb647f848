"""Views of the API that show each person their projects only; rows of others look absent."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, ClassVar, NoReturn, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy
from rest_framework import mixins, serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from apps.accounts.models import User
from apps.accounts.person import person_of
from apps.common.strict import Strict
from apps.projects.models import Project
from apps.projects.reach import OPERATES
from apps.projects.roles import Act
from apps.projects.selectors import key_at, projects_for, require, standings_of

M = TypeVar("M", bound=Model)


class ScopedViewSet(GenericViewSet[M]):
    """Rows of the person's projects. ``project_path`` leads from the row to its project, ``shot_path`` to its
    shot ("pk" where it is one), ``stage_path`` to its stage, where it is of any. What ``view_act`` Act.WATCH
    shows is the client's, too: get_queryset leaves to each what was shared with them."""

    project_path = "project"
    view_act = Act.VIEW
    shot_path = ""
    stage_path = ""

    def get_queryset(self) -> QuerySet[M]:
        rows = super().get_queryset()
        return rows.filter(**{f"{self.project_path}__in": projects_for(self.request.user, self.view_act)})

    def require(self, act: Act, of: M) -> None:
        """Raise NotAllowed unless the person may do this to this row."""
        project: Any = of if self.project_path == "pk" else _at(of, self.project_path)
        shot = key_at(of, self.shot_path) if self.shot_path else None
        stage = str(_at(of, self.stage_path)) if self.stage_path else ""
        require(person_of(self.request), act, project, shot=shot, stage=stage)

    def asked(self, form: type[Strict], *, of: M, act: Act) -> dict[str, Any]:
        """Read what is asked of a row. The role is judged first: whoever may not is told no more.

        Raises NotAllowed, or ValidationError for a body that is wrong.
        """
        self.require(act, of)
        body = form(data=self.request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        data: dict[str, Any] = body.validated_data
        return data


def _at(row: Any, path: str) -> Any:
    return attrgetter(path.replace("__", "."))(row)


class ScopedRead(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet[M]):
    """A list of the rows, and each by its key."""


class MemberOrStaff(BasePermission):
    """What the whole farm shares (nodes, templates, presets) is shown to whoever works with it."""

    message = "This takes a membership in at least one project."

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        if not isinstance(user, User):
            return False
        if user.is_superuser or any(map(user.has_perm, OPERATES)):
            return True
        standings = standings_of(user).values()
        seen = any(standing.extents(Act.VIEW) for standing in standings)
        return seen or (user.is_staff and not standings)


class ProjectCode(serializers.SlugRelatedField[Project]):
    """A project of the person's by its code. Other projects do not exist here."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "does_not_exist": gettext_lazy("no such project; yours are {known}"),
        "invalid": gettext_lazy("write a project's code; yours are {known}"),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="code", queryset=Project.objects.all(), **kwargs)

    def get_queryset(self) -> QuerySet[Project]:
        return projects_for(self.context["request"].user)

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        codes = self.get_queryset().order_by("code").values_list("code", flat=True)
        super().fail(key, known=", ".join(codes) or "–", **kwargs)
