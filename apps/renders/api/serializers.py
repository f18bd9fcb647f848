"""What jobs, attempts and events look like over HTTP. Tokens and reports stay inside."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.common.models import StateEvent
from apps.renders.api.waiting import WaitingSerializer
from apps.renders.models import Attempt, Job
from apps.renders.selectors import story, wait_sentence
from apps.renders.services.steering import Outcome
from apps.renders.waiting import reason_of
from apps.renders.warnings import warning_sentences
from apps.review.api import FramesAt, Trim, WantedFrames
from farm.tiers import TIERS_GB

_SPEED = "rendered frames per frame of the shot, as a fraction"
TIERS = f"0 (no VRAM), or one of {', '.join(map(str, TIERS_GB))}; null: no card is that large"


class OutcomeSerializer(serializers.Serializer[Outcome]):
    """What became of the jobs, by code. ``same``: open, and already as wished."""

    changed = serializers.ListField(child=serializers.CharField())
    same = serializers.ListField(child=serializers.CharField())
    in_flight = serializers.ListField(child=serializers.CharField())
    closed = serializers.ListField(child=serializers.CharField())


class Cancelled(serializers.Serializer[Any]):
    """How many jobs were cancelled; the others were closed already."""

    cancelled = serializers.IntegerField()


class LoadedLora(serializers.Serializer[Any]):
    """A LoRA the graph loads. ``expert``: the one of a model's several experts it goes to; empty for all."""

    file = serializers.CharField()
    weight = serializers.FloatField()
    expert = serializers.CharField(allow_blank=True)
    character = serializers.CharField()


class OrderedLength(serializers.Serializer[Any]):
    """What the shot asks for, and what is rendered for it.

    ``missing``: frames at the rendered rate by which it is too short. ``still``: one picture is held.
    """

    wanted = WantedFrames()
    rendered = FramesAt()
    trim = Trim()
    speed = serializers.CharField(help_text=_SPEED)
    still = serializers.BooleanField()
    missing = serializers.IntegerField()


class ShotOfJob(serializers.Serializer[Any]):
    """Which shot this is about."""

    id = serializers.UUIDField()
    code = serializers.CharField(source="full_code")


class JobSerializer(serializers.ModelSerializer[Job]):
    """One shot × workflow × take. ``waits`` says in words why it is not rendering.

    ``rank`` is what it is ordered by: its priority, raised when ``start_by`` has come. ``held``: it or its
    batch is paused.
    """

    project = serializers.CharField(source="project.code", read_only=True)
    batch = serializers.CharField(source="batch.code", read_only=True)
    batch_id = serializers.UUIDField(read_only=True)
    shot = ShotOfJob(read_only=True)
    template = serializers.CharField(source="template_version.template.slug", read_only=True)
    template_version = serializers.IntegerField(source="template_version.number", read_only=True)
    tier_gb = serializers.IntegerField(read_only=True, allow_null=True, help_text=TIERS)
    waits = serializers.SerializerMethodField()
    waiting = serializers.SerializerMethodField()
    pool = serializers.CharField(source="pool.name", read_only=True, default=None, allow_null=True)
    pinned_to = serializers.CharField(source="pinned_to.name", read_only=True, default=None, allow_null=True)
    tags = serializers.SerializerMethodField()
    length = serializers.SerializerMethodField()
    loras = LoadedLora(many=True, read_only=True)
    warnings = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = (
            "id",
            "code",
            "project",
            "batch",
            "batch_id",
            "shot",
            "kind",
            "take_number",
            "template",
            "template_version",
            "state",
            "priority",
            "rank",
            "paused",
            "paused_by",
            "held",
            "pool",
            "tags",
            "pinned_to",
            "precision",
            "width",
            "height",
            "frames",
            "fps",
            "length",
            "seed",
            "loras",
            "warnings",
            "need_gb",
            "tier_gb",
            "progress",
            "doing",
            "waits",
            "waiting",
            "attempts_used",
            "attempt_budget",
            "failure_class",
            "failure_message",
            "ready_at",
            "start_after",
            "deadline",
            "start_by",
            "finished_at",
            "created_at",
        )
        read_only_fields = fields

    @extend_schema_field(OrderedLength(allow_null=True))
    def get_length(self, job: Job) -> dict[str, Any] | None:
        """Null for pictures."""
        return job.length or None

    def get_tags(self, job: Job) -> list[str]:
        """Words a node must have."""
        return job.tags.split("\n") if job.tags else []

    def get_waits(self, job: Job) -> str:
        """One sentence, or nothing."""
        return wait_sentence(job)

    @extend_schema_field(WaitingSerializer(allow_null=True))
    def get_waiting(self, job: Job) -> Any:
        """The reason with its code; null for a job that does not wait."""
        reason = reason_of(job)
        return WaitingSerializer(reason).data if reason.code else None

    def get_warnings(self, job: Job) -> list[str]:
        """What the coordinator was told at submit, in sentences."""
        return warning_sentences(job.warnings)


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """One try, on one node. ``peak_mib``: the most memory used on its card meanwhile; null: not measured."""

    peak_mib = serializers.IntegerField(read_only=True, allow_null=True)
    node = serializers.CharField(source="node.name", read_only=True, default=None, allow_null=True)

    class Meta:
        model = Attempt
        fields = (
            "id",
            "number",
            "state",
            "node",
            "queue",
            "tier_gb",
            "prompt_id",
            "failure_class",
            "failure_message",
            "peak_mib",
            "created_at",
            "accepted_at",
            "executing_at",
            "finished_at",
        )
        read_only_fields = fields


class EventSerializer(serializers.ModelSerializer[StateEvent]):
    """One state change of the job, its attempts or its take."""

    class Meta:
        model = StateEvent
        fields = ("machine", "subject", "from_state", "to_state", "actor", "reason", "data", "at")
        read_only_fields = fields


class MaterialOfJob(serializers.Serializer[Any]):
    """A material a job was ordered with; its file is known by its hash."""

    input = serializers.CharField(source="role")
    id = serializers.UUIDField(source="material_id")
    name = serializers.CharField(source="material.name")
    sha256 = serializers.CharField(source="material.sha256")
    removed_at = serializers.DateTimeField(source="material.removed_at", allow_null=True)


class JobStory(JobSerializer):
    """A job with its prompt, what it waits for, its attempts and everything that happened."""

    prompt = serializers.CharField(
        source="prompt_build.positive", read_only=True, default=None, allow_null=True
    )
    negative_prompt = serializers.CharField(
        source="prompt_build.negative", read_only=True, default=None, allow_null=True
    )
    prompt_build = serializers.PrimaryKeyRelatedField[Any](read_only=True)
    depends_on = serializers.SerializerMethodField()
    materials = MaterialOfJob(many=True, read_only=True)
    attempts = AttemptSerializer(many=True, read_only=True)
    events = serializers.SerializerMethodField()

    class Meta(JobSerializer.Meta):
        fields = (  # type: ignore[assignment]
            *JobSerializer.Meta.fields,
            "prompt",
            "negative_prompt",
            "prompt_build",
            "depends_on",
            "materials",
            "attempts",
            "events",
        )
        read_only_fields = fields  # type: ignore[assignment]

    def get_depends_on(self, job: Job) -> list[str]:
        """Codes of the jobs it waits for."""
        return [dependency.depends_on.code for dependency in job.dependencies.all()]

    @extend_schema_field(EventSerializer(many=True))
    def get_events(self, job: Job) -> Any:
        """The whole story, in order."""
        return EventSerializer(story(job), many=True).data
