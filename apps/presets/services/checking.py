"""What makes a row of the library right, beyond what its columns say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.common.validation import clean
from apps.presets.models import CinematicPreset, Look, PresetCategory, PresetRule, in_library
from apps.presets.rules import BadTerm, Term, parse


def check_row(row: PresetCategory | CinematicPreset | Look | PresetRule) -> None:
    """Raise Refused with every fault of a row that is about to be saved."""
    clean(row)
    problems = list(faults_of(row))
    if problems:
        raise Refused(*problems)


def faults_of(row: PresetCategory | CinematicPreset | Look | PresetRule) -> Iterator[Problem]:
    """What is wrong with a row whose columns are right."""
    if isinstance(row, CinematicPreset):
        yield from _faults_of_preset(row)
    elif isinstance(row, PresetRule):
        yield from _faults_of_rule(row)
    yield from _shadows(row)


def _faults_of_preset(preset: CinematicPreset) -> Iterator[Problem]:
    home = preset.category.project_id
    if home is not None and home != preset.project_id:
        told = _("this category is another project's own; choose one of the studio's or of this project")
        yield Problem("category", preset.category.name, told)
    if not isinstance(preset.params, dict):
        yield Problem("params", str(preset.params), _('write an object such as {"focal_mm": 35}'))
    if not (preset.prompt_fragment or preset.prompt_fragment_ko or preset.params):
        yield Problem("prompt_fragment", "", _("write prompt text, or parameters"))


def _shadows(row: PresetCategory | CinematicPreset | Look | PresetRule) -> Iterator[Problem]:
    """A film's own row never stands in the way of the studio's, nor the other way: one name means one thing.

    Presets are named by their categories' keys, so a preset of a film's own category counts as well.
    """
    studios = row.project_id is None
    others: QuerySet[Any] = type(row)._default_manager.filter(project__isnull=not studios, slug=row.slug)
    if isinstance(row, CinematicPreset):
        others = others.filter(category__slug=row.category.slug)
    if others.exclude(pk=row.pk).exists():
        told = _("the studio has one of this key; choose another, or change what it says in this project")
        if studios:
            told = _("a project has one of its own of this key; choose another")
        yield Problem("slug", row.slug, told, code="taken")


def _faults_of_rule(rule: PresetRule) -> Iterator[Problem]:
    """What is wrong with a rule's terms."""
    terms: list[tuple[str, Term]] = []
    for field in ("when", "other"):
        try:
            read = parse(getattr(rule, field))
        except BadTerm as bad:
            told = _("“%(term)s” cannot be read; write it like %(known)s")
            yield Problem(field, bad.term, told % {"term": bad.term, "known": bad.known}, code="bad_term")
            continue
        if not read:
            yield Problem(field, "", _("write at least one term, such as preset:shot_size/close-up"))
        terms += [(field, term) for condition in read for term in condition]
    yield from _unknown(rule, terms)


def _unknown(rule: PresetRule, terms: list[tuple[str, Term]]) -> Iterator[Problem]:
    named = [term.value for _field, term in terms if term.subject in ("preset", "category")]
    if not named:
        return
    there = in_library(rule.project_id)
    known = set(PresetCategory.objects.filter(there).values_list("slug", flat=True))
    for category, slug in CinematicPreset.objects.filter(
        there, slug__in=[name.rpartition("/")[2] for name in named]
    ).values_list("category__slug", "slug"):
        known.add(f"{category}/{slug}")
    for field, term in terms:
        if term.subject in ("preset", "category") and term.value not in known:
            yield Problem(field, str(term), _("the library has nothing of this name"), code="unknown_preset")
