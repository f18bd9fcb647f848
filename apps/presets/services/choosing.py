"""Presets by the names people give them, and which of them exclude each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.presets.models import CinematicPreset, PresetCategory, in_library
from apps.presets.selectors import presets_by_ref


def found_presets(
    refs: Sequence[str],
    project_id: UUID | None,
    *,
    keep: Iterable[CinematicPreset] = (),
    field: str = "presets",
) -> list[CinematicPreset]:
    """The presets offered in a film by category/slug, in the order given. Raises Refused for what is not.

    ``keep``: presets that are there already and may stay, though they were archived or hidden since. A name
    that one of them has means that one, whatever else has come by it.
    """
    known = presets_by_ref(project_id) | {preset.ref: preset for preset in keep}
    problems = []
    for index, ref in enumerate(refs):
        if ref not in known:
            told = _("no such preset; write category/slug, such as shot_size/close-up")
            problems.append(Problem(f"{field}[{index}]", ref, told, "unknown_preset"))
        elif ref in refs[:index]:
            problems.append(Problem(f"{field}[{index}]", ref, _("named twice"), "twice"))
    if problems:
        raise Refused(*problems)
    return [known[ref] for ref in refs]


def exclusive_problems(presets: Sequence[CinematicPreset], field: str = "presets") -> list[Problem]:
    """A problem for each second preset of an exclusive category. Read the category with the presets."""
    problems: list[Problem] = []
    first: dict[object, CinematicPreset] = {}
    for index, preset in enumerate(presets):
        rival = first.setdefault(preset.category_id, preset) if preset.category.exclusive else preset
        if rival.pk != preset.pk:
            told = _("“%(category)s” allows one per shot, and %(rival)s is chosen already")
            told %= {"category": preset.category.name, "rival": rival.ref}
            problems.append(Problem(f"{field}[{index}]", preset.ref, told, "exclusive_preset"))
    return problems


def category_named(slug: str, project_id: UUID | None) -> PresetCategory:
    """A category by its slug, a film's own before the studio's. Raises Refused for an unknown one."""
    there = PresetCategory.objects.filter(in_library(project_id), slug=slug)
    found = there.order_by(F("project").asc(nulls_last=True)).first()
    if found is None:
        known = PresetCategory.objects.filter(in_library(project_id), archived=False)
        told = _("there is no such category; known are %s") % ", ".join(known.values_list("slug", flat=True))
        raise Refused(Problem("category", slug, told, "unknown_category"))
    return found
