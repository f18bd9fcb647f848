"""A path template: ``{project}/scenes/{sequence}/{shot}_v{version:03}[_{suffix}].{ext}``.

========================  ==========================================================================
``{shot}``                a field; its letters and what it may follow are known, so paths can be read back
``{version:03}``          a number of at least three digits
``{project:lower}``       a code in small letters
``EP_{episode?}/``        a folder that is left out where there is no episode; one per template
``[_{suffix}]``           a part of a name that is left out where the field is empty
========================  ==========================================================================

A template that could be read back in two ways is refused, with the column where it goes wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from apps.folders.language.fields import Field, Value
from apps.folders.language.names import path_why_not
from workflows.wording import Said
from workflows.wording import said as _


class TemplateError(ValueError):
    """A template that cannot be understood. ``column`` counts from 1; ``told`` says what would be right."""

    def __init__(self, column: int, told: Said) -> None:
        super().__init__(told)
        self.column = column
        self.told = told


class Unwritable(ValueError):
    """These values make no path. ``told`` says which, and why."""

    def __init__(self, told: Said) -> None:
        super().__init__(told)
        self.told = told


@dataclass(frozen=True)
class Literal:
    """Text as it stands."""

    text: str
    column: int


@dataclass(frozen=True)
class Placed:
    """A field, and the column where it stands."""

    field: Field
    column: int


@dataclass(frozen=True)
class Group:
    """A part of a name that goes where its field is empty: text, then one field, perhaps text."""

    parts: tuple[Literal | Placed, ...]
    column: int

    @property
    def field(self) -> Field:
        """The field that decides."""
        return next(part.field for part in self.parts if isinstance(part, Placed))


Part = Literal | Placed | Group


@dataclass(frozen=True)
class Segment:
    """One name of the path."""

    parts: tuple[Part, ...]

    @property
    def fields(self) -> Iterator[Field]:
        """Every field in it, as often as it stands there."""
        for part in self.parts:
            if isinstance(part, Group | Placed):
                yield part.field

    @property
    def optional(self) -> Field | None:
        """The field without which the whole name goes."""
        return next((field for field in self.fields if field.optional), None)


@dataclass(frozen=True)
class Template:
    """A template that was understood; see the module."""

    source: str
    segments: tuple[Segment, ...]

    @property
    def fields(self) -> frozenset[str]:
        """The names of its fields."""
        return frozenset(field.name for segment in self.segments for field in segment.fields)

    @property
    def needed(self) -> frozenset[str]:
        """The names of those without which there is no path."""
        return frozenset(
            part.field.name
            for segment in self.segments
            if segment.optional is None
            for part in segment.parts
            if isinstance(part, Placed)
        )

    def write(self, values: Mapping[str, Value | None]) -> str:
        """Make the path of these values. Raises Unwritable; nothing but a safe relative path comes back."""
        names = [
            self._name(segment, values)
            for segment in self.segments
            if segment.optional is None or values.get(segment.optional.name)
        ]
        path = "/".join(names)
        if problem := path_why_not(path):
            raise Unwritable(problem)
        return path

    def read(self, path: str) -> dict[str, Value] | None:
        """Read a path back into its values; None if this template did not make it."""
        names = path.split("/")
        segments = self.segments
        if len(names) == len(segments) - 1:
            segments = tuple(segment for segment in segments if segment.optional is None)
        if len(names) != len(segments):
            return None
        values: dict[str, Value] = {}
        for name, segment in zip(names, segments, strict=True):
            if not _read_name(segment, name, values):
                return None
        return values

    def until(self, field: str) -> Template | None:
        """The template of the folder that the field names: everything up to the first name with it."""
        for index, segment in enumerate(self.segments):
            if any(one.name == field for one in segment.fields):
                kept = self.source.split("/")[: index + 1]
                return Template("/".join(kept), self.segments[: index + 1])
        return None

    def _name(self, segment: Segment, values: Mapping[str, Value | None]) -> str:
        written = ""
        for part in segment.parts:
            if isinstance(part, Group):
                if values.get(part.field.name) not in {None, ""}:
                    written += "".join(_write(inner, values) for inner in part.parts)
            else:
                written += _write(part, values)
        return written


def _write(part: Literal | Placed, values: Mapping[str, Value | None]) -> str:
    if isinstance(part, Literal):
        return part.text
    value = values.get(part.field.name)
    if value is None or value == "":
        raise Unwritable(_("there is no %(field)s", field=part.field.name))
    if not part.field.fits(value):
        told = _(
            "“%(value)s” cannot be the %(field)s of a path; such as %(example)s can",
            value=value,
            field=part.field.name,
            example=part.field.kind.example,
        )
        raise Unwritable(told)
    return part.field.write(value)


def _read_name(segment: Segment, name: str, values: dict[str, Value]) -> bool:
    fields: list[Field] = []
    pattern = "".join(_pattern(part, fields) for part in segment.parts)
    found = re.fullmatch(pattern, name)
    if found is None:
        return False
    for field, text in zip(fields, found.groups(), strict=True):
        if text is None:
            continue
        value = field.read(text)
        if values.setdefault(field.name, value) != value:
            return False
    return True


def _pattern(part: Part, fields: list[Field]) -> str:
    if isinstance(part, Literal):
        return re.escape(part.text)
    if isinstance(part, Group):
        return f"(?:{''.join(_pattern(inner, fields) for inner in part.parts)})?"
    fields.append(part.field)
    return f"({part.field.pattern})"
