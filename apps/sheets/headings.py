"""What a table of somebody's is: which sheet, which of its rows holds headings, which column each means."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import get_language

from apps.presets.models import PresetCategory
from apps.productions.importing import cells
from apps.productions.importing.layout import PLANNING, PROJECT, RENDERS, SHOTS, Column, Layout
from apps.productions.importing.reader import HeadingRow, Row, Sheet, heading
from apps.sheets.columnwords import CATEGORIES, SHEETS, TECHNICAL, WORDS
from apps.sheets.languages import by_language

IGNORED: Final = ""
"""The column that stands for: not read."""

SECONDS: Final = "seconds"
SHOT: Final = "shot"

_SHEET_WORDS: Final = {heading(word): sheet for sheet, words in SHEETS.items() for word in words}


@dataclass(frozen=True)
class Targets:
    """What a table's columns may be, sheet by sheet: our columns, and for shots the categories of presets."""

    by_sheet: Mapping[str, tuple[str, ...]]
    words: Mapping[str, Mapping[str, str]]
    categories: tuple[str, ...]
    names: Mapping[str, str]


def targets(project: UUID) -> Targets:
    """Read which categories of presets this project has, and put all words together. One query."""
    shared_or_own = PresetCategory.objects.filter(Q(project=None) | Q(project=project))
    categories = list(shared_or_own.order_by("order").values_list("slug", "name", "name_ko"))
    slugs = tuple(dict.fromkeys(slug for slug, _name, _ko in categories))
    by_sheet = {layout.sheet: tuple(column.name for column in layout.columns) for layout in PLANNING}
    own = by_sheet[SHOTS.sheet]
    by_sheet[SHOTS.sheet] += (SHOT, SECONDS, *(slug for slug in slugs if slug not in own))
    by_sheet[TECHNICAL] = (SHOT, *slugs)
    preset_words = {
        word: slug for slug, name, ko in categories for word in (heading(name), heading(ko)) if word
    }
    preset_words |= {word: slug for word, slug in CATEGORIES.items() if slug in slugs}
    preset_words |= {slug: slug for slug in slugs}
    words = {sheet: _words(columns, preset_words) for sheet, columns in by_sheet.items()}
    korean = (get_language() or "en").startswith("ko")
    names = {slug: ko if korean and ko else name for slug, name, ko in categories}
    return Targets(by_sheet, words, slugs, names)


def _words(columns: Sequence[str], preset_words: Mapping[str, str]) -> dict[str, str]:
    found = {word: slug for word, slug in preset_words.items() if slug in columns}
    for column in columns:
        english, korean, others = WORDS.get(column, ("", "", ()))
        for word in (*others, english, korean):
            if word and heading(word) not in columns:
                found.setdefault(heading(word), column)
    found |= {column: column for column in columns}
    return {bare(word): column for word, column in reversed(found.items())} | found


def bare(one: str) -> str:
    """A heading's letters and digits alone: 길이 (프레임), 길이(프레임) and 길이_프레임: are one."""
    return "".join(letter for letter in one if letter.isalnum())


def column_of(one: str, words: Mapping[str, str]) -> str:
    """The column that a heading means, however it is spaced and marked; "" for none."""
    return words.get(one) or words.get(bare(one), IGNORED)


@dataclass(frozen=True)
class Guess:
    """Which sheet a table is ("" for none of ours), and what each of its columns is."""

    sheet: str
    columns: tuple[str, ...]


def guess(sheet: Sheet, known: Targets, *, alone: bool) -> Guess:
    """Say which sheet a table is, by its name and headings, and which column each heading means. A table of
    several rows is not the project, which has one.

    ``alone``: it is the only one of its file, so it is something; a CSV is a shot list if nothing says else.
    """
    if sheet.name.startswith("_") or _says_what_to_render(sheet):
        return Guess(IGNORED, (IGNORED,) * len(sheet.headings))
    if ours := _SHEET_WORDS.get(heading(sheet.name)):
        return _told(sheet, ours, known)
    offered = [ours for ours in known.by_sheet if ours != PROJECT.sheet or len(sheet.rows) == 1]
    found = max(offered, key=lambda ours: (_fits(sheet.headings, ours, known), ours == SHOTS.sheet))
    if _fits(sheet.headings, found, known) <= 0 and not alone:
        return Guess(IGNORED, (IGNORED,) * len(sheet.headings))
    chosen = found if _fits(sheet.headings, found, known) > 0 else SHOTS.sheet
    return _told(sheet, chosen, known)


def _says_what_to_render(sheet: Sheet) -> bool:
    """The demo's workbook has such a sheet: it plans nothing."""
    return sheet.name == RENDERS.sheet and {"shot", "template"} <= set(sheet.headings)


def _told(sheet: Sheet, ours: str, known: Targets) -> Guess:
    columns = columns_of(sheet.headings, ours, known)
    return Guess(ours, by_language(columns, sheet, layout_of(ours, known)))


def columns_of(headings: Iterable[str], sheet: str, known: Targets) -> tuple[str, ...]:
    """Which column each heading means; each column once, the rest is ignored."""
    words = known.words.get(sheet, {})
    columns: list[str] = []
    for one in headings:
        column = IGNORED if one.startswith("_") else column_of(one, words)
        columns.append(IGNORED if column in columns else column)
    if sheet == SHOTS.sheet:
        return _shot_columns(columns)
    return tuple(columns)


def _shot_columns(columns: list[str]) -> tuple[str, ...]:
    """Where sequence and code are there, the full code says nothing new; likewise seconds beside frames."""
    told = set(columns)
    spare = {SHOT} if {"sequence", "code"} <= told else {"code"} if SHOT in told else set()
    spare |= {SECONDS} if "frames" in told else set()
    return tuple(IGNORED if column in spare else column for column in columns)


def _fits(headings: Sequence[str], sheet: str, known: Targets) -> float:
    columns = [column for column in columns_of(headings, sheet, known) if column]
    keys = _keys(sheet)
    has_key = all(key in columns for key in keys) or (sheet in ("Shots", TECHNICAL) and SHOT in columns)
    has_key |= sheet == SHOTS.sheet and "code" in columns  # of the sequence that is chosen on the page
    return (len(columns) + (3 if has_key else -3)) if columns else -1


def _keys(sheet: str) -> tuple[str, ...]:
    for layout in PLANNING:
        if layout.sheet == sheet:
            return tuple(column.name for column in layout.columns if column.key)
    return (SHOT,)


def nearest(one: str, sheet: str, known: Targets) -> str:
    """The column an unknown heading may mean, for people to confirm; "" for none."""
    close = get_close_matches(one, known.words.get(sheet, {}), n=1, cutoff=0.75)
    return known.words[sheet][close[0]] if close else ""


def heading_row(known: Targets) -> HeadingRow:
    """Say which of a table's first rows holds headings: the one in which most cells are words for columns."""
    every = {word for words in known.words.values() for word in words}

    def find(rows: Sequence[Row]) -> int:
        def score(index: int) -> int:
            said = {
                heading(cell) for cell in rows[index].cells if isinstance(cell, str)
            }  # a merged title: once
            return sum(one in every or bare(one) in every for one in said)

        best = max(range(min(len(rows), 20)), key=lambda index: (score(index), -index))
        return best if score(best) > 1 else 0

    return find


def signature_of(name: str, headings: Iterable[str]) -> str:
    """What a table has in common with that of the next file: its headings, and its name if that says which
    sheet it is. A CSV is named after its file, which says nothing.
    """
    said = heading(name) if heading(name) in _SHEET_WORDS else ""
    return hashlib.sha256("\n".join([said, *headings]).encode()).hexdigest()


def each_once(headings: Iterable[str]) -> list[str]:
    """Headings under which what was chosen is kept: the second of a name is told from the first."""
    seen: Counter[str] = Counter()
    named = []
    for one in headings:
        seen[one] += 1
        named.append(one if seen[one] == 1 else f"{one}\n{seen[one]}")
    return named


def layout_of(sheet: str, known: Targets) -> Layout:
    """The layout of a sheet of ours; the technical one has a column for each category of presets."""
    for layout in PLANNING:
        if layout.sheet == sheet:
            return layout
    return technical(known.categories)


def technical(categories: Iterable[str]) -> Layout:
    """A sheet with one line for each shot and one column for each category of presets."""
    columns = [Column("shot", cells.shot_code, key=True)]
    columns += [Column(slug, cells.words, empty=()) for slug in categories]
    return Layout(TECHNICAL, tuple(columns))
