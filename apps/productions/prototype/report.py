"""What an import of a prototype's project made, mended, left out and doubted, one line for each thing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from apps.productions.prototype.files import ShotFile

SHOWN: Final = 200
"""Characters of a value that the report repeats."""


class Kind(StrEnum):
    """What happened to something that could not be taken as it was."""

    MENDED = "mended"
    DROPPED = "dropped"
    DOUBTFUL = "doubtful"
    TOLD = "told"


@dataclass(frozen=True)
class Note:
    """One line: which record ("shot SHT-00010"), which field, its value as it was, and what was done."""

    kind: Kind
    where: str
    field: str
    value: str
    told: str

    def __str__(self) -> str:
        about = f"{self.where}, {self.field}" if self.field else self.where
        return f"{self.kind.value}: {about} “{self.value}”: {self.told}" if self.value else (
            f"{self.kind.value}: {about}: {self.told}"
        )  # fmt: skip


@dataclass
class Report:
    """What an import did, or would do. Counts are of rows, by what they are."""

    source: str
    project: str = ""
    dry_run: bool = False
    created: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    notes: list[Note] = field(default_factory=list)
    files: list[ShotFile] = field(default_factory=list)
    """Pictures and videos of shots, of which the review can make takes."""
    _said: set[Note] = field(default_factory=set, init=False, repr=False)

    def note(self, kind: Kind, where: str, field: str, value: object, told: str) -> None:
        """Add a line; the same is said once."""
        shown = "" if value is None else _shown(value)
        line = Note(kind, _shown(where), _shown(field), shown, told.encode(errors="replace").decode())
        if line not in self._said:  # a film's hundred thousand shots may each have a line
            self._said.add(line)
            self.notes.append(line)

    def about(self, where: str) -> About:
        """Return the report as one record speaks to it."""
        return About(self, where)

    @property
    def counts(self) -> dict[str, int]:
        """How many lines there are of each kind."""
        counted = Counter(note.kind.value for note in self.notes)
        return {kind.value: counted[kind.value] for kind in Kind}

    def as_json(self) -> dict[str, Any]:
        """Return the report as --json prints it."""
        return {
            "source": self.source,
            "project": self.project,
            "dry_run": self.dry_run,
            "created": dict(sorted(self.created.items())),
            "there": dict(sorted(self.there.items())),
            "counts": self.counts,
            "notes": [
                {
                    "kind": note.kind.value,
                    "where": note.where,
                    "field": note.field,
                    "value": note.value,
                    "told": note.told,
                }
                for note in self.notes
            ],
        }

    def __str__(self) -> str:
        made = ", ".join(f"{count} {name}" for name, count in sorted(self.created.items())) or "nothing"
        there = ", ".join(f"{count} {name}" for name, count in sorted(self.there.items()))
        kinds = (
            ", ".join(f"{count} {kind}" for kind, count in self.counts.items() if count) or "nothing mended"
        )
        lines = [str(note) for note in self.notes]
        lines.append(f"{self.project}: created {made}; {kinds}")
        if there:
            lines.append(f"already there, left as they are: {there}")
        if self.dry_run:
            lines.append("dry run: nothing was written")
        return "\n".join(lines)


@dataclass(frozen=True)
class About:
    """One record's pen."""

    report: Report
    where: str

    def mended(self, field: str, value: object, told: str) -> None:
        """It was wrong in a way that has one right answer."""
        self.report.note(Kind.MENDED, self.where, field, value, told)

    def dropped(self, field: str, value: object, told: str) -> None:
        """There is no place for it."""
        self.report.note(Kind.DROPPED, self.where, field, value, told)

    def doubtful(self, field: str, value: object, told: str) -> None:
        """Something was chosen; somebody should look."""
        self.report.note(Kind.DOUBTFUL, self.where, field, value, told)

    def told(self, field: str, value: object, told: str) -> None:
        """Nothing is wrong, but one should know."""
        self.report.note(Kind.TOLD, self.where, field, value, told)


def _shown(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a database says 24.0 where a file says 24
    text = str(value)
    # Of megabytes only what is shown is looked at: an id stands in every line of its record.
    more = "…" if len(text) > SHOWN else ""
    letters = (letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:SHOWN])
    return "".join(letters) + more
