"""What the library is in a film: the studio's rows and its own, its texts, its looks and rules."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from apps.common.show import spoken
from apps.presets.models import (
    CinematicPreset,
    Look,
    LookPreset,
    PresetCategory,
    PresetOverride,
    PresetRule,
    in_library,
)
from apps.presets.rules import BadTerm, Choice, Rule, parse
from apps.projects.selectors import Person, projects_for

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Texts:
    """What a preset says in a film. Korean may be empty: then the English speaks."""

    prompt: str
    prompt_ko: str
    negative: str
    negative_ko: str


def texts_of(preset: CinematicPreset, override: PresetOverride | None) -> Texts:
    """A preset's texts with a film's own in their place. Said in one language, it replaces both."""
    pairs: list[str] = []
    for name in ("prompt_fragment", "negative_fragment"):
        own = [str(getattr(override, name + end)) for end in ("", "_ko")] if override else ["", ""]
        studios = [str(getattr(preset, name + end)) for end in ("", "_ko")]
        pairs += own if any(own) else studios
    return Texts(*pairs)


def overrides_in(projects: Collection[UUID]) -> dict[tuple[UUID, UUID], PresetOverride]:
    """What these films say instead of the studio, by (project, preset): one query."""
    rows = PresetOverride.objects.filter(project__in=projects)
    return {(row.project_id, row.preset_id): row for row in rows}


def offered_presets(project_id: UUID | None) -> QuerySet[CinematicPreset]:
    """The presets a shot of this film may be given: not archived, not hidden there. In library order."""
    hidden = PresetOverride.objects.filter(preset=OuterRef("pk"), project=project_id, hidden=True)
    return (
        CinematicPreset.objects.filter(in_library(project_id), archived=False, category__archived=False)
        .exclude(Exists(hidden))
        .select_related("category")
        .order_by("category__order", "category__slug", "order", "slug")
    )


def presets_by_ref(project_id: UUID | None) -> dict[str, CinematicPreset]:
    """The presets offered in a film by category/slug; a film's own stands before the studio's. One query."""
    found: dict[str, CinematicPreset] = {}
    for preset in offered_presets(project_id):
        if preset.ref not in found or preset.project_id is not None:
            found[preset.ref] = preset
    return found


@dataclass
class Group:
    """A category and what is offered of it, for picking."""

    category: PresetCategory
    options: list[Option] = field(default_factory=list)


@dataclass(frozen=True)
class Option:
    """A preset to pick. ``withdrawn``: archived or hidden, there because the shot has it."""

    preset: CinematicPreset
    texts: Texts
    withdrawn: bool = False


def groups_for(project_id: UUID | None, keep: Collection[UUID] = ()) -> list[Group]:
    """Everything to pick from in a film, by category; ``keep``: presets shown even if withdrawn. Two or three
    queries."""
    rows = list(offered_presets(project_id))
    offered = {preset.pk for preset in rows}
    missing = set(keep) - offered
    if missing:
        rows += CinematicPreset.objects.filter(pk__in=missing).select_related("category")
        rows.sort(key=lambda row: (row.category.order, row.category.slug, row.order, row.slug))
    overrides = overrides_in([project_id]) if project_id else {}
    groups: dict[UUID, Group] = {}
    for preset in rows:
        group = groups.setdefault(preset.category_id, Group(preset.category))
        override = overrides.get((project_id, preset.pk)) if project_id else None
        group.options.append(Option(preset, texts_of(preset, override), preset.pk not in offered))
    return list(groups.values())


def chosen(presets: Iterable[CinematicPreset]) -> tuple[Choice, ...]:
    """Presets as rules see them. Read the category with the rows."""
    return tuple(Choice(preset.ref, preset.params or {}) for preset in presets)


def rules_in(projects: Collection[UUID | None]) -> dict[UUID | None, tuple[Rule, ...]]:
    """The rules that hold in each film: the studio's and its own; None: the studio's alone. One query."""
    films = [key for key in projects if key is not None]
    rows = PresetRule.objects.filter(Q(project=None) | Q(project__in=films), archived=False)
    read = [(row.project_id, rule) for row in rows if (rule := as_rule(row)) is not None]
    return {key: tuple(rule for project, rule in read if project in (None, key)) for key in projects}


def as_rule(row: PresetRule) -> Rule | None:
    """A row ready to be held against shots; None for one that cannot be read, which is logged."""
    try:
        when, other = parse(row.when), parse(row.other)
    except BadTerm as bad:
        # Services refuse such a rule; only a hand in the database can have written it.
        logger.error("preset rule cannot be read", extra={"rule": row.slug, "term": bad.term})
        return None
    return Rule(
        slug=row.slug,
        kind=row.kind,
        severity=row.severity,
        when=when,
        other=other,
        message=row.message,
        message_ko=row.message_ko,
    )


def looks_for(project_id: UUID | None) -> QuerySet[Look]:
    """The looks of a film, with their presets: two queries."""
    parts = LookPreset.objects.select_related("preset__category").order_by("order")
    return Look.objects.filter(in_library(project_id), archived=False).prefetch_related(
        Prefetch("look_presets", parts)
    )


def seen_by(rows: QuerySet[Any], person: Person) -> QuerySet[Any]:
    """Narrow rows of the library to the studio's and those of the person's films."""
    return rows.filter(Q(project=None) | Q(project__in=projects_for(person)))


def preset_names() -> dict[str, str]:
    """What pages call a preset that is written category/slug ("Shot size: Close-up"), in the language of
    whoever looks. Left out: what two films call differently. One query."""
    told: dict[str, set[str]] = defaultdict(set)
    for preset in CinematicPreset.objects.select_related("category"):
        told[preset.ref].add(f"{spoken(preset.category, 'name')}: {spoken(preset, 'name')}")
    return {ref: names.pop() for ref, names in told.items() if len(names) == 1}
