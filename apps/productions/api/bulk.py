"""Bodies and answers of changes to many shots."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.common.strict import OneOf, Strict
from apps.productions.api.serializers import OfSequence
from apps.productions.models import MAX_FRAMES, TimeOfDay, Weather
from apps.projects.api_scope import ProjectCode
from apps.projects.models import MOST_HANDLES


class ShotNamed(Strict):
    """A shot, and the version of it you read: if somebody changed it since, nothing is changed."""

    id = serializers.UUIDField()
    row_version = serializers.IntegerField(min_value=0)


class BulkValues(Strict):
    """What all of these shots shall say."""

    location = serializers.CharField(required=False, allow_null=True, help_text="The location's code")
    weather = OneOf(choices=Weather.choices, required=False, allow_blank=True)
    time_of_day = OneOf(choices=TimeOfDay.choices, required=False, allow_blank=True)
    frames = serializers.IntegerField(required=False, min_value=1, max_value=MAX_FRAMES)
    handles = serializers.IntegerField(required=False, min_value=0, max_value=MOST_HANDLES)
    cut_in = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=20_000_000)
    seed = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=2**53 - 1)
    assignees = serializers.ListField(
        child=serializers.CharField(max_length=150), required=False, help_text="User names"
    )
    description = serializers.CharField(required=False, allow_blank=True)
    description_ko = serializers.CharField(required=False, allow_blank=True)
    dialogue = serializers.CharField(required=False, allow_blank=True)
    negative = serializers.CharField(required=False, allow_blank=True)
    notes = serializers.CharField(required=False, allow_blank=True)


class BulkUpdate(Strict):
    """Many shots of one project, and what they shall say."""

    project = ProjectCode()
    shots = ShotNamed(many=True)
    preview = serializers.BooleanField(required=False, default=False)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "set": BulkValues()}


class ShotChanged(serializers.Serializer[Any]):
    """What it does to one shot: field → [before, after]."""

    id = serializers.CharField(source="shot")
    full_code = serializers.CharField(source="label")
    changes = serializers.DictField(child=serializers.ListField())


class BulkDone(serializers.Serializer[Any]):
    """``batch`` is what /bulk-changes calls it; null for a preview, and where nothing changed."""

    batch = serializers.UUIDField(allow_null=True)
    changed = ShotChanged(many=True)
    unchanged = serializers.IntegerField()


class Reorder(OfSequence):
    """Shots of one sequence in their new order; those that are not named keep their places."""

    shots = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=10_000)
    before = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=10_000,
        help_text="The same shots in the order you read: if they stand in another by now, nothing is changed",
    )


class ReorderDone(serializers.Serializer[Any]):
    """``batch``: null where the shots stood so already."""

    batch = serializers.UUIDField(allow_null=True)
