"""The farm as a whole over HTTP: what is paused, what is limited, and projects with their pause."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from apps.accounts.person import person_of
from apps.common.api_versions import IF_MATCH, Versioned, version_of, version_said
from apps.common.strict import OneOf, Strict
from apps.ledger.services.versions import at_version
from apps.projects.api import ProjectSerializer, ProjectViewSet
from apps.projects.api_scope import MemberOrStaff
from apps.projects.roles import Act
from apps.renders.holding import Use, uses
from apps.renders.models import Hold, Limit
from apps.renders.services import holds
from apps.renders.services.limits import LimitFields, delete_limit, require_setting, save_limit


class HoldSerializer(serializers.ModelSerializer[Hold]):
    """Something that is paused. ``scope``: "farm", or a tier in GB."""

    class Meta:
        model = Hold
        fields = ("scope", "by", "reason", "created_at")
        read_only_fields = fields


class HoldRequest(Strict):
    """What to pause."""

    scope = OneOf(choices=[(scope, scope) for scope in holds.SCOPES])
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)


class HoldViewSet(mixins.ListModelMixin, GenericViewSet[Hold]):
    """What is paused on the whole farm. No row: nothing is."""

    queryset = Hold.objects.order_by("scope")
    serializer_class = HoldSerializer
    permission_classes = (IsAuthenticated, MemberOrStaff)
    lookup_field = "scope"
    lookup_value_regex = "[a-z0-9]+"

    @extend_schema(request=HoldRequest, responses={201: HoldSerializer, 200: HoldSerializer})
    def create(self, request: Request) -> Response:
        """Pause the farm or a tier. 200: it was paused already, and stays as it was."""
        user = person_of(request)
        holds.require_holding(user)
        body = HoldRequest(data=request.data)
        body.is_valid(raise_exception=True)
        made = holds.hold(user=user, **body.validated_data)
        row = Hold.objects.get(scope=body.validated_data["scope"])
        answer = status.HTTP_201_CREATED if made else status.HTTP_200_OK
        return Response(HoldSerializer(row).data, status=answer)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, scope: str) -> Response:
        """Let the farm or a tier go on. It is no error if it was not paused."""
        holds.release(scope, user=person_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class LimitSerializer(serializers.ModelSerializer[Limit]):
    """At most ``most`` jobs of these templates at once; ``in_flight`` are now."""

    templates = serializers.SerializerMethodField()
    in_flight = serializers.SerializerMethodField()

    class Meta:
        model = Limit
        fields = ("id", "name", "most", "templates", "in_flight", "note", "row_version")
        read_only_fields = fields

    def get_templates(self, limit: Limit) -> list[str]:
        """Slugs."""
        return list(self._use(limit).templates)

    def get_in_flight(self, limit: Limit) -> int:
        """Jobs that a node has, or that are on their way to one."""
        return self._use(limit).in_flight

    def _use(self, limit: Limit) -> Use:
        use: Use = self.context["uses"][limit.pk]
        return use


class LimitRequest(Versioned):
    """A limit. ``templates`` by slug; ``most`` 0 lets none start."""

    name = serializers.SlugField(max_length=50)
    most = serializers.IntegerField(min_value=0, max_value=100_000)
    templates = serializers.ListField(child=serializers.CharField(max_length=80), min_length=1)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200)


class LimitViewSet(ReadOnlyModelViewSet[Limit]):
    """The limits of the farm, with their present use."""

    queryset = Limit.objects.order_by("name")
    serializer_class = LimitSerializer
    permission_classes = (IsAuthenticated, MemberOrStaff)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self._shown(*(page or ())))

    @extend_schema(responses=LimitSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(self._shown(self.get_object())[0])

    @extend_schema(request=LimitRequest, responses={201: LimitSerializer})
    def create(self, request: Request) -> Response:
        """Make a limit; it counts from the next tick, and what renders goes on."""
        said = self._said(request, "add")
        said.pop("row_version", None)
        made = save_limit(Limit(), cast(LimitFields, said), user=person_of(request))
        return Response(self._shown(made)[0], status=status.HTTP_201_CREATED)

    @extend_schema(request=LimitRequest(partial=True), responses=LimitSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a limit."""
        limit, said, user = self.get_object(), self._said(request, "change"), person_of(request)
        with at_version(limit, version_said(request, said), user=user):
            save_limit(limit, cast(LimitFields, said), user=user)
        return Response(self._shown(self.get_object())[0])

    @extend_schema(request=Versioned, responses={204: None}, parameters=[IF_MATCH])
    def destroy(self, request: Request, pk: str) -> Response:
        """Take a limit away."""
        limit, user = self.get_object(), person_of(request)
        require_setting(user, "delete")
        with at_version(limit, version_of(request), user=user):
            delete_limit(limit, user=user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _said(self, request: Request, deed: str) -> dict[str, Any]:
        require_setting(person_of(request), deed)
        body = LimitRequest(data=request.data, partial=deed == "change")
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def _shown(self, *limits: Limit) -> Any:
        context = {**self.get_serializer_context(), "uses": {use.limit.pk: use for use in uses(limits)}}
        return LimitSerializer(limits, many=True, context=context).data


class ProjectPause(Strict):
    """Hold back, or let go on."""

    paused = serializers.BooleanField()
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)


class SteeredProjectViewSet(ProjectViewSet):
    """Your projects, by code."""

    @extend_schema(request=ProjectPause, responses=ProjectSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, code: str) -> Response:
        """Hold every job of the project back, or let them go on. What a node already has goes on."""
        project = self.get_object()
        asked = self.asked(ProjectPause, of=project, act=Act.MANAGE)
        holds.pause_project(project, user=person_of(request), **asked)
        return Response(self.get_serializer(self.get_object()).data)
