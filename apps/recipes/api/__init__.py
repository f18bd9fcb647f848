"""Recipes and their runs over HTTP."""

from apps.recipes.api.recipes import RecipeViewSet
from apps.recipes.api.runs import RunViewSet

__all__ = ["RecipeViewSet", "RunViewSet"]
