"""Looks: named sets of presets."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.text import slugify
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.ledger.services.recording import changing
from apps.presets.models import CinematicPreset, Look, LookPreset, in_library
from apps.presets.services.choosing import exclusive_problems, found_presets
from apps.presets.services.editing import add_row, change_row
from apps.projects.models import Project


def create_look(
    *,
    project: Project | None,
    name: str,
    presets: Sequence[str],
    user: User,
    slug: str = "",
    name_ko: str = "",
    description: str = "",
    description_ko: str = "",
    order: int = 0,
) -> Look:
    """Keep a set of presets (category/slug) under a name, for a film or (None) the studio.

    Raises Refused for an unknown preset and for two of an exclusive category, NotAllowed.
    """
    look = Look(
        project=project,
        slug=slug or _slug_of(name, project),
        name=name,
        name_ko=name_ko,
        description=description,
        description_ko=description_ko,
        order=order,
    )
    with changing(Look, actor=user):
        add_row(look, user=user)
        _set_presets(look, presets)
    return look


def change_look(
    look: Look, *, user: User, row_version: int, presets: Sequence[str] | None = None, **fields: str | int
) -> Look:
    """Change a look; ``presets`` replaces its set. Shots that it was applied to keep theirs.

    Raises Conflict, Refused, NotAllowed.
    """
    with changing(Look, [look.pk], actor=user):
        changed = change_row(look, user=user, row_version=row_version, **fields)
        if presets is not None:
            _set_presets(changed, presets)
    changed.refresh_from_db()
    return changed


def set_look_presets(look: Look, presets: Sequence[CinematicPreset]) -> None:
    """Write a look's set in the caller's transaction. Raises Refused for two of an exclusive category."""
    if problems := exclusive_problems(presets):
        raise Refused(*problems)
    LookPreset.objects.filter(look=look).delete()
    LookPreset.objects.bulk_create(
        [LookPreset(look=look, preset=preset, order=order) for order, preset in enumerate(presets)]
    )


def _set_presets(look: Look, refs: Sequence[str]) -> None:
    if not refs:
        raise Refused(Problem("presets", "", _("a look has at least one preset")))
    kept = CinematicPreset.objects.filter(looks=look).select_related("category")
    set_look_presets(look, found_presets(refs, look.project_id, keep=kept))


def _slug_of(name: str, project: Project | None) -> str:
    wanted = slugify(name)[:60] or "look"
    there = in_library(project.pk if project else None)
    taken = set(Look.objects.filter(there, slug__startswith=wanted).values_list("slug", flat=True))
    numbered = [wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3))]
    return next(slug for slug in numbered if slug not in taken)
