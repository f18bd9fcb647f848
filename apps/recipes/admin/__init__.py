"""The recipes' side of the admin. Importing the modules registers their pages."""

from apps.recipes.admin import recipes, runs, shots

__all__ = ["recipes", "runs", "shots"]
