"""Make and change recipes. The whole farm shares them, so Django's permissions say who may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, lacks_permission
from apps.common.validation import clean
from apps.ledger.services.recording import changing
from apps.recipes.models import Recipe, RecipeStep
from apps.recipes.services.checking import require_sound, templates_offered
from apps.recipes.spec import StepSpec


class RecipeFields(TypedDict, total=False):
    """What people set."""

    slug: str
    title: str
    title_ko: str
    about: str
    about_ko: str
    active: bool


def require_editing(user: User, deed: str = "change") -> None:
    """Raise NotAllowed unless this user may add, change or delete recipes."""
    permission = f"recipes.{deed}_recipe"
    if not user.has_perm(permission):
        raise lacks_permission(user, permission)


def save_recipe(
    recipe: Recipe | None, fields: RecipeFields, steps: Sequence[StepSpec] | None, *, user: User
) -> Recipe:
    """Make a recipe, or change one, which the caller has claimed; ``steps`` None leaves them.

    Raises Refused with every problem.
    """
    require_editing(user, "change" if recipe else "add")
    row = recipe or Recipe()
    for name, value in fields.items():
        setattr(row, name, value)
    clean(row)
    if steps is not None or recipe is None:
        require_sound(steps or (), templates_offered())
    with changing(Recipe, [row.pk] if recipe else [], actor=user) as change:
        row.save(force_insert=recipe is None)
        if recipe is None:
            change.born(row)
        if steps is not None:
            write_steps(row, steps)
    return row


def write_steps(recipe: Recipe, steps: Sequence[StepSpec]) -> None:
    """Replace a recipe's steps by these."""
    recipe.steps.all().delete()
    RecipeStep.objects.bulk_create(
        RecipeStep(recipe=recipe, position=place, **spec.as_json()) for place, spec in enumerate(steps)
    )


def delete_recipe(recipe: Recipe, *, user: User) -> None:
    """Delete a recipe nobody has run. Raises Refused for one that was run, or came with a release."""
    require_editing(user, "delete")
    if recipe.builtin:
        told = _("this recipe came with the farm and would come again; stop offering it instead")
        raise Conflict(Problem("recipe", recipe.slug, told, code="builtin"))
    try:
        with changing(Recipe, [recipe.pk], actor=user):
            recipe.delete()
    except ProtectedError as exc:
        told = _("this recipe has been run, and its runs stay; stop offering it instead")
        raise Conflict(Problem("recipe", recipe.slug, told, code="in_use")) from exc
