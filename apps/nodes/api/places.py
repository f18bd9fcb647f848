"""Pools and schedules: list, read, make, change, delete."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from django.db.models import Model
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.accounts.person import person_of
from apps.common.api_versions import IF_MATCH, Versioned, version_of, version_said
from apps.common.errors import Problem, Refused, lacks_permission
from apps.common.strict import Strict
from apps.ledger.services.versions import at_version
from apps.nodes.api.serializers import PoolBody, PoolSerializer, ScheduleBody, ScheduleSerializer
from apps.nodes.models import Pool, Schedule
from apps.nodes.services.places import remove_pool, remove_schedule, save_pool, save_schedule
from apps.projects.api_scope import MemberOrStaff

M = TypeVar("M", bound=Model)


class FarmRows(ReadOnlyModelViewSet[M]):
    """Rows of the whole farm: members read them, Django's model permissions let somebody write."""

    permission_classes = (IsAuthenticated, MemberOrStaff)
    body_class: type[Strict]

    def said(self, verb: str, *, partial: bool = False) -> dict[str, Any]:
        """What the body says. Whoever may not write is told no more."""
        self.require(verb)
        body = self.body_class(data=self.request.data, partial=partial)
        body.is_valid(raise_exception=True)
        said: dict[str, Any] = dict(body.validated_data)
        if verb == "add" and "row_version" in said:
            told = _("what is new has no version yet: leave this out")
            raise Refused(Problem("row_version", str(said["row_version"]), told, code="no_version"))
        return said

    def require(self, verb: str) -> None:
        """Raise NotAllowed, naming the permission, unless the person may add, change or delete such rows."""
        options = self.get_queryset().model._meta
        permission = f"{options.app_label}.{verb}_{options.model_name}"
        person = person_of(self.request)
        if not person.has_perm(permission):
            raise lacks_permission(person, permission)

    def changed(self, save: Callable[[M], object]) -> Response:
        """Save the row of the address with what the body says, at the version the caller read."""
        row, said = self.get_object(), self.said("change", partial=True)
        version = version_said(self.request, said)
        with at_version(row, version, user=person_of(self.request)):
            for name, value in said.items():
                setattr(row, name, value)
            save(row)
        return Response(self.get_serializer(self.get_object()).data)

    def removed(self, remove: Callable[[M], object]) -> Response:
        """Delete the row of the address, at the version the caller read."""
        row = self.get_object()
        self.require("delete")
        with at_version(row, version_of(self.request), user=person_of(self.request)):
            remove(row)
        return Response(status=status.HTTP_204_NO_CONTENT)


class PoolViewSet(FarmRows[Pool]):
    """Pools of nodes."""

    queryset = Pool.objects.order_by("name")
    serializer_class = PoolSerializer
    body_class = PoolBody
    filterset_fields = ("name", "dedicated")

    @extend_schema(request=PoolBody, responses={201: PoolSerializer})
    def create(self, request: Request) -> Response:
        pool = save_pool(Pool(**self.said("add")), user=person_of(request))
        return Response(self.get_serializer(pool).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=PoolBody(partial=True), responses=PoolSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        return self.changed(partial(save_pool, user=person_of(request)))

    @extend_schema(request=Versioned, responses={204: None}, parameters=[IF_MATCH])
    def destroy(self, request: Request, pk: str) -> Response:
        return self.removed(partial(remove_pool, user=person_of(request)))


class ScheduleViewSet(FarmRows[Schedule]):
    """Working hours of nodes."""

    queryset = Schedule.objects.order_by("name")
    serializer_class = ScheduleSerializer
    body_class = ScheduleBody
    filterset_fields = ("name",)

    @extend_schema(request=ScheduleBody, responses={201: ScheduleSerializer})
    def create(self, request: Request) -> Response:
        schedule = save_schedule(Schedule(**self.said("add")), user=person_of(request))
        return Response(self.get_serializer(schedule).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ScheduleBody(partial=True), responses=ScheduleSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        return self.changed(partial(save_schedule, user=person_of(request)))

    @extend_schema(request=Versioned, responses={204: None}, parameters=[IF_MATCH])
    def destroy(self, request: Request, pk: str) -> Response:
        return self.removed(partial(remove_schedule, user=person_of(request)))
