"""What takes and their files look like over HTTP, and what is asked of them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.accounts.person import person_of
from apps.common.strict import OneOf, Strict
from apps.review.conforming import lengths_of
from apps.review.gallery import media_url
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.models.playlists import MOST_ITEMS
from apps.review.stale import why_stale
from apps.review.states import Review
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
