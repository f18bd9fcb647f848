"""What is asked of batches and jobs over HTTP: a request's body, a change, a selection."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.common.strict import OneOf, Strict
from apps.projects.api_scope import ProjectCode
from apps.renders.models import Priority
from apps.renders.services.envelope import MOST_AFTER, MOST_TAGS, Envelope
from apps.renders.services.steps import MAX_SEED, MOST_JOBS, MOST_TAKES

MOST_SELECTED: Final = 10_000
"""Jobs one request may name."""


class StepSerializer(Strict):
    """One thing to render of every shot. What is left out comes from template, project or shot."""

    template = serializers.CharField(max_length=80)
    takes = serializers.IntegerField(min_value=1, max_value=MOST_TAKES, default=1)
    width = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    height = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    frames = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    fps = serializers.FloatField(required=False, allow_null=True, min_value=1, max_value=240)
    seed = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=MAX_SEED)
    precision = serializers.CharField(required=False, allow_blank=True, max_length=20)
    start_from = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        help_text="The place (from 0) of an earlier step: wait for its job of the same shot and take, and "
        "start from its file if this template takes one.",
    )
    role = serializers.CharField(
        required=False,
        max_length=40,
        help_text="The input that the earlier step's file fills, if not first_frame, video or pictures.",
    )
    files = serializers.DictField(
        child=serializers.UUIDField(),
        required=False,
        help_text="Files for other inputs, by role (last_frame, control, mask …): the id of a take's "
        "file or of a character's reference picture. References that are not named are the cast's pictures.",
    )


class _Wishes(Strict):
    """When and where jobs render. What is left out is no wish, or stays as it is."""

    start_after = serializers.DateTimeField(required=False, allow_null=True)
    deadline = serializers.DateTimeField(required=False, allow_null=True)
    pool = serializers.CharField(
        required=False, allow_blank=True, max_length=50, help_text="A pool's name; empty: any node."
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        max_length=MOST_TAGS,
        help_text="Words a node must have, all of them.",
    )
    pinned_to = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text="The one node's name; empty: any node."
    )


class _Order(Strict):
    """What to render, and how."""

    project = ProjectCode()
    shots = serializers.ListField(
        child=serializers.CharField(max_length=50), min_length=1, max_length=MOST_JOBS
    )
    steps = StepSerializer(many=True, allow_empty=False)
    priority = OneOf(choices=Priority.choices, default=Priority.NORMAL)
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    paused = serializers.BooleanField(
        required=False, default=False, help_text="Make the batch, and let it wait until somebody resumes it."
    )
    after = serializers.ListField(
        child=serializers.CharField(max_length=20),
        required=False,
        max_length=MOST_AFTER,
        help_text="Codes of jobs that must have succeeded before any of these starts.",
    )


class BatchRequest(_Order, _Wishes):
    """What to render. Shots by full code (SQ010_SH0040) or id; the order counts."""

    def envelope(self) -> Envelope:
        """The wishes, once the body is valid."""
        data = self.validated_data
        return Envelope(
            priority=data["priority"],
            note=data["note"],
            start_after=data.get("start_after"),
            deadline=data.get("deadline"),
            pool=data.get("pool", ""),
            tags=tuple(data.get("tags", ())),
            pinned_to=data.get("pinned_to", ""),
            paused=data["paused"],
            after=tuple(data.get("after", ())),
        )


class Change(_Wishes):
    """What to change in open jobs. Pool, tags, pin and start count only until a node has the job."""

    priority = OneOf(choices=Priority.choices, required=False)
    paused = serializers.BooleanField(required=False)
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Why; it stands in each job's story."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() - {"reason", "jobs"}:
            known = ", ".join(sorted(set(map(str, self.fields.keys())) - {"reason", "jobs"}))
            raise serializers.ValidationError(_("say what to change: %s") % known, code="required")
        return attrs


class _Selection(Strict):
    """Jobs by code (J000012) or id."""

    jobs = serializers.ListField(
        child=serializers.CharField(max_length=50), min_length=1, max_length=MOST_SELECTED
    )


class ChangeMany(Change, _Selection):
    """What to change in which jobs."""


class CancelMany(_Selection):
    """Which jobs to cancel."""

    dependents = serializers.BooleanField(
        required=False, default=False, help_text="And whatever waits for them, however long the chain."
    )


class PriorityChange(Strict):
    """A priority class."""

    priority = OneOf(choices=Priority.choices)


class PauseChange(Strict):
    """Hold back, or let go on."""

    paused = serializers.BooleanField()
