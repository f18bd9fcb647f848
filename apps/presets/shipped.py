"""The looks and the rules that ship with the farm: two CSV files, read and checked row by row."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from apps.common.errors import Problem, Refused
from apps.presets.library import DATA, Library, read_library
from apps.presets.rules import CONFLICTS, HARD, REQUIRES, BadTerm, Rule, parse, terms_of

LOOK_COLUMNS: Final = ("slug", "name", "name_ko", "description", "description_ko", "presets")
RULE_COLUMNS: Final = ("slug", "kind", "severity", "when", "other", "message", "message_ko")
SEVERITIES: Final = (HARD, "warning", "info")


@dataclass(frozen=True)
class ShippedLook:
    """A row of looks.csv; ``presets``: category/slug in the look's order."""

    slug: str
    name: str
    name_ko: str
    description: str
    description_ko: str
    order: int
    presets: tuple[str, ...]


@dataclass(frozen=True)
class ShippedRule:
    """A row of rules.csv."""

    slug: str
    kind: str
    severity: str
    when: str
    other: str
    message: str
    message_ko: str
    order: int


def read_looks(folder: Path = DATA, library: Library | None = None) -> tuple[ShippedLook, ...]:
    """Read looks.csv. Raises Refused with every problem: a preset the library lacks, a name given twice."""
    known = {f"{preset.category}/{preset.slug}" for preset in (library or read_library(DATA)).presets}
    problems: list[Problem] = []
    looks = []
    for order, (where, row) in enumerate(_rows(folder / "looks.csv", LOOK_COLUMNS, problems), start=1):
        presets = tuple(row["presets"].split())
        for ref in presets:
            if ref not in known:
                problems.append(Problem(f"{where}, presets", ref, "is not in presets.csv"))
        looks.append(
            ShippedLook(
                slug=row["slug"],
                name=row["name"],
                name_ko=row["name_ko"],
                description=row["description"],
                description_ko=row["description_ko"],
                order=order,
                presets=presets,
            )
        )
    if problems:
        raise Refused(*problems)
    return tuple(looks)


def read_rules(folder: Path = DATA, library: Library | None = None) -> tuple[ShippedRule, ...]:
    """Read rules.csv. Raises Refused with every problem: a term that cannot be read or names nothing."""
    library = library or read_library(DATA)
    known = {f"{preset.category}/{preset.slug}" for preset in library.presets}
    known |= {category.slug for category in library.categories}
    problems: list[Problem] = []
    rules = []
    for order, (where, row) in enumerate(_rows(folder / "rules.csv", RULE_COLUMNS, problems), start=1):
        for column, choices in (("kind", (REQUIRES, CONFLICTS)), ("severity", SEVERITIES)):
            if row[column] not in choices:
                problems.append(
                    Problem(f"{where}, {column}", row[column], f"use one of {', '.join(choices)}")
                )
        rule = ShippedRule(**row, order=order)
        problems += _strange_terms(where, rule, known)
        rules.append(rule)
    if problems:
        raise Refused(*problems)
    return tuple(rules)


def ready(rule: ShippedRule) -> Rule:
    """A shipped rule as the engine takes it. Raises BadTerm."""
    return Rule(
        slug=rule.slug,
        kind=rule.kind,
        severity=rule.severity,
        when=parse(rule.when),
        other=parse(rule.other),
        message=rule.message,
        message_ko=rule.message_ko,
    )


def _strange_terms(where: str, rule: ShippedRule, known: Collection[str]) -> Iterator[Problem]:
    try:
        terms = terms_of(ready(rule))
    except BadTerm as bad:
        yield Problem(where, bad.term, f"write it like {bad.known}")
        return
    for term in terms:
        if term.subject in ("preset", "category") and term.value not in known:
            yield Problem(where, str(term), "is not in the library")


def _rows(
    path: Path, columns: tuple[str, ...], problems: list[Problem]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (which row it is, for people; its cells, trimmed)."""
    seen: set[str] = set()
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        found = tuple(reader.fieldnames or ())
        if found != columns:
            told = f"the columns must be {', '.join(columns)}"
            problems.append(Problem(f"{path.name} row 1", ", ".join(found), told))
            return
        for number, row in enumerate(reader, start=2):
            where = f"{path.name} row {number}"
            if None in row or None in row.values():
                problems.append(Problem(where, "", f"must have {len(columns)} cells"))
                continue
            cells = {column: cell.strip() for column, cell in row.items()}
            if not cells["slug"] or cells["slug"] in seen:
                problems.append(Problem(f"{where}, slug", cells["slug"], "must be there, and once"))
            seen.add(cells["slug"])
            yield where, cells
