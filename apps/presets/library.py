"""The preset library that ships with the farm: two CSV files, read and checked row by row."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from apps.common.errors import Problem, Refused

DATA = Path(__file__).parent / "data"
CATEGORY_COLUMNS = ("category", "name", "name_ko")
PRESET_COLUMNS = (
    "category",
    "exclusive_in_category",
    "channel",
    "slug",
    "name",
    "name_ko",
    "prompt_fragment",
    "negative_fragment",
    "params_json",
)
CHANNELS = ("both", "image", "video")
_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")


@dataclass(frozen=True)
class LibraryCategory:
    """A row of categories.csv; ``order`` is its place in the file, from 1."""

    slug: str
    name: str
    name_ko: str
    order: int
    exclusive: bool


@dataclass(frozen=True)
class LibraryPreset:
    """A row of presets.csv; ``order`` is its place within its category, from 1."""

    category: str
    slug: str
    name: str
    name_ko: str
    channel: str
    order: int
    prompt_fragment: str
    negative_fragment: str
    params: dict[str, Any]


@dataclass(frozen=True)
class Library:
    """Everything that ships, in the order of the files."""

    categories: tuple[LibraryCategory, ...]
    presets: tuple[LibraryPreset, ...]


def fingerprint(row: Any) -> str:
    """SHA-256 over all the library says of a row (a dataclass): it changes exactly when that row does."""
    text = json.dumps(asdict(row), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_library(folder: Path = DATA) -> Library:
    """Read categories.csv and presets.csv. Raises Refused with every problem, by file, row and column."""
    return _Reader(folder).read()


class _Reader:
    """Reads both files and gathers what is wrong with them, so that one run shows it all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Problem] = []

    def read(self) -> Library:
        names = self._category_names()
        presets, exclusive = self._presets(names)
        if self.problems:
            raise Refused(*self.problems)
        categories = tuple(
            LibraryCategory(slug, row["name"], row["name_ko"], order, exclusive.get(slug, True))
            for order, (slug, row) in enumerate(names.items(), start=1)
        )
        return Library(categories, tuple(presets))

    def _category_names(self) -> dict[str, dict[str, str]]:
        names: dict[str, dict[str, str]] = {}
        for number, row in self._rows("categories.csv", CATEGORY_COLUMNS):
            where = f"categories.csv row {number}"
            self._check_slug(f"{where}, category", row["category"])
            self._check_filled(f"{where}, name", row["name"])
            if row["category"] in names:
                self._wrong(f"{where}, category", row["category"], "is there twice; keep one row")
            names[row["category"]] = row
        return names

    def _presets(self, names: dict[str, dict[str, str]]) -> tuple[list[LibraryPreset], dict[str, bool]]:
        presets: list[LibraryPreset] = []
        exclusive: dict[str, bool] = {}
        counts: dict[str, int] = {}
        seen: set[tuple[str, str]] = set()
        for number, row in self._rows("presets.csv", PRESET_COLUMNS):
            where = f"presets.csv row {number}"
            category, slug = row["category"], row["slug"]
            if category not in names:
                self._wrong(f"{where}, category", category, f"is not in categories.csv ({', '.join(names)})")
            self._check_slug(f"{where}, slug", slug)
            if (category, slug) in seen:
                self._wrong(f"{where}, slug", slug, f"is there twice in {category}; keep one row")
            seen.add((category, slug))
            self._check_filled(f"{where}, name", row["name"])
            if row["channel"] not in CHANNELS:
                self._wrong(f"{where}, channel", row["channel"], f"use one of {', '.join(CHANNELS)}")
            self._check_exclusive(where, row, exclusive)
            params = self._params(f"{where}, params_json", row["params_json"])
            if not row["prompt_fragment"] and not params:
                self._wrong(f"{where}, prompt_fragment", "", "write prompt text, or params_json")
            counts[category] = counts.get(category, 0) + 1
            presets.append(
                LibraryPreset(
                    category=category,
                    slug=slug,
                    name=row["name"],
                    name_ko=row["name_ko"],
                    channel=row["channel"],
                    order=counts[category],
                    prompt_fragment=row["prompt_fragment"],
                    negative_fragment=row["negative_fragment"],
                    params=params,
                )
            )
        return presets, exclusive

    def _check_exclusive(self, where: str, row: dict[str, str], exclusive: dict[str, bool]) -> None:
        value, category = row["exclusive_in_category"], row["category"]
        if value not in {"0", "1"}:
            self._wrong(f"{where}, exclusive_in_category", value, "use 1 (at most one per shot) or 0")
        elif exclusive.setdefault(category, value == "1") != (value == "1"):
            self._wrong(
                f"{where}, exclusive_in_category",
                value,
                f"other rows of {category} say otherwise",
            )

    def _params(self, field: str, text: str) -> dict[str, Any]:
        if not text:
            return {}
        try:
            params = json.loads(text)
        except json.JSONDecodeError as error:
            self._wrong(field, text, f'is not JSON ({error}); write an object such as {{"focal_mm": 35}}')
            return {}
        if not isinstance(params, dict):
            self._wrong(field, text, 'write a JSON object such as {"focal_mm": 35}')
            return {}
        return params

    def _rows(self, name: str, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield (row number as a spreadsheet shows it, row with trimmed cells)."""
        with (self.folder / name).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            found = tuple(reader.fieldnames or ())
            if found != columns:
                self._wrong(f"{name} row 1", ", ".join(found), f"the columns must be {', '.join(columns)}")
                return
            for number, row in enumerate(reader, start=2):
                if None in row or None in row.values():
                    self._wrong(f"{name} row {number}", "", f"must have {len(columns)} cells")
                    continue
                yield number, {column: cell.strip() for column, cell in row.items()}

    def _check_slug(self, field: str, value: str) -> None:
        if not _SLUG.fullmatch(value):
            self._wrong(field, value, "use small letters, digits and single - or _ between them")

    def _check_filled(self, field: str, value: str) -> None:
        if not value:
            self._wrong(field, value, "must be filled")

    def _wrong(self, field: str, value: str, message: str) -> None:
        self.problems.append(Problem(field, value, message))
