"""What sequences and shots look like over HTTP. Rows of a project are named by their codes."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.characters.models import MOST_WEIGHT
from apps.common.strict import OneOf, Strict
from apps.presets.api.serializers import BrokenRule
from apps.presets.words import told
from apps.productions.continuity import shot_called
from apps.productions.editing import Part
from apps.productions.models import (
    MAX_FRAMES,
    Episode,
    Keeps,
    Location,
    Sequence,
    Shot,
    ShotStatus,
    TimeOfDay,
    Weather,
)
from apps.productions.preset_facts import problems_of
from apps.productions.states import SHOT
from apps.projects.api_scope import ProjectCode
from apps.projects.models import MOST_HANDLES, Project


class SequenceSerializer(Strict, serializers.ModelSerializer[Sequence]):
    """A run of shots. Without a ``code`` it gets the project's next, such as SQ040."""

    project = ProjectCode()
    code = serializers.CharField(max_length=20, required=False)
    episode = serializers.CharField(
        source="episode.code", required=False, allow_null=True, default=None, help_text="The episode's code"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        code = (attrs.pop("episode", None) or {}).get("code")
        return attrs | {"episode": episode_of(code, attrs["project"])}

    class Meta:
        model = Sequence
        fields = (
            "id",
            "project",
            "episode",
            "code",
            "name",
            "name_ko",
            "period_year",
            "order",
            "row_version",
        )
        read_only_fields = ("order", "row_version")
        validators: list[Any] = []


def episode_of(code: str | None, project: Project) -> Episode | None:
    """Return a project's episode by code, None for none. Raises ValidationError for an unknown code."""
    if not code:
        return None
    episode = Episode.objects.filter(project=project, code=code).first()
    if episode is None:
        told = _("There is no such episode in %s.") % project.code
        raise serializers.ValidationError({"episode": told}, code="does_not_exist")
    return episode


class PartSerializer(Strict):
    """A character in a shot. ``costume``: the name of one of its costumes; empty for its default."""

    character = serializers.CharField(source="character.code")
    action = serializers.CharField(required=False, allow_blank=True)
    action_ko = serializers.CharField(required=False, allow_blank=True)
    costume = serializers.CharField(required=False, allow_blank=True, source="costume.name", default="")
    costume_override = serializers.CharField(required=False, allow_blank=True)
    costume_override_ko = serializers.CharField(required=False, allow_blank=True)
    lora_weight = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=MOST_WEIGHT)


def part_from(data: dict[str, Any]) -> Part:
    """Read a part that PartSerializer found right."""
    return Part(
        character=data["character"]["code"],
        action=data.get("action", ""),
        action_ko=data.get("action_ko", ""),
        costume=data.get("costume", {}).get("name", ""),
        costume_override=data.get("costume_override", ""),
        costume_override_ko=data.get("costume_override_ko", ""),
        lora_weight=data.get("lora_weight"),
    )


class ShotSerializer(serializers.ModelSerializer[Shot]):
    """A shot. ``frames`` and ``handles`` count at the project's fps; presets are category/slug.

    ``cut_in`` and ``cut_out``: the numbers of its first and last frame in the cut.

    Send ``row_version`` back with a change.
    """

    project = serializers.CharField(source="project.code", read_only=True)
    sequence = serializers.CharField(source="sequence.code", read_only=True)
    full_code = serializers.CharField(read_only=True)
    status = serializers.ChoiceField(choices=SHOT.states, source="status_id", read_only=True)
    studio_status = serializers.CharField(
        source="studio_status_id",
        read_only=True,
        allow_null=True,
        help_text="The studio's own status within it, null for none",
    )
    continuity_from = serializers.CharField(
        source="continuity_from.full_code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="The shot it continues",
    )
    location = serializers.CharField(source="location.code", read_only=True, default=None, allow_null=True)
    casting = PartSerializer(many=True, read_only=True)
    presets = serializers.SerializerMethodField()
    cut_in = serializers.IntegerField(source="first_cut_frame", read_only=True)
    cut_out = serializers.IntegerField(read_only=True)
    assignees: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        slug_field="username", many=True, read_only=True
    )

    class Meta:
        model = Shot
        fields: tuple[str, ...] = (
            "id",
            "project",
            "sequence",
            "code",
            "full_code",
            "order",
            "status",
            "studio_status",
            "description",
            "description_ko",
            "dialogue",
            "frames",
            "handles",
            "cut_in",
            "cut_out",
            "continuity_from",
            "continuity_keep",
            "continuity_frames",
            "locked_by",
            "locked_at",
            "retake_count",
            "assignees",
            "location",
            "weather",
            "time_of_day",
            "negative",
            "preset_override",
            "seed",
            "notes",
            "casting",
            "presets",
            "row_version",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    def get_presets(self, shot: Shot) -> list[str]:
        """Category and slug of each, in the shot's order."""
        return [f"{used.preset.category.slug}/{used.preset.slug}" for used in shot.shot_presets.all()]


class ShotDetail(ShotSerializer):
    """A shot, and the rules for presets that it breaks as it stands."""

    preset_problems = serializers.SerializerMethodField()

    class Meta(ShotSerializer.Meta):
        fields = (*ShotSerializer.Meta.fields, "preset_problems")
        read_only_fields = fields

    @extend_schema_field(BrokenRule(many=True))
    def get_preset_problems(self, shot: Shot) -> list[dict[str, Any]]:
        return told(problems_of([shot], rendered=True)[shot.pk])


class SaidOfShot(Strict):
    """What may be said of a shot."""

    description = serializers.CharField(required=False, allow_blank=True)
    description_ko = serializers.CharField(required=False, allow_blank=True)
    dialogue = serializers.CharField(required=False, allow_blank=True)
    frames = serializers.IntegerField(required=False, min_value=1, max_value=MAX_FRAMES)
    handles = serializers.IntegerField(required=False, min_value=0, max_value=MOST_HANDLES)
    cut_in = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=20_000_000)
    continuity_from = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="The shot it continues, such as SQ010_SH0020, or null",
    )
    continuity_keep = OneOf(choices=Keeps.choices, required=False)
    continuity_frames = serializers.IntegerField(required=False, min_value=1, max_value=1000)
    location = serializers.CharField(required=False, allow_null=True, help_text="The location's code")
    weather = OneOf(choices=Weather.choices, required=False, allow_blank=True)
    time_of_day = OneOf(choices=TimeOfDay.choices, required=False, allow_blank=True)
    negative = serializers.CharField(required=False, allow_blank=True)
    preset_override = serializers.CharField(
        required=False, allow_blank=True, max_length=300, help_text="Why presets may break a hard rule"
    )
    seed = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=2**53 - 1)
    notes = serializers.CharField(required=False, allow_blank=True)
    casting = PartSerializer(many=True, required=False)
    presets = serializers.ListField(child=serializers.CharField(max_length=140), required=False)


class ShotChange(SaidOfShot):
    """A change. Lists replace what was there; ``row_version`` as you read it (If-Match says the same)."""

    row_version = serializers.IntegerField(required=False, min_value=0)


class OfSequence(Strict):
    """What names a sequence of a project."""

    project = ProjectCode()
    sequence = serializers.CharField(max_length=20, help_text="The sequence's code")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        sequence = Sequence.objects.filter(project=attrs["project"], code=attrs["sequence"]).first()
        if sequence is None:
            told = _("There is no such sequence in %s.") % attrs["project"].code
            raise serializers.ValidationError({"sequence": told}, code="does_not_exist")
        return attrs | {"sequence": sequence}


class NewShot(OfSequence, SaidOfShot):
    """A new shot. Without a ``code`` it gets the sequence's next, such as SH0040."""

    code = serializers.CharField(max_length=20, required=False)


class StatusSlug(serializers.CharField):
    """A status that is offered, by its slug: the machine's, or one of the studio's."""

    def to_internal_value(self, data: Any) -> str:
        slug = super().to_internal_value(data)
        offered = list(ShotStatus.objects.filter(archived=False).values_list("slug", flat=True))
        if slug not in offered:
            told = _("choose one of %s") % ", ".join(offered)
            raise serializers.ValidationError(told, code="invalid_choice")
        return slug


class LockBody(Strict):
    """Whether the shot's plan is locked from now on."""

    locked = serializers.BooleanField()


class StatusChange(Strict):
    """Give a shot another status."""

    to = StatusSlug(max_length=20, help_text="See /api/v1/statuses")
    reason = serializers.CharField(required=False, allow_blank=True, default="")


def continued_of(code: str | None, project_id: Any) -> Shot | None:
    """Return the shot of a project with this full code, None for none. Raises ValidationError."""
    if not code:
        return None
    found = shot_called(code, project_id)
    if found is None:
        raise serializers.ValidationError(
            {"continuity_from": _("There is no such shot in this project; write it as SQ010_SH0020.")},
            code="does_not_exist",
        )
    return found


def location_of(code: str | None, project_id: Any) -> Location | None:
    """Return a project's location by code, None for none. Raises ValidationError for an unknown code."""
    if not code:
        return None
    location = Location.objects.filter(project=project_id, code=code).first()
    if location is None:
        raise serializers.ValidationError(
            {"location": _("There is no such location in this project.")}, code="does_not_exist"
        )
    return location
