"""Bring the shipped library into the database: categories, presets, looks and rules."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import models, transaction
from django.db.models import Exists, F, OuterRef

from apps.ledger.services.recording import changing
from apps.presets.library import DATA, Library, LibraryCategory, LibraryPreset, fingerprint, read_library
from apps.presets.models import CinematicPreset, LibraryModel, Look, LookPreset, PresetCategory, PresetRule
from apps.presets.services.editing import free_slug
from apps.presets.shipped import ShippedLook, ShippedRule, read_looks, read_rules

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded:
    """How many rows (categories, presets, looks and rules together) were made, updated and left alone."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: Loaded) -> Loaded:
        return Loaded(
            self.created + other.created, self.changed + other.changed, self.unchanged + other.unchanged
        )


def load_presets(folder: Path = DATA) -> Loaded:
    """Load the library; a second run changes nothing. Raises Refused when a file is wrong.

    A row is written when it is new, or when the library's own row has changed since it was last
    loaded (then the library wins). So a studio's edits stay until the library has something new to
    say, and rows the library does not know are never touched. A project's own row whose key the library
    takes gets the next free one: shots keep it, and one name means one thing.
    """
    library = read_library(folder)
    looks, rules = read_looks(folder, library), read_rules(folder, library)
    with transaction.atomic():
        loaded = store(library, categories=PresetCategory, presets=CinematicPreset)
        loaded += store_looks(looks, model=Look, parts=LookPreset, presets=CinematicPreset)
        loaded += store_rules(rules, model=PresetRule)
        for model in (PresetCategory, CinematicPreset, Look, PresetRule):
            _part_names(model)
        return loaded


def _part_names(model: type[LibraryModel]) -> None:
    """Give films' rows that are called like one of the studio's another key."""
    within = ["category__slug"] if model is CinematicPreset else []
    studios = model._default_manager.filter(project=None)
    same = {name: OuterRef(name) for name in (*within, "slug")}
    rows: Any = model._default_manager.filter(Exists(studios.filter(**same)), project__isnull=False)
    with changing(model, rows.values_list("pk", flat=True), actor=None):
        for row in rows.order_by("pk"):
            slug = free_slug(row)
            rows.filter(pk=row.pk).update(slug=slug, row_version=F("row_version") + 1)
            logger.warning(
                "the library took the key of a project's row", extra={"was": row.slug, "now": slug}
            )


@transaction.atomic
def store(library: Library, *, categories: Any, presets: Any) -> Loaded:
    """Write a library through the given models: today's, or those of migration 0002.

    So it writes only fields that migration knows; a later field needs a step of its own.
    """
    loaded = _upsert(
        categories, [(_category_values(row), fingerprint(row)) for row in library.categories], key=("slug",)
    )
    ids = dict(_of_studio(categories).values_list("slug", "pk"))
    return loaded + _upsert(
        presets,
        [(_preset_values(row, ids[row.category]), fingerprint(row)) for row in library.presets],
        key=("category_id", "slug"),
    )


@transaction.atomic
def store_looks(looks: tuple[ShippedLook, ...], *, model: Any, parts: Any, presets: Any) -> Loaded:
    """Write the shipped looks; a look that is new or has changed gets its presets anew."""
    before = dict(_of_studio(model).values_list("slug", "library_hash"))
    said = [{name: value for name, value in vars(look).items() if name != "presets"} for look in looks]
    rows = [(values, fingerprint(look)) for values, look in zip(said, looks, strict=True)]
    loaded = _upsert(model, rows, key=("slug",))
    fresh = [look for look in looks if before.get(look.slug) != fingerprint(look)]
    ids = dict(_of_studio(model).values_list("slug", "pk"))
    found = {
        f"{category}/{slug}": key
        for category, slug, key in _of_studio(presets).values_list("category__slug", "slug", "pk")
    }
    parts.objects.filter(look__in=[ids[look.slug] for look in fresh]).delete()
    parts.objects.bulk_create(
        [
            parts(look_id=ids[look.slug], preset_id=found[ref], order=order)
            for look in fresh
            for order, ref in enumerate(look.presets)
        ],
        ignore_conflicts=True,
    )
    return loaded


@transaction.atomic
def store_rules(rules: tuple[ShippedRule, ...], *, model: Any) -> Loaded:
    """Write the shipped rules."""
    return _upsert(model, [(dict(vars(rule)), fingerprint(rule)) for rule in rules], key=("slug",))


def _of_studio(model: Any) -> models.QuerySet[Any]:
    """The rows that are no project's. Before migration 0003 no row was."""
    rows: models.QuerySet[Any] = model.objects.all()
    fields = {field.name for field in model._meta.get_fields()}
    return rows.filter(project=None) if "project" in fields else rows


def _upsert(model: Any, rows: list[tuple[dict[str, Any], str]], *, key: tuple[str, ...]) -> Loaded:
    existing: Mapping[tuple[Any, ...], models.Model] = {
        tuple(getattr(row, name) for name in key): row for row in _of_studio(model)
    }
    new, changed = [], 0
    for values, shipped in rows:
        row: Any = existing.get(tuple(values[name] for name in key))
        if row is None:
            new.append(model(**values, library_hash=shipped))
        elif row.library_hash != shipped:
            for name, value in values.items():
                setattr(row, name, value)
            row.library_hash = shipped
            row.row_version += 1
            row.save()
            changed += 1
    # Two coordinators may start at once: the second finds the rows there, which is what it wanted.
    model.objects.bulk_create(new, ignore_conflicts=True)
    return Loaded(created=len(new), changed=changed, unchanged=len(rows) - len(new) - changed)


def _category_values(row: LibraryCategory) -> dict[str, Any]:
    return {
        "slug": row.slug,
        "name": row.name,
        "name_ko": row.name_ko,
        "order": row.order,
        "exclusive": row.exclusive,
    }


def _preset_values(row: LibraryPreset, category_id: Any) -> dict[str, Any]:
    return {
        "category_id": category_id,
        "slug": row.slug,
        "name": row.name,
        "name_ko": row.name_ko,
        "channel": row.channel,
        "order": row.order,
        "prompt_fragment": row.prompt_fragment,
        "negative_fragment": row.negative_fragment,
        "params": row.params,
    }
