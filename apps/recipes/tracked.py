"""What is remembered of a recipe: its texts, and its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import pgettext_lazy

from apps.accounts.models import User
from apps.common.errors import lacks_permission
from apps.ledger.documents import Children, Document, track
from apps.recipes.models import Recipe, RecipeStep
from apps.recipes.services.checking import require_sound, templates_offered


def _may_edit(recipes: Sequence[Recipe], user: User) -> None:
    if not user.has_perm("recipes.change_recipe"):
        raise lacks_permission(user, "recipes.change_recipe")


def _check_put(recipes: Mapping[Any, Mapping[str, Any]]) -> None:
    changed = [key for key, told in recipes.items() if "steps" in told]
    for recipe in Recipe.objects.filter(pk__in=changed).prefetch_related("steps"):
        require_sound(recipe.specs, templates_offered())


track(
    Document(
        model=Recipe,
        kind="recipe",
        label=("slug",),
        project="",
        left_out=("builtin",),
        steered=("slug",),
        children={
            "steps": Children(
                model=RecipeStep,
                parent="recipe",
                key=("position",),
                label=pgettext_lazy("recipe", "steps"),
            )
        },
        permit=_may_edit,
        check=_check_put,
    )
)
