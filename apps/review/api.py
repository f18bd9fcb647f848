"""Takes with their files, and verdicts on them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.errors import Conflict, Problem
from apps.common.strict import OneOf, Strict
from apps.projects.api_scope import ScopedRead
from apps.projects.roles import Act
from apps.review.gallery import media_url
from apps.review.models import Artifact, Take
from apps.review.services import look_again, review_take
from apps.review.states import Media, Review
from apps.workflows.models import Kind


class ArtifactSerializer(serializers.ModelSerializer[Artifact]):
    """A file of a take. ``url`` streams it, in parts if asked (Range), for about an hour and without a token.

    /api/v1/artifacts/{id}/file streams it too, with your token and for as long as you may see it.
    """

    url = serializers.SerializerMethodField()

    class Meta:
        model = Artifact
        fields = (
            "id",
            "role",
            "url",
            "kind",
            "media_type",
            "bytes",
            "sha256",
            "width",
            "height",
            "frames",
            "fps",
        )
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, artifact: Artifact) -> str:
        request = self.context["request"]
        url: str = request.build_absolute_uri(media_url(artifact.pk, person_of(request)))
        return url


class ShotOfTake(serializers.Serializer[Any]):
    """Which shot this is about."""

    id = serializers.UUIDField()
    code = serializers.CharField(source="full_code")


class TakeSerializer(serializers.ModelSerializer[Take]):
    """What came back. ``render_seconds`` is the node's time at work."""

    project = serializers.CharField(source="project.code", read_only=True)
    shot = ShotOfTake(read_only=True)
    kind = serializers.ChoiceField(choices=Kind.choices, read_only=True)
    files = ArtifactSerializer(source="artifacts", many=True, read_only=True)
    prompt = serializers.CharField(
        source="prompt_build.positive", read_only=True, default=None, allow_null=True
    )
    negative_prompt = serializers.CharField(
        source="prompt_build.negative", read_only=True, default=None, allow_null=True
    )

    class Meta:
        model = Take
        fields = (
            "id",
            "project",
            "shot",
            "kind",
            "number",
            "job_id",
            "template",
            "seed",
            "prompt",
            "negative_prompt",
            "node",
            "simulated",
            "render_seconds",
            "media_state",
            "media_error",
            "review_state",
            "files",
            "created_at",
        )
        read_only_fields = fields


class Verdict(Strict):
    """A verdict, and what to say to whoever makes it better."""

    to = OneOf(choices=Review.choices)
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)


class TakeFilter(filters.ByProject):
    """By project code, shot (id), kind, media and review state."""

    shot = filters.UUIDFilter(field_name="shot")
    kind = filters.ChoiceFilter(choices=Kind.choices)
    media_state = filters.ChoiceFilter(choices=Media.choices)
    review_state = filters.ChoiceFilter(choices=Review.choices)
    job_id = filters.UUIDFilter()

    class Meta:
        model = Take
        fields = ("simulated",)


class TakeViewSet(ScopedRead[Take]):
    """The takes of your projects, the newest first."""

    queryset = (
        Take.objects.select_related("project", "shot__sequence", "prompt_build")
        .prefetch_related("artifacts")
        .order_by("-created_at", "-pk")
    )
    serializer_class = TakeSerializer
    filterset_class = TakeFilter

    @extend_schema(request=Verdict, responses=TakeSerializer)
    @action(detail=True, methods=["post"])
    def review(self, request: Request, pk: str) -> Response:
        """Approve the take, ask for another, reject it, or take a verdict back."""
        take = self.get_object()
        asked = self.asked(Verdict, of=take, act=Act.REVIEW)
        decided = review_take(take, user=person_of(request), **asked)
        now = self.get_object()
        if not decided and now.review_state != asked["to"]:
            told = _("somebody else decided just now: %s") % now.get_review_state_display()
            raise Conflict(Problem("to", asked["to"], told, code="stale"))
        return Response(self.get_serializer(now).data)

    @extend_schema(request=None, responses=TakeSerializer)
    @action(detail=True, methods=["post"], url_path="look-again")
    def look_again(self, request: Request, pk: str) -> Response:
        """Have the media worker look at the files again."""
        look_again(self.get_object(), user=person_of(request))
        return Response(self.get_serializer(self.get_object()).data)
