"""What was changed by whom, over HTTP: activity, the history of one object, restoring, undoing."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.strict import Strict
from apps.ledger.models import Activity, Batch
from apps.ledger.selectors import history_of
from apps.ledger.services.undoing import Left, plan_undo
from apps.projects.api_scope import MemberOrStaff, ScopedViewSet
from apps.projects.history import activity_for, batches_for, bring_back, restore, undo_batch
from apps.projects.models import Project


class Newest(CursorPagination):
    """Pages by cursor: none is slower than the first, however many rows there are."""

    page_size = 50
    page_size_query_param = limit_query_param = "limit"
    offset_query_param = CursorPagination.cursor_query_param
    max_page_size = 500
    ordering = "-id"


class ActivitySerializer(serializers.ModelSerializer[Activity]):
    """A change of one object. ``changes``: field → [before, after]; ``version``: its row_version then."""

    changes = serializers.DictField(child=serializers.ListField(), read_only=True)

    class Meta:
        model = Activity
        fields = (
            *("id", "at", "actor", "verb", "kind", "object_id", "label", "project"),
            *("changes", "version", "batch", "request_id"),
        )
        read_only_fields = fields


class OfProject(filters.FilterSet):
    """By the project's code."""

    project = filters.CharFilter(method="of_project", label="The project's code")

    def of_project(self, rows: QuerySet[Any], _name: str, code: str) -> QuerySet[Any]:
        """Narrow to one project; a code that is none of a project gives nothing."""
        return rows.filter(project__in=Project.objects.filter(code=code).values("pk"))


class ActivityFilter(OfProject):
    """By project, person, kind of object, object, what was done, bulk change, and time."""

    since = filters.DateTimeFilter(field_name="at", lookup_expr="gte")
    until = filters.DateTimeFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = Activity
        fields = ("actor", "kind", "object_id", "verb", "batch")


class ActivityViewSet(mixins.ListModelMixin, GenericViewSet[Activity]):
    """What people changed in your projects, newest first."""

    queryset = Activity.objects.all()
    serializer_class = ActivitySerializer
    pagination_class = Newest
    filterset_class = ActivityFilter
    permission_classes = (IsAuthenticated, MemberOrStaff)

    def get_queryset(self) -> QuerySet[Activity]:
        return activity_for(person_of(self.request))

    @extend_schema(operation_id="activity_restore", request=None, responses=ActivitySerializer)
    @action(detail=True, methods=["post"], url_path="restore")
    def bring_back(self, request: Request, pk: str) -> Response:
        """Make again what this activity deleted, under its key, as it was; the answer is that activity.

        It takes the right to make such an object. 409: it stands there again.
        """
        made = bring_back(self.get_object(), user=person_of(request))
        return Response(self.get_serializer(made).data)


class BulkSerializer(serializers.ModelSerializer[Batch]):
    """Many changes made in one go. ``undoes``: the one that this one took back."""

    class Meta:
        model = Batch
        fields = ("id", "project", "at", "actor", "verb", "title", "undoes")
        read_only_fields = fields


class LeftSerializer(serializers.Serializer[Left]):
    """What an undo leaves alone, and why; without fields it is the object as a whole."""

    kind = serializers.CharField()
    name = serializers.CharField(source="label")
    fields_left = serializers.ListField(child=serializers.CharField(), source="fields")
    why = serializers.CharField()


class UndoSerializer(serializers.Serializer[Any]):
    """What an undo changed, or would: so many objects, all but those that are left alone."""

    batch = serializers.UUIDField(
        allow_null=True, help_text="The undo, a bulk change itself; null in a preview"
    )
    changed = serializers.IntegerField()
    left = LeftSerializer(many=True)


class UndoForm(Strict):
    """``overwrite``: put back also what somebody changed since."""

    overwrite = serializers.BooleanField(required=False, default=False)


class BulkFilter(OfProject):
    """By project and person."""

    class Meta:
        model = Batch
        fields = ("actor", "verb")


class BulkViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Batch]):
    """Imports, bulk changes and undos in your projects, newest first."""

    queryset = Batch.objects.all()
    serializer_class = BulkSerializer
    pagination_class = Newest
    filterset_class = BulkFilter
    permission_classes = (IsAuthenticated, MemberOrStaff)

    def get_queryset(self) -> QuerySet[Batch]:
        return batches_for(person_of(self.request))

    @extend_schema(responses=UndoSerializer)
    @action(detail=True, methods=["get"], url_path="undo")
    def preview(self, request: Request, pk: str) -> Response:
        """Say what taking this back would change, and what it would leave alone."""
        plan = plan_undo(self.get_object())
        told = {"batch": None, "changed": plan.count, "left": plan.left}
        return Response(UndoSerializer(told).data)

    @extend_schema(request=UndoForm, responses=UndoSerializer)
    @preview.mapping.post
    def undo(self, request: Request, pk: str) -> Response:
        """Take this back: its author may, and whoever manages the project. Undo the undo to have it again."""
        form = UndoForm(data=request.data)
        form.is_valid(raise_exception=True)
        undone = undo_batch(self.get_object(), user=person_of(request), **form.validated_data)
        told = {"batch": undone.batch.pk, "changed": undone.count, "left": undone.left}
        return Response(UndoSerializer(told).data)


class Historied(ScopedViewSet[Any]):
    """Rows with a history."""

    @extend_schema(
        responses=ActivitySerializer(many=True),
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("limit", int)],
        filters=False,
    )
    @action(detail=True, methods=["get"], pagination_class=Newest, filter_backends=())
    def history(self, request: Request, **_key: Any) -> Response:
        """Who changed what of it, newest first, field by field."""
        row = self.get_object()
        pages = Newest()
        page = pages.paginate_queryset(history_of(type(row), row.pk), request, view=self)
        return pages.get_paginated_response(ActivitySerializer(page or [], many=True).data)

    @extend_schema(
        request=None,
        parameters=[OpenApiParameter("activity_id", int, OpenApiParameter.PATH)],
    )
    @action(detail=True, methods=["post"], url_path=r"history/(?P<activity_id>[0-9]{1,18})/restore")
    def restore(self, request: Request, activity_id: str, **_key: Any) -> Response:
        """Bring it back to what it said right after this change; what has a machine (a status) stays."""
        row = self.get_object()
        activity = history_of(type(row), row.pk).filter(pk=int(activity_id)).first()
        if activity is None:
            raise Http404
        restore(activity, user=person_of(request))
        return Response(self.get_serializer(self.get_object()).data)
