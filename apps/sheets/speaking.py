"""A plan's columns and values as the reader says them.

Files keep their words, which are the same in every language. A weather, a time or a setting is told as pages
call it; to whoever reads another language than English, so are statuses, categories and presets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.characters.models import Expert
from apps.common.show import spoken
from apps.presets.models import CinematicPreset, PresetCategory, in_library
from apps.productions.models import Keeps, Setting, ShotStatus, TimeOfDay, Weather
from apps.sheets.columnwords import WORDS
from apps.sheets.writing import label_of

_CHOICES: Final[Mapping[str, Any]] = {
    "weather": Weather,
    "time_of_day": TimeOfDay,
    "setting": Setting,
    "continuity_keep": Keeps,
    "expert": Expert,
}
_YES_OR_NO: Final = frozenset({"use_lora", "archived"})
_PRESETS: Final = "presets"


@dataclass(frozen=True)
class Words:
    """What the reader calls columns, and values by column; others are told as in the file."""

    categories: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    presets: Mapping[str, str] = field(default_factory=dict)

    def column(self, name: str) -> str:
        """What a column is called."""
        label = label_of(name) if name in WORDS else self.categories.get(name, name)
        return name if label.casefold() == name else label

    def value(self, column: str, written: str) -> str:
        """What a value is called; ``written``: as a plan's cell has it."""
        if column == "status":
            return self.statuses.get(written, written)
        if column == _PRESETS or (column in self.categories and column not in WORDS):
            return ", ".join(self.presets.get(one, one) for one in written.split(", "))
        if self.categories and column in _YES_OR_NO and written in ("yes", "no"):
            return _("yes") if written == "yes" else _("no")
        choices = _CHOICES.get(column)
        return str(dict(choices.choices).get(written, written)) if choices is not None else written


def words_for(project: UUID) -> Words:
    """The words of a film for whoever reads now: three queries, none for English readers."""
    if (get_language() or "en").startswith("en"):
        return Words()
    there = in_library(project)
    rows = CinematicPreset.objects.filter(there).select_related("category")
    return Words(
        categories=_named((row.slug, row) for row in PresetCategory.objects.filter(there)),
        statuses=_named((row.slug, row) for row in ShotStatus.objects.all()),
        presets=_named((name, row) for row in rows for name in (row.slug, row.ref)),
    )


def _named(rows: Iterable[tuple[str, Any]]) -> dict[str, str]:
    return {key: spoken(row, "name") for key, row in rows}
