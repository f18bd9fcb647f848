"""What statuses of shots and automations look like over HTTP."""

from __future__ import annotations

from rest_framework import serializers

from apps.common.api_versions import Versioned
from apps.common.strict import OneOf
from apps.productions.api.serializers import StatusSlug
from apps.productions.models import Automation, Deed, ShotStatus, Trigger
from apps.productions.states import SHOT
from apps.projects.api_scope import ProjectCode


class StatusSerializer(serializers.ModelSerializer[ShotStatus]):
    """A status of shots. ``state``: the machine's state it is a shade of; the machine's own are their own."""

    class Meta:
        model = ShotStatus
        fields = (
            "slug",
            "state",
            "name",
            "name_ko",
            "order",
            "colour",
            "renderable",
            "closed",
            "is_default",
            "is_done",
            "is_wip",
            "is_feedback_request",
            "is_retake",
            "is_artist_allowed",
            "archived",
            "row_version",
        )
        read_only_fields = fields


class StatusBody(Versioned):
    """A status, or what shall change of it. ``slug`` and ``state`` are fixed once it is made.

    ``renderable`` and ``closed`` are said of the machine's own; shades follow.
    """

    slug = serializers.SlugField(max_length=20)
    state = OneOf(choices=SHOT.states)
    name = serializers.CharField(max_length=60)
    name_ko = serializers.CharField(max_length=60, required=False, allow_blank=True)
    order = serializers.IntegerField(min_value=0, max_value=32_767)
    colour = serializers.CharField(max_length=20, required=False)
    renderable = serializers.BooleanField(required=False)
    closed = serializers.BooleanField(required=False)
    is_default = serializers.BooleanField(required=False)
    is_done = serializers.BooleanField(required=False)
    is_wip = serializers.BooleanField(required=False)
    is_feedback_request = serializers.BooleanField(required=False)
    is_retake = serializers.BooleanField(required=False)
    is_artist_allowed = serializers.BooleanField(required=False)
    archived = serializers.BooleanField(required=False)


class AutomationSerializer(serializers.ModelSerializer[Automation]):
    """When … then …: for one project, or for all (``project`` null)."""

    project = serializers.CharField(source="project.code", read_only=True, default=None, allow_null=True)
    status = serializers.CharField(source="status_id", read_only=True, allow_null=True)
    target = serializers.CharField(source="target_id", read_only=True, allow_null=True)
    trigger = serializers.ChoiceField(choices=Trigger.choices, read_only=True)
    deed = serializers.ChoiceField(choices=Deed.choices, read_only=True)
    from_states = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Automation
        fields = (
            "id",
            "project",
            "name",
            "name_ko",
            "order",
            "trigger",
            "stage",
            "status",
            "from_states",
            "deed",
            "target",
            "active",
            "builtin",
            "row_version",
        )
        read_only_fields = fields


class AutomationBody(Versioned):
    """An automation, or what shall change of it. ``project``: once made it stays where it is."""

    project = ProjectCode(required=False, allow_null=True)
    name = serializers.CharField(max_length=100)
    name_ko = serializers.CharField(max_length=100, required=False, allow_blank=True)
    order = serializers.IntegerField(min_value=0, max_value=1_000_000, required=False)
    trigger = OneOf(choices=Trigger.choices)
    stage = serializers.CharField(max_length=10, required=False, allow_blank=True)
    status = StatusSlug(required=False, allow_null=True, source="status_id")
    from_states = serializers.ListField(child=OneOf(choices=SHOT.states), required=False)
    deed = OneOf(choices=Deed.choices)
    target = StatusSlug(required=False, allow_null=True, source="target_id")
    active = serializers.BooleanField(required=False)
