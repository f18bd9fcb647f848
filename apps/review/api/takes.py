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
from apps.common.errors import Conflict, Problem, Refused
from apps.common.strict import OneOf, Strict
from apps.projects.api_scope import ScopedRead
from apps.projects.roles import Act
from apps.projects.selectors import require_some
from apps.projects.stages import Stage
from apps.review.conforming import lengths_of
from apps.review.gallery import media_url
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.models.playlists import MOST_ITEMS
from apps.review.services import look_again, review_take, review_takes, select_take, unselect_take
from apps.review.stale import why_stale
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


class FramesAt(serializers.Serializer[Any]):
    """So many frames at a rate, as a fraction such as 24000/1001."""

    frames = serializers.IntegerField()
    fps = serializers.CharField()


class WantedFrames(FramesAt):
    """The shot's frames at the project's rate; ``total`` counts the handles (``head``, ``tail``) too."""

    head = serializers.IntegerField()
    tail = serializers.IntegerField()
    total = serializers.IntegerField()


class MeasuredFrames(serializers.Serializer[Any]):
    """What the file holds, counted by decoding it; ``fps`` as the file states it."""

    frames = serializers.IntegerField()
    fps = serializers.FloatField(allow_null=True)


class Trim(serializers.Serializer[Any]):
    """The frames of the file that cover the shot: from ``in``, to before ``out``."""

    out = serializers.IntegerField()

    def get_fields(self) -> dict[str, Any]:
        """``in`` is a word of Python's own."""
        return {"in": serializers.IntegerField(), **super().get_fields()}


class LengthsSerializer(serializers.Serializer[Any]):
    """A clip's length: wanted by the shot, ordered of the node, measured in the file.

    ``speed``: frames of the file per frame of the shot. ``mismatches``: what is not as asked for.
    """

    wanted = WantedFrames()
    ordered = FramesAt()
    measured = MeasuredFrames()
    trim = Trim()
    speed = serializers.CharField()
    mismatches = serializers.ListField(child=serializers.CharField())


class ConformSerializer(LengthsSerializer):
    """How the file becomes the shot, frame by frame: ``mapping[n]`` is what the shot's frame n shows.

    Empty where the file does not cover the shot.
    """

    mapping = serializers.ListField(child=serializers.IntegerField())


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
    length = serializers.SerializerMethodField()
    stale_why = serializers.SerializerMethodField()
    prompt = serializers.CharField(
        source="prompt_build.positive", read_only=True, default=None, allow_null=True
    )
    negative_prompt = serializers.CharField(
        source="prompt_build.negative", read_only=True, default=None, allow_null=True
    )

    prompt_build = serializers.PrimaryKeyRelatedField[Any](read_only=True)
    prompt_by_hand = serializers.BooleanField(
        source="prompt_build.by_hand", read_only=True, default=None, allow_null=True
    )

    class Meta:
        model = Take
        fields: tuple[str, ...] = (
            "id",
            "project",
            "shot",
            "kind",
            "stage",
            "number",
            "selected",
            "selected_by",
            "selected_at",
            "job_id",
            "template",
            "seed",
            "prompt",
            "negative_prompt",
            "prompt_build",
            "prompt_by_hand",
            "node",
            "simulated",
            "render_seconds",
            "media_state",
            "media_error",
            "review_state",
            "stale_since",
            "stale_why",
            "length",
            "files",
            "created_at",
        )
        read_only_fields = fields

    def get_stale_why(self, take: Take) -> str:
        """Why what it is made of does not go on any more, in words; empty if it does."""
        return why_stale(take)

    @extend_schema_field(LengthsSerializer(allow_null=True))
    def get_length(self, take: Take) -> dict[str, Any] | None:
        """Null for a picture."""
        files = [file for file in take.artifacts.all() if file.role == ArtifactRole.PRIMARY]
        told = lengths_of(take, files[0]) if files else None
        return told.as_json() if told else None


class Verdict(Strict):
    """A verdict, and what to say to whoever makes it better: a retake needs a reason.

    ``gather``: the take's open notes are put behind the reason, or are it.
    """

    to = OneOf(choices=Review.choices)
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)
    gather = serializers.BooleanField(required=False, default=False)


class Verdicts(Verdict):
    """One verdict on many takes of your projects."""

    takes = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MOST_ITEMS, allow_empty=False
    )


class VerdictsGiven(serializers.Serializer[Any]):
    """How many takes were given the verdict, and what was refused of which."""

    done = serializers.IntegerField()
    refused = serializers.ListField(child=serializers.CharField())


class Selection(Strict):
    """Whether the take goes on; false takes the selection back. ``reason`` stands in the take's story."""

    selected = serializers.BooleanField(required=False, default=True)
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)


class TakeFilter(filters.ByProject):
    """By project code, shot (id), kind, stage, media and review state, and whether it is selected."""

    shot = filters.UUIDFilter(field_name="shot")
    kind = filters.ChoiceFilter(choices=Kind.choices)
    stage = filters.ChoiceFilter(choices=Stage.choices)
    selected = filters.BooleanFilter()
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
    shot_path = "shot"
    stage_path = "stage"

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

    @extend_schema(request=Selection, responses=TakeSerializer)
    @action(detail=True, methods=["post"])
    def select(self, request: Request, pk: str) -> Response:
        """Make this the selected take of its shot and stage, or take that back.

        409: somebody selected another in the same moment.
        """
        take = self.get_object()
        asked = self.asked(Selection, of=take, act=Act.REVIEW)
        change = select_take if asked["selected"] else unselect_take
        change(take, person_of(request), asked["reason"])
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=Verdicts, responses=VerdictsGiven, filters=False)
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def verdicts(self, request: Request) -> Response:
        """Give many takes one verdict, each by itself; what one is refused for, the others do not suffer."""
        body = Verdicts(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        keys = asked.pop("takes")
        takes = self.get_queryset().filter(pk__in=keys)
        found = {take.pk for take in takes}
        lost = [key for key in keys if key not in found]
        if lost:
            raise Refused(
                Problem("takes", str(lost[0]), _("no such take in your projects"), code="does_not_exist")
            )
        for project in {take.project for take in takes}:
            require_some(person_of(request), Act.REVIEW, project)
        told = review_takes(takes, user=person_of(request), **asked)
        return Response(VerdictsGiven({"done": told.done, "refused": told.refused}).data)

    @extend_schema(responses=ConformSerializer)
    @action(detail=True, methods=["get"], filterset_class=None)
    def conform(self, request: Request, pk: str) -> Response:
        """How the clip becomes exactly the shot's frames; the file with the role "conformed" is made so."""
        take = self.get_object()
        told = lengths_of(take)
        if told is None:
            why = _("this take is no clip of a known length; only clips are conformed")
            raise Refused(Problem("kind", take.kind, why, code="no_clip"))
        return Response({**told.as_json(), "mapping": told.mapping})

    @extend_schema(request=None, responses=TakeSerializer)
    @action(detail=True, methods=["post"], url_path="look-again")
    def look_again(self, request: Request, pk: str) -> Response:
        """Have the media worker look at the files again."""
        look_again(self.get_object(), user=person_of(request))
        return Response(self.get_serializer(self.get_object()).data)
