"""Bring the shipped preset library into the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import models, transaction

from apps.presets.library import DATA, Library, LibraryCategory, LibraryPreset, fingerprint, read_library
from apps.presets.models import CinematicPreset, PresetCategory


@dataclass(frozen=True)
class Loaded:
    """How many rows (categories and presets together) were made, updated and left alone."""

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
    say, and rows the library does not know are never touched.
    """
    return store(read_library(folder), categories=PresetCategory, presets=CinematicPreset)


@transaction.atomic
def store(library: Library, *, categories: Any, presets: Any) -> Loaded:
    """Write a library through the given models: today's, or those of migration 0002.

    So it writes only fields that migration knows; a later field needs a step of its own.
    """
    loaded = _upsert(
        categories, [(_category_values(row), fingerprint(row)) for row in library.categories], key=("slug",)
    )
    ids = dict(categories.objects.values_list("slug", "pk"))
    return loaded + _upsert(
        presets,
        [(_preset_values(row, ids[row.category]), fingerprint(row)) for row in library.presets],
        key=("category_id", "slug"),
    )


def _upsert(model: Any, rows: list[tuple[dict[str, Any], str]], *, key: tuple[str, ...]) -> Loaded:
    existing: Mapping[tuple[Any, ...], models.Model] = {
        tuple(getattr(row, name) for name in key): row for row in model.objects.all()
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
