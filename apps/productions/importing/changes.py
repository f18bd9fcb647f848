"""A workbook's rows beside the database's: what is new, what differs, what goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.utils.translation import gettext as _

from apps.common.errors import Problem
from apps.common.models import BaseModel
from apps.productions.importing import cells
from apps.productions.importing.records import Record
from apps.productions.models import Shot, ShotCharacter, ShotPreset, ShotStatus
from apps.projects.models import Project

M = TypeVar("M", bound=BaseModel)
R = TypeVar("R")


@dataclass
class Change(Generic[M]):
    """One record and its row. ``before``: attribute → what the database says, where it differs.

    ``said``: what is kept in other tables (presets, assignees, the status): column → words before and after.
    """

    record: Record
    row: M
    new: bool
    before: dict[str, Any] = field(default_factory=dict)
    said: dict[str, tuple[str, str]] = field(default_factory=dict)

    def set(self, attribute: str, value: Any) -> None:
        """Let the row say this; remember what it said before."""
        known = getattr(self.row, attribute)
        if known != value and not _same_text(known, value):
            setattr(self.row, attribute, value)
            if not self.new:
                self.before[attribute] = known

    @property
    def changed(self) -> bool:
        """Whether an existing row would change."""
        return not self.new and (bool(self.before) or bool(self.said))


def _same_text(known: Any, value: Any) -> bool:
    """Whether a text, or a list of them, is all that a cell can hold of the known one."""
    if isinstance(known, list) and isinstance(value, list):
        return bool(cells.words(cells.as_cell(", ".join(map(str, known)))) == value)
    return isinstance(known, str) and isinstance(value, str) and cells.as_cell(known) == value


@dataclass(frozen=True)
class StatusMove:
    """A shot that goes to another status: of the machine, or a shade that the studio gave to one."""

    shot: Shot
    status: ShotStatus

    @property
    def to(self) -> str:
        """The state of the machine."""
        return self.status.state


@dataclass
class Plan:
    """Every change, in workbook order, and every problem found on the way.

    ``presets_replaced``: the shots whose presets all go, for ``new_presets`` to come. ``castings_gone`` go by
    the records of their shots, where the workbook states the casting. ``versions``: at which each row was
    read. ``looks_set``: look → its presets.
    """

    project: Change[Project]
    versions: Mapping[UUID, int] = field(default_factory=dict)
    changes: list[Change[Any]] = field(default_factory=list)
    new_presets: list[ShotPreset] = field(default_factory=list)
    presets_replaced: list[UUID] = field(default_factory=list)
    castings_gone: list[ShotCharacter] = field(default_factory=list)
    looks_set: dict[UUID, list[UUID]] = field(default_factory=dict)
    moves: list[StatusMove] = field(default_factory=list)
    assignees: dict[UUID, list[UUID]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def all_changes(self) -> list[Change[Any]]:
        """The project first, then everything in it."""
        return [self.project, *self.changes]

    def add(
        self,
        record: Record,
        model: type[M],
        existing: M | None,
        *,
        identity: Mapping[str, Any],
        values: Mapping[str, Any],
    ) -> Change[M]:
        """Put a record beside its row and take the change in."""
        change = compare(record, model, existing, identity=identity, values=values)
        self.changes.append(change)
        if existing is None:
            for column in record.required:
                if column not in record.values and not record.at_fault(column):
                    told = _("The row is new, so this must be filled.")
                    self.problems.append(record.problem(column, "", told, code="required"))
        return change

    def find(self, record: Record, column: str, rows: Mapping[str, R]) -> R | None:
        """Look up what a cell names; note a problem and return None if there is no such thing."""
        value = record.values[column]
        row = rows.get(value)
        if row is None:
            self.problems.append(
                record.problem(column, value, unknown(value, rows), code=f"unknown_{column}")
            )
        return row


def compare(
    record: Record,
    model: type[M],
    existing: M | None,
    *,
    identity: Mapping[str, Any],
    values: Mapping[str, Any],
) -> Change[M]:
    """Put a record beside its row; make the row, unsaved, if there is none."""
    change = Change(record, existing or model(**identity), new=existing is None)
    for attribute, value in values.items():
        change.set(attribute, value)
    return change


def unknown(value: str, known: Iterable[str]) -> str:
    """Say that a name is unknown, and which name was perhaps meant."""
    names = sorted(known)
    close = get_close_matches(value, names, n=3, cutoff=0.7)
    if close:
        return _("There is none of this name. Did you mean %s?") % ", ".join(close)
    if not names:
        return _("There is none of this name, and none at all. Add it to its sheet.")
    shown = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
    return _("There is none of this name. Known are: %s.") % shown
