"""The library on paper: which kinds of rows there are, and what each says, as JSON and as a CSV line.

JSON holds all kinds of one scope (the studio, or a film) in one document; a CSV file holds one kind. Both
name the same things by the same words, which are also those of the API.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.common.parsers import each_once
from apps.presets.models import CinematicPreset, Look, PresetCategory, PresetOverride, PresetRule

FORMAT: Final = "shotfarm-presets"
VERSION: Final = 1
TEXTS: Final = ("prompt_fragment", "prompt_fragment_ko", "negative_fragment", "negative_fragment_ko")
MOST_BYTES: Final = 2_000_000

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_FLAGS: Final = frozenset({"exclusive", "archived", "hidden"})
_TRUTHS: Final = {"1": True, "0": False, "": False, "true": True, "false": False}
_LISTS: Final = frozenset({"presets"})
_NUMBERS: Final = frozenset({"order"})


@dataclass(frozen=True)
class Kind:
    """A kind of rows: its columns in order, and the ones that name a row."""

    name: str
    model: type[Model]
    columns: tuple[str, ...]
    key: tuple[str, ...] = ("slug",)
    joins: tuple[str, ...] = ()

    def rows_of(self, project_id: Any) -> QuerySet[Any]:
        """The rows of one scope (None: the studio), in order."""
        rows = self.model._default_manager.filter(project=project_id)
        return rows.select_related(*self.joins) if self.joins else rows


KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            "categories",
            PresetCategory,
            ("slug", "name", "name_ko", "order", "exclusive", "archived"),
        ),
        Kind(
            "presets",
            CinematicPreset,
            ("category", "slug", "name", "name_ko", "channel", "order", *TEXTS, "params", "archived"),
            key=("category", "slug"),
            joins=("category",),
        ),
        Kind(
            "looks",
            Look,
            ("slug", "name", "name_ko", "description", "description_ko", "order", "presets", "archived"),
        ),
        Kind(
            "rules",
            PresetRule,
            (
                "slug",
                "kind",
                "severity",
                "when",
                "other",
                "message",
                "message_ko",
                "order",
                "archived",
            ),
        ),
        Kind(
            "overrides",
            PresetOverride,
            ("preset", *TEXTS, "hidden"),
            key=("preset",),
            joins=("preset__category",),
        ),
    )
}
"""In the order in which an import writes them: what is pointed at comes first."""


@dataclass
class Paper:
    """What a file says: rows by kind, each with the place a person finds it at."""

    rows: dict[str, list[tuple[str, dict[str, Any]]]] = field(default_factory=dict)


def said_by(kind: Kind, row: Any) -> dict[str, Any]:
    """What a row says, by column, as JSON has it."""
    return {column: _value(row, column) for column in kind.columns}


def _value(row: Any, column: str) -> Any:
    if column == "category":
        return row.category.slug
    if column == "preset":
        return row.preset.ref
    if column == "presets":
        return [part.preset.ref for part in row.look_presets.all()]
    value = getattr(row, column)
    return value.replace("\r\n", "\n") if isinstance(value, str) else value  # browsers send either


def as_json(project: str | None, rows: Mapping[str, Iterable[Mapping[str, Any]]]) -> str:
    """Write one document of these rows by kind; ``project``: the film's code, None for the studio."""
    head: dict[str, Any] = {"format": FORMAT, "version": VERSION, "project": project}
    told = {name: [dict(row) for row in some] for name, some in rows.items()}
    return json.dumps(head | told, ensure_ascii=False, indent=1) + "\n"


def as_csv(kind: Kind, rows: Iterable[Mapping[str, Any]]) -> str:
    """Write one kind's rows as CSV. What a spreadsheet would take for a formula begins with an apostrophe."""
    file = io.StringIO()
    out = csv.writer(file, lineterminator="\n")
    out.writerow(kind.columns)
    out.writerows([_cell(column, row[column]) for column in kind.columns] for row in rows)
    return file.getvalue()


def read_paper(content: bytes, *, kind: str = "") -> Paper:
    """Read a file of either sort. Raises Refused with every place that cannot be read.

    ``kind``: of a CSV file; left out, its columns say.
    """
    if len(content) > MOST_BYTES:
        raise Refused(Problem("file", "", _("at most %d bytes") % MOST_BYTES, code="too_large"))
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise Refused(Problem("file", "", _("this is not UTF-8 text; save it as UTF-8"))) from error
    paper, problems = _from_json(text) if text.lstrip().startswith("{") else _from_csv(text, kind)
    if problems:
        raise Refused(*problems)
    return paper


def _from_json(text: str) -> tuple[Paper, list[Problem]]:
    try:
        found = _loaded(text)
    except ValueError as error:
        raise Refused(Problem("file", "", _("this is not JSON: %s") % str(error)[:200])) from error
    if found.get("format") != FORMAT or found.get("version") != VERSION:
        told = _("this is no library: “format” must be %(format)s and “version” %(version)d")
        raise Refused(
            Problem("format", str(found.get("format")), told % {"format": FORMAT, "version": VERSION})
        )
    paper, problems = Paper(), []
    for name in found.keys() - {"format", "version", "project"} - KINDS.keys():
        problems.append(Problem(name, "", _("not a kind of rows; known are %s") % ", ".join(KINDS)))
    for name, kind in KINDS.items():
        rows = found.get(name, [])
        if not isinstance(rows, list):
            problems.append(Problem(name, "", _("write a list of rows")))
            continue
        for index, row in enumerate(rows):
            where = f"{name}[{index}]"
            problems += _wrong_in(kind, where, row)
            paper.rows.setdefault(name, []).append((where, row))
    return paper, problems


def _from_csv(text: str, name: str) -> tuple[Paper, list[Problem]]:
    try:
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise Refused(Problem("file", "", _("this CSV is damaged: %s") % error)) from error
    head = tuple(cell.strip() for cell in lines[0]) if lines else ()
    kind = KINDS.get(name) or next((one for one in KINDS.values() if set(head) == set(one.columns)), None)
    if kind is None:
        known = "; ".join(f"{one.name}: {', '.join(one.columns)}" for one in KINDS.values())
        raise Refused(
            Problem("row 1", ", ".join(head), _("the columns must be those of one kind: %s") % known)
        )
    twice = [column for column, times in Counter(head).items() if column and times > 1]
    if twice:
        told = _("The column is there twice. Remove one of the two.")
        raise Refused(
            *(Problem(f"{_('row')} 1, {column}", "", told, code="duplicate_column") for column in twice)
        )
    paper, problems = Paper({kind.name: []}), []
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        where = f"{kind.name} {_('row')} {number}"
        if len(cells) != len(head):
            problems.append(Problem(where, "", _("must have %d cells") % len(head)))
            continue
        row, wrong = _read_cells(where, dict(zip(head, cells, strict=True)))
        problems += wrong or _wrong_in(kind, where, row)
        paper.rows[kind.name].append((where, row))
    return paper, problems


def _read_cells(where: str, cells: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    row: dict[str, Any] = {}
    problems = []
    for column, cell in cells.items():
        try:
            row[column] = _read(column, _plain(cell))
        except ValueError:
            problems.append(Problem(f"{where}, {column}", cell, _like(column)))
    return row, problems


def _plain(cell: str) -> str:
    """A cell without the apostrophe that kept a spreadsheet from calculating it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in (*_FORMULA, "'") else cell


def _read(column: str, cell: str) -> Any:
    if column in _FLAGS:
        word = cell.strip().lower()
        if word not in _TRUTHS:
            raise ValueError(word)
        return _TRUTHS[word]
    if column in _NUMBERS:
        return int(cell or 0)
    if column in _LISTS:
        return cell.split()
    if column == "params":
        return _loaded(cell or "{}")
    return cell


def _loaded(text: str) -> Any:
    """Read JSON that a database keeps. Raises ValueError for any other, however deep it is, and for an object
    with one name twice.
    """
    try:
        return json.loads(text, parse_constant=_no_number, object_pairs_hook=each_once)
    except RecursionError as error:
        raise ValueError(_("it is nested too deeply")) from error


def _no_number(word: str) -> Any:
    raise ValueError(_("%s is no number") % word)


def _wrong_in(kind: Kind, where: str, row: Any) -> list[Problem]:
    """What is wrong with the form of a row: its keys, and the sort of each value."""
    if not isinstance(row, dict):
        return [Problem(where, str(row), _("write an object with the keys %s") % ", ".join(kind.columns))]
    problems = [
        Problem(f"{where}, {column}", "", _("not a column here; known are %s") % ", ".join(kind.columns))
        for column in row.keys() - set(kind.columns)
    ]
    problems += [
        Problem(f"{where}, {column}", "", _("must be there")) for column in kind.key if not row.get(column)
    ]
    if "\\x00" in repr(row):
        problems.append(Problem(where, "", _("it holds a character that is no text (U+0000)")))
    for column in row.keys() & set(kind.columns):
        if not _is_sort(column, row[column]):
            problems.append(Problem(f"{where}, {column}", str(row[column]), _like(column)))
    return problems


def _is_sort(column: str, value: Any) -> bool:
    if column in _FLAGS:
        return isinstance(value, bool)
    if column in _NUMBERS:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 32_767
    if column in _LISTS:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, dict if column == "params" else str)


def _like(column: str) -> str:
    if column in _FLAGS:
        return _("write 1 or 0 (in JSON true or false)")
    if column in _NUMBERS:
        return _("write a whole number from 0 to 32767")
    if column in _LISTS:
        return _("write category/slug of each preset, with spaces between them (in JSON a list)")
    return _('write an object such as {"focal_mm": 35}') if column == "params" else _("write text")


def _cell(column: str, value: Any) -> str:
    if column in _FLAGS:
        return "1" if value else "0"
    if column in _LISTS:
        return " ".join(value)
    if column == "params":
        return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""
    text = str(value)
    return f"'{text}" if text.startswith((*_FORMULA, "'")) else text
