"""What a request about a run says, and how a run is told."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.common.strict import Strict
from apps.recipes.api.recipes import ProblemSerializer, RecipeStepSerializer
from apps.recipes.models import RecipeRun
from apps.recipes.standing import Stand
from apps.renders.api.requests import BatchRequest
from apps.review.states import Review


class RunRequest(BatchRequest):
    """Which recipe to start on which shots. Wishes hold for its later steps too, as far as they can."""

    steps = None  # type: ignore[assignment]  # the recipe says them
    recipe = serializers.CharField(max_length=60)


class ShotsRequest(Strict):
    """Shots of the run by full code or id; none named: all of them."""

    shots = serializers.ListField(
        child=serializers.CharField(max_length=50), required=False, max_length=5_000
    )


class ShotStep(Strict):
    """A step of one shot; steps count from 1."""

    shot = serializers.CharField(max_length=50)
    step = serializers.IntegerField(min_value=1)


class ChooseRequest(ShotStep):
    """The take that the step goes on with."""

    take = serializers.UUIDField()


class JobOfStep(serializers.Serializer[Any]):
    """A job of a step."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    state = serializers.CharField()


class TakeOfStep(serializers.Serializer[Any]):
    """A take of a step; ``job_id`` tells of which job."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    job_id = serializers.UUIDField()
    review_state = serializers.ChoiceField(choices=Review.choices)
    media_state = serializers.CharField()


class StepStanding(serializers.Serializer[Any]):
    """One step of a shot. ``goes_on_with``: the take that the next step starts from. ``stale``: why it would
    be rendered otherwise now; empty: it would not."""

    step = serializers.IntegerField()
    template = serializers.CharField()
    state = serializers.ChoiceField(choices=Stand.choices)
    waits_for = serializers.CharField()
    stale = serializers.ListField(child=serializers.CharField())
    made_of = serializers.CharField(
        help_text="SHA-256 of all that its last round was made of: template version, values, prompt, LoRAs …"
    )
    goes_on_with = serializers.UUIDField(allow_null=True)
    jobs = JobOfStep(many=True)
    takes = TakeOfStep(many=True)


class ShotStanding(serializers.Serializer[Any]):
    """One shot of a run. ``problems``: why nothing more can be rendered of it now."""

    shot = serializers.CharField()
    problems = ProblemSerializer(many=True)
    steps = StepStanding(many=True)


class RunSerializer(serializers.ModelSerializer[RecipeRun]):
    """A run, by code R00001. ``recipe_changed``: its recipe is another now; see render-changed."""

    project = serializers.CharField(source="project.code", read_only=True)
    recipe = serializers.CharField(source="recipe.slug", read_only=True)
    submitted_by = serializers.CharField(source="submitted_by.username", read_only=True, default=None)
    steps = serializers.ListField(child=RecipeStepSerializer(), read_only=True)
    recipe_changed = serializers.SerializerMethodField()

    class Meta:
        model = RecipeRun
        fields: tuple[str, ...] = (
            *("id", "code", "project", "recipe", "note", "submitted_by", "created_at"),
            *("cancelled_at", "cancelled_by", "steps", "recipe_changed"),
        )
        read_only_fields = fields

    def get_recipe_changed(self, run: RecipeRun) -> bool:
        return run.recipe.specs != run.specs


class RunStanding(RunSerializer):
    """A run, and how each of its shots stands against the recipe as it is now."""

    problems = ProblemSerializer(many=True, read_only=True)
    shots = ShotStanding(many=True, read_only=True)

    class Meta(RunSerializer.Meta):
        fields = (*RunSerializer.Meta.fields, "problems", "shots")
        read_only_fields = fields
