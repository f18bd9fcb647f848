"""Categories, presets, looks and rules: list, read, make, change, archive, delete."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.api_versions import (
    IF_MATCH,
    Versioned,
    etag,
    version_if_said,
    version_of,
    version_said,
)
from apps.common.errors import Problem, Refused
from apps.common.strict import Strict
from apps.presets.api.serializers import (
    CategoryBody,
    CategorySerializer,
    LookBody,
    LookSerializer,
    OverrideBody,
    OverrideSerializer,
    PresetBody,
    PresetSerializer,
    RuleBody,
    RuleSerializer,
    Scope,
)
from apps.presets.models import (
    CinematicPreset,
    Look,
    LookPreset,
    PresetCategory,
    PresetOverride,
    PresetRule,
)
from apps.presets.selectors import overrides_in, seen_by
from apps.presets.services.choosing import category_named
from apps.presets.services.editing import (
    add_row,
    change_row,
    delete_row,
    duplicate_row,
    require_library,
    set_archived,
)
from apps.presets.services.looks import change_look, create_look
from apps.presets.services.overriding import forget_override, override_preset
from apps.projects.api_scope import MemberOrStaff
from apps.projects.models import Project
from apps.projects.selectors import projects_for

Row = TypeVar("Row", PresetCategory, CinematicPreset, Look, PresetRule)
OF_PROJECT = OpenApiParameter("project", str, description="The project's code")


class LibraryFilter(filters.FilterSet):
    """``project``: what stands in this project, the studio's rows and its own. ``archived``: left out
    unless asked for."""

    project = filters.CharFilter(method="in_project")
    archived = filters.BooleanFilter()

    def in_project(self, rows: QuerySet[Any], name: str, code: str) -> QuerySet[Any]:
        film = projects_for(self.request.user).filter(code=code)
        return rows.filter(project=None) | rows.filter(project__in=film)


class PresetFilter(LibraryFilter):
    """By the category's slug and by channel; of one project also without what it hides."""

    category = filters.CharFilter(field_name="category__slug")

    class Meta:
        model = CinematicPreset
        fields = ("channel",)

    def in_project(self, rows: QuerySet[Any], name: str, code: str) -> QuerySet[Any]:
        film = projects_for(self.request.user).filter(code=code)
        hidden = PresetOverride.objects.filter(preset=OuterRef("pk"), project__in=film, hidden=True)
        return super().in_project(rows, name, code).exclude(Exists(hidden))


class LibraryViewSet(ReadOnlyModelViewSet[Any], Generic[Row]):
    """The studio's rows, and those of your projects. A project's own take the right to plan it; the studio's
    take Django's permission."""

    permission_classes = (IsAuthenticated, MemberOrStaff)
    filterset_class: Any = LibraryFilter
    body_class: type[Strict]
    model: Any

    def get_queryset(self) -> QuerySet[Any]:
        rows = seen_by(super().get_queryset(), self.request.user)
        unasked = self.action == "list" and "archived" not in self.request.query_params
        return rows.filter(archived=False) if unasked else rows

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.answer(self.get_object())

    def make(self) -> Response:
        """Answer a POST of a new row."""
        project = self._scope()
        said = self._said()
        said.pop("row_version", None)
        return self.answer(self.made(project, said), status.HTTP_201_CREATED)

    def change(self) -> Response:
        """Answer a PATCH."""
        row = self.get_object()
        require_library(person_of(self.request), row.project, type(row), "change")
        said = self._said(partial=True)
        version = version_said(self.request, said)
        return self.answer(self.changed(row, version, said))

    def made(self, project: Project | None, said: dict[str, Any]) -> Any:
        """Make the row that a body describes."""
        return add_row(self.model(project=project, **said), user=person_of(self.request))

    def changed(self, row: Any, version: int, said: dict[str, Any]) -> Any:
        """Change a row as a body says."""
        return change_row(row, user=person_of(self.request), row_version=version, **said)

    @extend_schema(request=Versioned, responses={204: None}, parameters=[IF_MATCH])
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a row that nothing uses; archive the others."""
        row = self.get_object()
        require_library(person_of(request), row.project, type(row), "delete")
        delete_row(row, user=person_of(request), row_version=version_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: str) -> Response:
        """Offer it no more; shots keep it."""
        return self._archived(True)

    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Offer it again."""
        return self._archived(False)

    @extend_schema(request=Scope)
    @action(detail=True, methods=["post"])
    def duplicate(self, request: Request, pk: str) -> Response:
        """Copy it beside itself, or into a project."""
        row = self.get_object()
        project = self._scope() if request.data else row.project
        copy = duplicate_row(row, user=person_of(request), project=project)
        return self.answer(copy, status.HTTP_201_CREATED)

    def answer(self, row: Any, http_status: int = status.HTTP_200_OK) -> Response:
        """The row as it is now, with its version."""
        fresh = self.get_queryset().get(pk=row.pk)
        return Response(self.get_serializer(fresh).data, status=http_status, headers=etag(fresh))

    def _archived(self, archived: bool) -> Response:
        row = self.get_object()
        set_archived([row], archived, user=person_of(self.request))
        return self.answer(row)

    def _scope(self) -> Project | None:
        """The project a new row is of. Whoever may not is told no more."""
        sent = self.request.data if isinstance(self.request.data, dict) else {}
        scope = Scope(data={"project": sent.get("project")}, context=self.get_serializer_context())
        scope.is_valid(raise_exception=True)
        project: Project | None = scope.validated_data["project"]
        require_library(person_of(self.request), project, self.model, "add")
        return project

    def _said(self, *, partial: bool = False) -> dict[str, Any]:
        sent = self.request.data
        if isinstance(sent, dict) and not partial:
            sent = {key: value for key, value in sent.items() if key != "project"}
        body = self.body_class(data=sent, partial=partial)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)


class CategoryViewSet(LibraryViewSet[PresetCategory]):
    """Categories of presets, in their order."""

    queryset = PresetCategory.objects.select_related("project").order_by("order", "slug", "pk")
    model = PresetCategory
    serializer_class = CategorySerializer
    body_class = CategoryBody

    @extend_schema(request=CategoryBody, responses={201: CategorySerializer})
    def create(self, request: Request) -> Response:
        return self.make()

    @extend_schema(request=CategoryBody(partial=True), responses=CategorySerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        return self.change()


class PresetViewSet(LibraryViewSet[CinematicPreset]):
    """The presets, in the library's order."""

    queryset = CinematicPreset.objects.select_related("project", "category").order_by(
        "category__order", "order", "pk"
    )
    model = CinematicPreset
    serializer_class = PresetSerializer
    body_class = PresetBody
    filterset_class = PresetFilter

    def get_serializer_context(self) -> dict[str, Any]:
        context = dict(super().get_serializer_context())
        code = self.request.query_params.get("project", "") if self.action == "list" else ""
        films = list(projects_for(self.request.user).filter(code=code).values_list("pk", flat=True))
        if code and films:
            context["overrides"] = {preset: row for (_project, preset), row in overrides_in(films).items()}
        return context

    @extend_schema(request=PresetBody, responses={201: PresetSerializer})
    def create(self, request: Request) -> Response:
        return self.make()

    @extend_schema(request=PresetBody(partial=True), responses=PresetSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        return self.change()

    def made(self, project: Project | None, said: dict[str, Any]) -> Any:
        category = category_named(said.pop("category"), project.pk if project else None)
        return super().made(project, said | {"category": category})

    def changed(self, row: Any, version: int, said: dict[str, Any]) -> Any:
        if "category" in said:
            said["category"] = category_named(said["category"], row.project_id)
        return super().changed(row, version, said)

    @extend_schema(request=OverrideBody, responses=OverrideSerializer, methods=["PUT"])
    @extend_schema(
        request=Versioned, parameters=[OF_PROJECT, IF_MATCH], responses={204: None}, methods=["DELETE"]
    )
    @action(detail=True, methods=["put", "delete"])
    def override(self, request: Request, pk: str) -> Response:
        """Let one project say something else, or hide the preset there; take that back (?project=)."""
        preset = self.get_object()
        if request.method == "DELETE":
            code = request.query_params.get("project", "")
            scope = Scope(data={"project": code or None}, context=self.get_serializer_context())
            scope.is_valid(raise_exception=True)
            if scope.validated_data["project"] is None:
                raise Refused(Problem("project", "", _("name the project"), code="required"))
            project, user = scope.validated_data["project"], person_of(request)
            forget_override(preset, project=project, user=user, row_version=version_if_said(request))
            return Response(status=status.HTTP_204_NO_CONTENT)
        body = OverrideBody(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        row = override_preset(preset, user=person_of(request), **body.validated_data)
        return Response(OverrideSerializer(row).data, headers=etag(row))


class LookViewSet(LibraryViewSet[Look]):
    """Looks: named sets of presets."""

    queryset = (
        Look.objects.select_related("project")
        .prefetch_related(
            Prefetch("look_presets", LookPreset.objects.select_related("preset__category").order_by("order"))
        )
        .order_by("order", "slug", "pk")
    )
    model = Look
    serializer_class = LookSerializer
    body_class = LookBody

    @extend_schema(request=LookBody, responses={201: LookSerializer})
    def create(self, request: Request) -> Response:
        return self.make()

    @extend_schema(request=LookBody(partial=True), responses=LookSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        return self.change()

    def made(self, project: Project | None, said: dict[str, Any]) -> Any:
        said.pop("archived", None)
        return create_look(project=project, user=person_of(self.request), **said)

    def changed(self, row: Any, version: int, said: dict[str, Any]) -> Any:
        return change_look(row, user=person_of(self.request), row_version=version, **said)


class RuleViewSet(LibraryViewSet[PresetRule]):
    """Rules for presets, in their order."""

    queryset = PresetRule.objects.select_related("project").order_by("order", "slug", "pk")
    model = PresetRule
    serializer_class = RuleSerializer
    body_class = RuleBody

    @extend_schema(request=RuleBody, responses={201: RuleSerializer})
    def create(self, request: Request) -> Response:
        return self.make()

    @extend_schema(request=RuleBody(partial=True), responses=RuleSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        return self.change()
