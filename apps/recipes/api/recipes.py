"""The recipes of the farm: read by all who work with it, edited by those whom Django's permissions let."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.person import person_of
from apps.common.api_versions import IF_MATCH, Versioned, version_of, version_said
from apps.common.problems import as_json
from apps.common.strict import OneOf, Strict
from apps.ledger.services.versions import at_version
from apps.projects.api_scope import MemberOrStaff
from apps.recipes.models import Recipe
from apps.recipes.services.checking import problems_of, templates_offered
from apps.recipes.services.editing import RecipeFields, delete_recipe, require_editing, save_recipe
from apps.recipes.spec import MOST_STEPS, Gate, StepSpec
from apps.renders.services.steps import MOST_TAKES


class RecipeStepSerializer(Strict):
    """A step: a template, the input that the take of the step before fills, and what must happen after it."""

    template = serializers.CharField(max_length=80)
    role = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        default="",
        help_text="Which input of the template the take of the step before fills; empty: the one that fits.",
    )
    takes = serializers.IntegerField(min_value=1, max_value=MOST_TAKES, default=1)
    width = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1)
    height = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1)
    precision = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    gate = OneOf(choices=Gate.choices, default=Gate.NONE)
    also = serializers.DictField(
        child=serializers.IntegerField(min_value=1, max_value=MOST_STEPS),
        required=False,
        default=dict,
        help_text="Other inputs of the template, by name, and the number of the earlier step (from 1) whose "
        "take fills each.",
    )


class ProblemSerializer(serializers.Serializer[Any]):
    """What is wrong, where, and what would be right."""

    field = serializers.CharField()
    value = serializers.CharField()
    message = serializers.CharField()
    code = serializers.CharField()


class RecipeSerializer(serializers.ModelSerializer[Recipe]):
    """A recipe. ``problems``: why it cannot be rendered now, such as a template that is not on offer."""

    steps = serializers.SerializerMethodField()
    problems = serializers.SerializerMethodField()

    class Meta:
        model = Recipe
        fields = (
            *("slug", "title", "title_ko", "about", "about_ko"),
            *("active", "builtin", "row_version", "steps", "problems"),
        )
        read_only_fields = fields

    @extend_schema(responses=RecipeStepSerializer(many=True))
    def get_steps(self, recipe: Recipe) -> list[dict[str, Any]]:
        return [spec.as_json() for spec in recipe.specs]

    def get_problems(self, recipe: Recipe) -> list[dict[str, str]]:
        return [as_json(problem) for problem in problems_of(recipe.specs, self.context["templates"])]


class RecipeRequest(Strict):
    """A recipe with its steps in order."""

    slug = serializers.SlugField(max_length=60)
    title = serializers.CharField(max_length=120)
    title_ko = serializers.CharField(max_length=120, required=False, allow_blank=True)
    about = serializers.CharField(max_length=300, required=False, allow_blank=True)
    about_ko = serializers.CharField(max_length=300, required=False, allow_blank=True)
    active = serializers.BooleanField(required=False)
    steps = RecipeStepSerializer(many=True, allow_empty=False)


class RecipeChange(RecipeRequest, Versioned):
    """What to change. ``steps`` replaces them all; runs take it over when somebody renders what changed."""

    slug = None  # type: ignore[assignment]  # its runs are known by it
    title = serializers.CharField(max_length=120, required=False)
    steps = RecipeStepSerializer(many=True, allow_empty=False, required=False)


class RecipeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Recipe]):
    """Named chains of templates, by name."""

    queryset = Recipe.objects.prefetch_related("steps").order_by("slug")
    serializer_class = RecipeSerializer
    permission_classes = (IsAuthenticated, MemberOrStaff)
    lookup_field = "slug"
    lookup_value_regex = "[-a-zA-Z0-9_]+"

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "templates": templates_offered()}

    @extend_schema(request=RecipeRequest, responses={201: RecipeSerializer})
    def create(self, request: Request) -> Response:
        """Make a recipe. Refused, with the place of each fault, unless its steps fit together."""
        require_editing(person_of(request), "add")
        made = self._save(None, self._said(RecipeRequest(data=request.data)))
        return Response(self._told(made), status=status.HTTP_201_CREATED)

    @extend_schema(request=RecipeChange, responses=RecipeSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, slug: str) -> Response:
        """Change a recipe. Its runs stay as they are until somebody renders what changed."""
        recipe = self.get_object()
        require_editing(person_of(request))
        said = self._said(RecipeChange(data=request.data))
        with at_version(recipe, version_said(request, said), user=person_of(request)):
            self._save(recipe, said)
        return Response(self._told(recipe))

    @extend_schema(request=Versioned, responses={204: None}, parameters=[IF_MATCH])
    def destroy(self, request: Request, slug: str) -> Response:
        """Delete a recipe that was never run. 409: it was, or it came with the farm; stop offering it."""
        recipe, user = self.get_object(), person_of(request)
        require_editing(user, "delete")
        with at_version(recipe, version_of(request), user=user):
            delete_recipe(recipe, user=user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @staticmethod
    def _said(body: Strict) -> dict[str, Any]:
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def _save(self, recipe: Recipe | None, said: dict[str, Any]) -> Recipe:
        steps = said.pop("steps", None)
        specs = None if steps is None else [StepSpec(**step) for step in steps]
        return save_recipe(recipe, cast(RecipeFields, said), specs, user=person_of(self.request))

    def _told(self, recipe: Recipe) -> Any:
        return self.get_serializer(self.get_queryset().get(pk=recipe.pk)).data
