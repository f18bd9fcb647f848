"""Projects with their folders: the dry run, the confirm, the layout that is held."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common.api_versions import IF_MATCH, Versioned, version_given
from apps.common.errors import Problem, Refused
from apps.common.strict import OneOf, Strict
from apps.folders.api.paths import PathsSerializer, WithPaths, located
from apps.folders.models import ProjectFolders, PublishWhen
from apps.folders.selectors import layout_version
from apps.folders.services.layouts import choose_layout
from apps.folders.services.making import confirm
from apps.folders.services.planning import Fate, Plan, plan_project, plan_sequence
from apps.folders.words import in_words, refusals
from apps.productions.models import Sequence
from apps.projects.api import ProjectSerializer
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.renders.api.farm import SteeredProjectViewSet


class FolderedProjectSerializer(ProjectSerializer):
    """A film. ``paths``: its folder on each system. Sizes in pixels, fps in frames per second."""

    paths = serializers.SerializerMethodField()

    class Meta(ProjectSerializer.Meta):
        fields = (*ProjectSerializer.Meta.fields, "paths")
        read_only_fields = fields

    @extend_schema_field(PathsSerializer)
    def get_paths(self, project: Project) -> dict[str, str | None]:
        """On each system."""
        known = located(self)
        return known.paths(known.folder_of_project(project))


class EntrySerializer(serializers.Serializer[Any]):
    """One path. ``what``: folder, record or file. ``of``: what it is about. ``why``: of what is refused."""

    path = serializers.CharField()
    what = serializers.CharField()
    of = serializers.CharField()
    fate = serializers.ChoiceField(choices=[(fate.value, fate.value) for fate in Fate])
    why = serializers.CharField()


class HeldLayout(serializers.Serializer[Any]):
    """What the project holds. ``row_version``: of this choice; another one names it."""

    layout = serializers.SlugField(source="template.slug")
    version = serializers.IntegerField(source="template.number")
    publish = serializers.ChoiceField(choices=PublishWhen.choices)
    row_version = serializers.IntegerField()


class FolderPlanSerializer(serializers.Serializer[Any]):
    """The dry run. ``kept``: published files, which nothing moves. ``pages``: of the sequence's shots."""

    layout = serializers.CharField()
    held = HeldLayout(allow_null=True, help_text="Null while nobody chose")
    counts = serializers.DictField(child=serializers.IntegerField())
    entries = EntrySerializer(many=True)
    page = serializers.IntegerField()
    pages = serializers.IntegerField()


class RefusalSerializer(serializers.Serializer[Any]):
    """What was left alone, and why."""

    path = serializers.CharField()
    why = serializers.CharField()


class MadeSerializer(serializers.Serializer[Any]):
    """What was made. ``refused``: the first hundred of ``refusals``."""

    folders = serializers.IntegerField()
    records = serializers.IntegerField()
    updated = serializers.IntegerField()
    exists = serializers.IntegerField()
    refusals = serializers.IntegerField()
    refused = RefusalSerializer(many=True)


class Confirm(Strict):
    """What to make: everything of the project, or the shots of one sequence."""

    sequence = serializers.CharField(required=False, help_text="The sequence's code")


class ChosenLayout(Versioned):
    """Which layout to hold (the newest version without a ``version``), and when takes are published."""

    layout = serializers.SlugField()
    version = serializers.IntegerField(required=False, min_value=1)
    publish = OneOf(choices=PublishWhen.choices, required=False)


class StoreFailed(APIException):
    """The store of published files cannot be reached."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE


SEQUENCE = OpenApiParameter(
    "sequence", str, description="The shots of this sequence; else the project itself"
)
PAGE = OpenApiParameter("page", int, description="Of the sequence's shots, fifty a page")


class FolderedProjectViewSet(WithPaths[Project], SteeredProjectViewSet):
    """Your projects, by code."""

    serializer_class = FolderedProjectSerializer

    def projects_of(self, rows: Iterable[Any]) -> Iterable[Project]:
        return rows

    @extend_schema(responses=FolderPlanSerializer, parameters=[SEQUENCE, PAGE])
    @action(detail=True, methods=["get"], pagination_class=None)
    def folders(self, request: Request, code: str) -> Response:
        """Dry run: which folders and records exist, which would be made, which are refused and why."""
        project = self.get_object()
        sequence = _sequence(project, request.query_params.get("sequence", ""))
        page = request.query_params.get("page", "1")
        try:
            if sequence is None:
                plan = plan_project(project)
            else:
                plan = plan_sequence(project, sequence, page=int(page) if page.isdecimal() else 1)
        except OSError as exc:
            raise StoreFailed(_("The store of published files cannot be read: %s") % exc) from exc
        held = ProjectFolders.objects.select_related("template").filter(project=project).first()
        return Response(_plan(plan) | {"held": HeldLayout(held).data if held else None})

    @extend_schema(request=Confirm, responses={200: MadeSerializer, 202: None})
    @folders.mapping.post
    def confirm_folders(self, request: Request, code: str) -> Response:
        """Make what the dry run shows as new. Twice is once. 202: so many that it goes on for a while."""
        project = self.get_object()
        asked = self.asked(Confirm, of=project, act=Act.PLAN)
        sequence = _sequence(project, asked.get("sequence", ""))
        try:
            made = confirm(project, user=person_of(request), sequence=sequence)
        except OSError as exc:
            raise StoreFailed(_("The store of published files failed; nothing more was made.")) from exc
        if made is None:
            return Response(status=status.HTTP_202_ACCEPTED)
        told = made.as_json()
        told["refused"] = [{"path": path, "why": why} for path, why in refusals(told)]
        return Response(told)

    @extend_schema(request=ChosenLayout, responses=HeldLayout, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"], pagination_class=None)
    def layout(self, request: Request, code: str) -> Response:
        """Hold a version of a layout. What was published stays where it is; what comes next goes by it.

        Unless nobody chose one before, it takes the row_version of what is held: see the dry run of folders.
        """
        project = self.get_object()
        asked = self.asked(ChosenLayout, of=project, act=Act.MANAGE)
        template = layout_version(asked["layout"], asked.get("version"))
        folders = choose_layout(
            project,
            template,
            user=person_of(request),
            publish=asked.get("publish", ""),
            row_version=version_given(request, asked),
        )
        held = ProjectFolders.objects.select_related("template").get(pk=folders.pk)
        return Response(HeldLayout(held).data)


def _sequence(project: Project, code: str) -> Sequence | None:
    if not code:
        return None
    found = Sequence.objects.filter(project=project, code=code).first()
    if found is None:
        told = _("There is no such sequence in %s.") % project.code
        raise Refused(Problem("sequence", code, told, code="does_not_exist"))
    return found


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "layout": plan.layout,
        "counts": plan.counts,
        "entries": [
            {
                "path": entry.path,
                "what": entry.what,
                "of": entry.of,
                "fate": entry.fate.value,
                "why": in_words(entry.why),
            }
            for entry in plan.entries
        ],
        "page": plan.page,
        "pages": plan.pages,
    }
