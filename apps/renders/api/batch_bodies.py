"""What batches, and plans of them, look like over HTTP."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.common.problems import as_json
from apps.renders.api.serializers import TIERS, LoadedLora
from apps.renders.api.waiting import EtaSerializer
from apps.renders.models import RenderBatch
from apps.renders.outlook import Outlook
from apps.renders.progress import Tally
from apps.renders.warnings import batch_warnings


class ProblemItem(serializers.Serializer[Any]):
    """One thing that is wrong: where, what was sent, what would be right."""

    field = serializers.CharField()
    value = serializers.CharField()
    message = serializers.CharField()
    code = serializers.CharField()


class TallySerializer(serializers.Serializer[Tally]):
    """How far a batch is: jobs by state."""

    total = serializers.IntegerField()
    open = serializers.IntegerField()
    failed = serializers.IntegerField()
    by_state = serializers.DictField(child=serializers.IntegerField())


class BatchSerializer(serializers.ModelSerializer[RenderBatch]):
    """What one request asked for, and how far it is."""

    project = serializers.CharField(source="project.code", read_only=True)
    submitted_by = serializers.CharField(
        source="submitted_by.username", read_only=True, default=None, allow_null=True
    )
    jobs = TallySerializer(source="tally", read_only=True)

    class Meta:
        model = RenderBatch
        fields: tuple[str, ...] = (
            "id",
            "code",
            "project",
            "submitted_by",
            "note",
            "paused",
            "paused_by",
            "jobs",
            "created_at",
        )
        read_only_fields = fields


class BatchAnswer(BatchSerializer):
    """A batch by itself: with what was warned about, shot by shot."""

    warnings = serializers.SerializerMethodField()

    class Meta(BatchSerializer.Meta):
        fields = (*BatchSerializer.Meta.fields, "warnings")
        read_only_fields = fields

    @extend_schema_field(ProblemItem(many=True))
    def get_warnings(self, batch: RenderBatch) -> list[dict[str, Any]]:
        """Each thing once per shot."""
        return [as_json(one) for one in batch_warnings(batch)]


class BatchStatus(BatchAnswer):
    """A batch, and when its last open job is expected to end; null where none is open."""

    eta = serializers.SerializerMethodField()

    class Meta(BatchAnswer.Meta):
        fields = (*BatchAnswer.Meta.fields, "eta")
        read_only_fields = fields

    @extend_schema_field(EtaSerializer(allow_null=True))
    def get_eta(self, batch: RenderBatch) -> Any:
        """The interval holds the truth nine times in ten."""
        told = Outlook().of_batch(batch)
        return None if told is None else EtaSerializer(told).data


class FileOfPlan(serializers.Serializer[Any]):
    """A file a job brings, by the input it fills. ``id`` null: another job of the request, or one that is
    waited for, makes it.
    """

    input = serializers.CharField(source="role")
    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField(source="title")
    width = serializers.IntegerField(help_text="0: not known yet, or a sound")
    height = serializers.IntegerField()
    material = serializers.BooleanField(help_text="It is the shot's, its sequence's or its film's material")


class PlannedJobSerializer(serializers.Serializer[Any]):
    """A job the request would make. ``need_gb``: memory of one GPU."""

    shot = serializers.CharField(source="shot.full_code")
    template = serializers.CharField(source="version.template.slug")
    kind = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    frames = serializers.IntegerField()
    seed = serializers.IntegerField()
    precision = serializers.CharField()
    need_gb = serializers.FloatField()
    tier_gb = serializers.IntegerField(allow_null=True, help_text=TIERS)
    loras = LoadedLora(source="cast.as_json", many=True)
    files = FileOfPlan(source="files_told", many=True)


class PlanSerializer(serializers.Serializer[Any]):
    """Every job of a request, or every problem with it. Warnings stop nothing."""

    total = serializers.IntegerField()
    jobs = PlannedJobSerializer(many=True)
    problems = ProblemItem(many=True)
    warnings = ProblemItem(many=True)
