"""A shot of the prototype that is not saved yet, and everything that shots point at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from apps.characters.models import Character
from apps.presets.models import CinematicPreset
from apps.productions.models import Location, Sequence, Shot, ShotCharacter
from apps.productions.prototype.fields import Codes, clean_text
from apps.productions.prototype.looks import rival_of
from apps.productions.prototype.matching import Library
from apps.productions.prototype.reading import Prototype
from apps.productions.prototype.report import About, Report
from apps.projects.models import Project

SEQUENCE: Final = "SQ01"
"""Where the prototype puts shots without a sequence."""


@dataclass
class Scene:
    """A shot that is not saved yet, with its cast, its presets in order, and whether it is locked."""

    row: Shot
    cast: list[ShotCharacter] = field(default_factory=list)
    presets: list[CinematicPreset] = field(default_factory=list)
    locked: bool = False
    made: datetime | None = None
    changed: datetime | None = None
    _notes: list[str] = field(default_factory=list)

    def keep(self, told: str) -> None:
        """Keep something in the notes of the shot."""
        if told and told not in self._notes:
            self._notes.append(told)
            self.row.notes = "\n".join(self._notes)

    def use(self, preset: CinematicPreset) -> CinematicPreset | None:
        """Use a preset; return the rival that its category allows no other beside."""
        rival = rival_of(preset, self.presets)
        if rival is None and preset not in self.presets:
            self.presets.append(preset)
        return rival


class Stage:
    """Everything that shots point at, as it is found or made while they are read."""

    def __init__(
        self,
        found: Prototype,
        project: Project,
        *,
        people: Mapping[str, Character],
        library: Library,
        sequences: dict[str, Sequence],
        locations: dict[str, Location],
        report: Report,
    ) -> None:
        self.found = found
        self.project = project
        self.people = people
        self.library = library
        self.report = report
        self.sequences = sequences
        self.new_sequences: list[Sequence] = []
        self.new_locations: list[Location] = []
        self._by_id: dict[str, Sequence] = {}
        self._codes = Codes()
        self._locations = {place.name.casefold(): place for place in locations.values()}
        self._location_codes = Codes(locations)
        self.looks = {str(look.get("id")): look for look in found.cinematics if look.get("id") is not None}

    def sequence(self, told: Any, about: About) -> Sequence:
        """Find a shot's sequence, or make it."""
        if told in (None, ""):
            about.mended("sequence_id", told, f"there was none; {SEQUENCE}, as the prototype does")
            told = SEQUENCE
        key = str(told)
        if key not in self._by_id:
            code = self._codes.of(key, SEQUENCE, self.report.about(f"sequence {key}"))
            if code not in self.sequences:
                made = Sequence(project=self.project, code=code, name=clean_text(key, "id", about, most=200))
                made.order = (len(self.sequences) + 1) * 10
                self.sequences[code] = made
                self.new_sequences.append(made)
            self._by_id[key] = self.sequences[code]
        return self._by_id[key]

    def location(self, told: str, about: About) -> Location | None:
        """Find a place by its name, or make it."""
        if not told:
            return None
        name = told[:120]
        place = self._locations.get(name.casefold())
        if place is None:
            code = self._location_codes.of(f"LOC{(len(self._locations) + 1) * 10:03}", "LOC", about)
            place = Location(project=self.project, code=code, name=name, prompt=told)
            self._locations[name.casefold()] = place
            self.new_locations.append(place)
        return place
