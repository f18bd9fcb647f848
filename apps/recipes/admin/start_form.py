"""The form that starts a recipe on shots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from apps.common.errors import Problem
from apps.common.show import spoken
from apps.recipes.admin.recipes import chain_cell
from apps.recipes.models import Recipe
from apps.recipes.services.checking import problems_of, templates_offered
from apps.renders.admin.fields import choice, set_choices
from apps.renders.admin.render_form import HowForm


@dataclass(frozen=True)
class Offer:
    """A recipe as the page lists it, and why it cannot be started, if it cannot."""

    recipe: Recipe
    title: str
    about: str
    chain: SafeString
    problems: list[Problem]


class StartForm(HowForm):
    """Which recipe, and how. Only recipes that can be rendered are offered; the others say why not."""

    recipe = choice(gettext_lazy("Recipe"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["recipe"].required = True
        templates = templates_offered()
        self.offers = [
            Offer(
                recipe=recipe,
                title=spoken(recipe, "title"),
                about=spoken(recipe, "about"),
                chain=chain_cell(recipe.specs),
                problems=problems_of(recipe.specs, templates),
            )
            for recipe in Recipe.objects.filter(active=True).prefetch_related("steps")
        ]
        sound = [offer for offer in self.offers if not offer.problems]
        choices = [(offer.recipe.slug, f"{offer.title} · {offer.recipe.slug}") for offer in sound]
        set_choices(self.fields["recipe"], choices)

    def chosen(self) -> Recipe:
        """The recipe, once the form is valid."""
        slug = self.cleaned_data["recipe"]
        return next(offer.recipe for offer in self.offers if offer.recipe.slug == slug)
