"""Prompts over HTTP: previews, texts by hand, builds and what differs between them, a project's order."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common.errors import Problem, Refused
from apps.common.problems import as_json
from apps.productions.models import Shot
from apps.projects.api_scope import ScopedViewSet
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.prompts.difference import prompt_difference
from apps.prompts.models import PromptBuild, Spoken
from apps.prompts.order import ORDERS, Order, read_order
from apps.prompts.saying import build_told, edit_told, preview_told
from apps.prompts.selectors import House, builds_of
from apps.prompts.services import drop_edit, edit_prompt, set_order
from apps.renders.api.prompt_bodies import (
    BuildDetail,
    BuildSerializer,
    DifferenceSerializer,
    DropRequest,
    EditRequest,
    EditSerializer,
    OrderRequest,
    OrderSerializer,
    PreviewRequest,
    PromptPreviewSerializer,
)
from apps.renders.services.prompting import PromptShown, show_prompts, version_for
from apps.renders.warnings import warning_problem

LANGUAGE = OpenApiParameter("language", str, enum=["en", "ko"], description="None: the project's own.")
TEMPLATE = OpenApiParameter(
    "template", str, description="A workflow template's name; none: the one that the Render form begins with."
)
CHANNEL = OpenApiParameter(
    "channel", str, enum=Spoken.values, description="Without a template: for a picture (default) or a video."
)


class PromptViewSet(ScopedViewSet[Shot]):
    """The prompts of a shot of your projects."""

    queryset = Shot.objects.select_related("project", "sequence").order_by("pk")
    serializer_class = PromptPreviewSerializer
    shot_path = "pk"

    @extend_schema(
        operation_id="shots_prompt",
        parameters=[TEMPLATE, CHANNEL, LANGUAGE],
        responses=PromptPreviewSerializer,
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        """What a render would send now. Nothing is written."""
        asked = PreviewRequest(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        return self._preview(self.get_object(), asked.validated_data)

    @extend_schema(operation_id="shots_prompt_try", request=PreviewRequest, responses=PromptPreviewSerializer)
    def try_out(self, request: Request, pk: str) -> Response:
        """What a render would send with this template, language and order of segments. Nothing is written."""
        shot = self.get_object()
        return self._preview(shot, self.asked(PreviewRequest, of=shot, act=Act.VIEW))

    @extend_schema(operation_id="shots_prompt_edits", responses=EditSerializer(many=True))
    def edits(self, request: Request, pk: str) -> Response:
        """The texts that somebody has written by hand: at most one of each channel."""
        return Response([edit_told(edit) for edit in self.get_object().prompt_edits.all()])

    @extend_schema(operation_id="shots_prompt_edit", request=EditRequest, responses=EditSerializer)
    def edit(self, request: Request, pk: str, channel: str) -> Response:
        """Write a channel's text by hand: it renders in place of the composed one until it is dropped."""
        shot = self.get_object()
        asked = self.asked(EditRequest, of=shot, act=Act.PLAN)
        texts = {name: asked.get(name) for name in ("positive", "negative")}
        edit = edit_prompt(
            shot, user=person_of(request), channel=channel, row_version=asked["row_version"], **texts
        )
        return Response(edit_told(edit))

    @extend_schema(operation_id="shots_prompt_edit_drop", request=DropRequest, responses={204: None})
    def drop(self, request: Request, pk: str, channel: str) -> Response:
        """Give a channel's text back to the composer."""
        shot = self.get_object()
        asked = self.asked(DropRequest, of=shot, act=Act.PLAN)
        drop_edit(shot, user=person_of(request), channel=channel, row_version=asked["row_version"])
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _preview(self, shot: Shot, asked: dict[str, Any]) -> Response:
        version = version_for(shot, template=asked["template"], channel=asked["channel"])
        houses = None
        if asked["composer"] is not None:
            order = read_order(asked["composer"])
            houses = {shot.project_id: House(shot.project.prompt_language, order)}
        shown = show_prompts(version, [shot], language=asked["language"], houses=houses)[shot.pk]
        return Response(PromptPreviewSerializer(_shown(shown)).data)


def _shown(shown: PromptShown) -> dict[str, Any]:
    version, shot = shown.version, shown.preview.shot
    return {
        **preview_told(shown.preview),
        "template": version.template.slug,
        "version": version.number,
        "warnings": [as_json(warning_problem(shot, warned)) for warned in shown.warnings],
    }


class BuildViewSet(ScopedViewSet[PromptBuild]):
    """The prompts that were built: never changed."""

    queryset = PromptBuild.objects.select_related("shot__project", "shot__sequence").order_by(
        "-created_at", "-pk"
    )
    serializer_class = BuildSerializer
    project_path = "shot__project"

    @extend_schema(operation_id="prompts_retrieve", responses=BuildDetail)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One build with every segment, what was left out, and the takes made with it."""
        build = self.get_object()
        takes = build.takes.order_by("-created_at").values_list("pk", flat=True)[:100]
        told = build_told(build) | {
            "id": build.pk,
            "shot": build.shot.full_code,
            "created_at": build.created_at,
            "takes": list(takes),
        }
        return Response(BuildDetail(told).data)


class ShotBuildViewSet(ScopedViewSet[Any]):
    """The prompts that were built for a shot."""

    queryset = Shot.objects.select_related("project", "sequence").order_by("pk")
    serializer_class = BuildSerializer

    @extend_schema(operation_id="shots_prompts", responses=BuildSerializer(many=True))
    def list(self, request: Request, pk: str) -> Response:
        """Every build of the shot, the newest first."""
        page = self.paginate_queryset(builds_of(self.get_object()))
        return self.get_paginated_response(BuildSerializer(list(page or ()), many=True).data)

    @extend_schema(
        operation_id="shots_prompts_compare",
        parameters=[
            OpenApiParameter("a", str, required=True, description="A build's id: what was"),
            OpenApiParameter("b", str, required=True, description="A build's id: what is"),
        ],
        responses=DifferenceSerializer,
    )
    def compare(self, request: Request, pk: str) -> Response:
        """What differs between two builds of the shot: word by word, segment by segment."""
        shot = self.get_object()
        was, now = (_build_named(shot, request, name) for name in ("a", "b"))
        return Response(DifferenceSerializer(prompt_difference(was, now).as_json()).data)


def _build_named(shot: Shot, request: Request, name: str) -> PromptBuild:
    told = request.query_params.get(name, "")
    asked = serializers.UUIDField(required=False)
    try:
        found = builds_of(shot).filter(pk=asked.to_internal_value(told)).first()
    except serializers.ValidationError:
        found = None
    if found is None:
        raise Refused(Problem(name, told, _("no such build of this shot"), code="unknown_build"))
    return found


class ComposerViewSet(ScopedViewSet[Project]):
    """In which order a project's prompts are written."""

    queryset = Project.objects.order_by("code")
    serializer_class = OrderSerializer
    project_path = "pk"
    lookup_field = "code"

    @extend_schema(operation_id="projects_composer", responses=OrderSerializer)
    def retrieve(self, request: Request, code: str) -> Response:
        """The order of segments, every piece of it."""
        project = self.get_object()
        return Response(_order(read_order(project.composer), project))

    @extend_schema(operation_id="projects_composer_set", request=OrderRequest, responses=OrderSerializer)
    def put(self, request: Request, code: str) -> Response:
        """Set the order. Prompts that were built stay as they are; new ones are written so."""
        project = self.get_object()
        asked = self.asked(OrderRequest, of=project, act=Act.MANAGE)
        order = set_order(
            project, asked["composer"], user=person_of(request), row_version=asked["row_version"]
        )
        project.refresh_from_db()
        return Response(_order(order, project))


def _order(order: Order, project: Project) -> dict[str, Any]:
    return {**order.as_json(), "bases": list(ORDERS), "row_version": project.row_version}
