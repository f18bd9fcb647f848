"""What is told of nodes, pools and schedules, and what may be asked of them."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, TypeVar

from django.conf import settings
from django.db.models import Model
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from apps.common.api_versions import Versioned
from apps.common.strict import OneOf, Strict
from apps.nodes.models import Gpu, Node, Pool, Schedule
from apps.nodes.services.steering import LONGEST_NOTE, LONGEST_REASON
from apps.nodes.states import Desired
from apps.nodes.tags import tags_in
from apps.nodes.words import drift_sentences, reason_in_words

M = TypeVar("M", bound=Model)


class Named(serializers.SlugRelatedField[M]):
    """A row of the farm by its name."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "does_not_exist": gettext_lazy("there is none of this name; known are {known}"),
        "invalid": gettext_lazy("write a name; known are {known}"),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="name", **kwargs)

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        rows = self.get_queryset()
        names = () if rows is None else rows.order_by("name").values_list("name", flat=True)
        super().fail(key, known=", ".join(map(str, names)) or "–", **kwargs)


class GpuSerializer(serializers.ModelSerializer[Gpu]):
    """One GPU. Memory in MiB; null is unknown; ``source`` says who measured."""

    class Meta:
        model = Gpu
        fields = (
            "index",
            "name",
            "source",
            "total_mib",
            "free_mib",
            "foreign_mib",
            "utilisation",
            "temperature_c",
            "driver",
        )
        read_only_fields = fields


class DriftSerializer(serializers.Serializer[Any]):
    """One difference: a code, its facts, and a sentence."""

    code = serializers.CharField()
    params = serializers.DictField()
    sentence = serializers.CharField()


class NodeSerializer(serializers.ModelSerializer[Node]):
    """A GPU worker. ``tier_gb``: 0 serves jobs without VRAM only, null is unknown.

    ``observed`` is what it reports, ``health`` what the coordinator concludes, since ``health_since`` for
    ``health_reason``. ``off_hours``: its schedule lets it rest. ``resident``: models it holds in memory.
    ``drift``: how its software differs from what was accepted, and from its pool. ``row_version`` grows with
    its reports, too.
    """

    gpus = GpuSerializer(many=True, read_only=True)
    pool: Any = serializers.SlugRelatedField("name", read_only=True)
    schedule: Any = serializers.SlugRelatedField("name", read_only=True)
    tags = serializers.SerializerMethodField()
    health_since = serializers.DateTimeField(source="sick_since", read_only=True)
    health_reason = serializers.SerializerMethodField()
    drift = serializers.SerializerMethodField()

    class Meta:
        model = Node
        fields = (
            "id",
            "name",
            "desired",
            "desired_by",
            "desired_reason",
            "observed",
            "observed_since",
            "reason",
            "health",
            "health_since",
            "health_reason",
            "tier_gb",
            "simulated",
            "pool",
            "tags",
            "schedule",
            "off_hours",
            "works_until",
            "resident",
            "comfyui_version",
            "software_state",
            "drift",
            "prove_minutes",
            "note",
            "note_by",
            "note_at",
            "reported_at",
            "row_version",
            "gpus",
        )
        read_only_fields = fields

    def get_tags(self, node: Node) -> list[str]:
        return tags_in(node.tags)

    def get_health_reason(self, node: Node) -> str:
        return reason_in_words(node.sick_reason)

    def get_drift(self, node: Node) -> list[dict[str, Any]]:
        sentences = drift_sentences(node.drift)
        rows = [{**row, "sentence": sentence} for row, sentence in zip(node.drift, sentences, strict=True)]
        return list(DriftSerializer(rows, many=True).data)


class DesiredChange(Strict):
    """What the node is to do, and why."""

    desired = OneOf(choices=Desired.choices)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_REASON, default="")


class NodeChange(Versioned):
    """Where a node belongs, its maintenance note, after how many minutes golden renders are given up.

    What is not named stays; null takes it out.
    """

    pool = Named[Pool](queryset=Pool.objects.all(), required=False, allow_null=True)
    schedule = Named[Schedule](queryset=Schedule.objects.all(), required=False, allow_null=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=40), required=False, max_length=40)
    note = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_NOTE)
    prove_minutes = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=settings.MIN_PROVE_MINUTES,
        max_value=settings.MAX_PROVE_MINUTES,
    )


class HoursChange(Strict):
    """Until when it works whatever its schedule says; null: as its schedule says."""

    until = serializers.DateTimeField(allow_null=True)


class PoolSerializer(serializers.ModelSerializer[Pool]):
    """Nodes that belong together. ``dedicated``: only jobs that ask for the pool are rendered there."""

    class Meta:
        model = Pool
        fields = ("id", "name", "dedicated", "note", "row_version")
        read_only_fields = fields


class PoolBody(Versioned):
    """What a pool is to be."""

    name = serializers.SlugField(max_length=50)
    dedicated = serializers.BooleanField(default=False)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")


class ScheduleSerializer(serializers.ModelSerializer[Schedule]):
    """When nodes work. Outside they finish what they have and take nothing.

    ``windows``: ``{"days": [0, 6], "from": "19:00", "to": "08:00"}``, 0 is Monday; an end that is not after
    its beginning is on the next day.
    """

    windows = serializers.ListField(child=serializers.DictField(), read_only=True)

    class Meta:
        model = Schedule
        fields = ("id", "name", "timezone", "windows", "row_version")
        read_only_fields = fields


class ScheduleBody(Versioned):
    """What a schedule is to be: ``windows`` as ``[{"days": [0], "from": "19:00", "to": "08:00"}]``."""

    name = serializers.SlugField(max_length=50)
    timezone = serializers.CharField(max_length=60)
    windows = serializers.ListField(child=serializers.DictField(), max_length=50)
