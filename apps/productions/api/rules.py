"""Statuses of shots, and automations: list, read, make, change."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.api_versions import IF_MATCH, Versioned, version_said
from apps.common.errors import Problem, Refused
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import claim
from apps.nodes.api.places import FarmRows
from apps.productions.api.rule_bodies import (
    AutomationBody,
    AutomationSerializer,
    StatusBody,
    StatusSerializer,
)
from apps.productions.automating import may_write, remove_automation, save_automation, seen_by
from apps.productions.models import Automation, ShotStatus
from apps.productions.statuses import save_status


class StatusViewSet(FarmRows[ShotStatus]):
    """The statuses a shot can have, in the studio's order: the machine's own eight and shades of them."""

    queryset = ShotStatus.objects.order_by("order", "slug")
    serializer_class = StatusSerializer
    body_class = StatusBody
    filterset_fields = ("state", "archived")

    @extend_schema(request=StatusBody, responses={201: StatusSerializer})
    def create(self, request: Request) -> Response:
        said = self.said("add")
        said.pop("row_version", None)
        made = save_status(ShotStatus(**said), user=person_of(request))
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=StatusBody(partial=True), responses=StatusSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        said = self.said("change", partial=True)
        row, version = self.get_object(), version_said(request, said)
        if said.get("slug", row.slug) != row.slug:
            told = _("a status keeps its slug; add another, and archive this one")
            raise Refused(Problem("slug", said["slug"], told, code="fixed"))
        for name, value in said.items():
            setattr(row, name, value)
        with changing(ShotStatus, [row.pk], actor=person_of(request)):
            claim(row, version)
            row = save_status(row, user=person_of(request))
        return Response(self.get_serializer(row).data)


class AutomationFilter(filters.ByProject):
    """By project code; those of the whole studio have none."""

    class Meta:
        model = Automation
        fields = ("trigger", "deed", "active")


class AutomationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Automation]):
    """The automations of the studio and of your projects."""

    queryset = Automation.objects.select_related("project").order_by("order", "name", "pk")
    serializer_class = AutomationSerializer
    filterset_class = AutomationFilter

    def get_queryset(self) -> QuerySet[Automation]:
        seen = seen_by(person_of(self.request)).values("pk")
        return super().get_queryset().filter(pk__in=seen)

    @extend_schema(request=AutomationBody, responses={201: AutomationSerializer})
    def create(self, request: Request) -> Response:
        said = self._said()
        said.pop("row_version", None)
        made = save_automation(Automation(**said), user=person_of(request))
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        request=AutomationBody(partial=True), responses=AutomationSerializer, parameters=[IF_MATCH]
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        if not may_write(person_of(request), row):
            save_automation(row, user=person_of(request))  # says what it takes
        said = self._said(partial=True)
        version = version_said(request, said)
        if "project" in said and said["project"] != row.project:
            told = _("an automation stays where it is; make another")
            raise Refused(Problem("project", str(said["project"] or ""), told, code="fixed"))
        if row.builtin and said.get("name", row.name) != row.name:
            told = _("a shipped automation keeps its name")
            raise Refused(Problem("name", said["name"], told, code="fixed"))
        for name, value in said.items():
            setattr(row, name, value)
        with changing(Automation, [row.pk], actor=person_of(request)):
            claim(row, version)
            row = save_automation(row, user=person_of(request))
        return Response(self.get_serializer(row).data)

    @extend_schema(request=Versioned, responses={204: None}, parameters=[IF_MATCH])
    def destroy(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        if not may_write(person_of(request), row, "delete"):
            remove_automation(row, user=person_of(request))  # says what it takes
        body = Versioned(data=request.data)
        body.is_valid(raise_exception=True)
        with changing(Automation, [row.pk], actor=person_of(request)):
            claim(row, version_said(request, dict(body.validated_data)))
            remove_automation(row, user=person_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _said(self, *, partial: bool = False) -> dict[str, Any]:
        body = AutomationBody(data=self.request.data, partial=partial, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)
