"""What an import did, or would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One workbook row that is new or says something else than the farm knows.

    ``columns``: column → (before, after) as shown to people; empty for a new row.
    """

    where: str
    what: str
    new: bool
    columns: Mapping[str, tuple[str, str]]

    def __str__(self) -> str:
        if self.new:
            return f"{self.where} {self.what}: new"
        told = ", ".join(f"{name} “{old}” → “{new}”" for name, (old, new) in self.columns.items())
        return f"{self.where} {self.what}: {told}"


@dataclass(frozen=True)
class ImportResult:
    """Counts of workbook rows; ``removed`` counts castings that the workbook no longer has."""

    project: str
    created: int
    changed: int
    unchanged: int
    removed: int
    differences: tuple[Difference, ...]
    dry_run: bool

    def __str__(self) -> str:
        return (
            f"{self.created} created, {self.changed} changed, {self.unchanged} unchanged, "
            f"{self.removed} removed"
        )
