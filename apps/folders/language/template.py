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
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from apps.folders.language.fields import FIELDS, Field, Value
from apps.folders.language.names import path_why_not, why_not
from workflows.wording import Said
from workflows.wording import said as _

_SPEC: Final = re.compile(r"0?([1-6])")


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


def parse(source: str) -> Template:
    """Understand a template. Raises TemplateError with the column and what would be right."""
    text = unicodedata.normalize("NFC", source)
    if not text:
        raise TemplateError(1, _("write a path, such as {project}/scenes/{sequence}"))
    if text.startswith("/") or "\\" in text or re.match(r"[A-Za-z]:", text):
        raise TemplateError(1, _("a path begins with a name, not with / or a drive, and has / between names"))
    segments: list[Segment] = []
    start = 0
    for name in text.split("/"):
        segment = Segment(tuple(_Scanner(name, start).parts()))
        _check_name(segment, start + 1)
        _check_reading(segment.parts)
        segments.append(segment)
        start += len(name) + 1
    optional = [segment for segment in segments if segment.optional]
    if len(optional) > 1:
        again = next(field for field in optional[1].fields)
        column = text.index(f"{{{again.name}", text.index("?}") + 1) + 1
        raise TemplateError(
            column, _("only one folder of a path may be left out; with two, nobody can tell which")
        )
    return Template(text, tuple(segments))


class _Scanner:
    """Reads one name, from left to right. Columns count from 1 over the whole template."""

    def __init__(self, name: str, start: int) -> None:
        self.name = name
        self.start = start
        self.at = 0

    def parts(self) -> Iterator[Part]:
        while self.at < len(self.name):
            letter, column = self.name[self.at], self.start + self.at + 1
            if letter == "{":
                yield self._field()
            elif letter == "[":
                yield self._group()
            elif letter in "}]":
                raise TemplateError(column, _("this closes nothing; take it away, or open it before"))
            else:
                yield self._literal()

    def _literal(self) -> Literal:
        begin = self.at
        while self.at < len(self.name) and self.name[self.at] not in "{}[]":
            self.at += 1
        return Literal(self.name[begin : self.at], self.start + begin + 1)

    def _field(self) -> Placed:
        column = self.start + self.at + 1
        end = self.name.find("}", self.at)
        if end < 0:
            raise TemplateError(column, _("the brace is never closed; write } behind the field's name"))
        inside = self.name[self.at + 1 : end]
        self.at = end + 1
        optional = inside.endswith("?")
        name, colon, spec = inside.removesuffix("?").partition(":")
        if name not in FIELDS:
            close = get_close_matches(name, FIELDS, n=1)
            meant = close[0] if close else ", ".join(FIELDS)
            raise TemplateError(
                column, _("there is no field “%(name)s”; did you mean %(meant)s?", name=name, meant=meant)
            )
        return Placed(self._with_spec(Field(name, optional=optional), spec, colon, column), column)

    def _with_spec(self, field: Field, spec: str, colon: str, column: int) -> Field:
        if not colon:
            return field
        if field.kind.number and (found := _SPEC.fullmatch(spec)):
            return Field(field.name, digits=int(found[1]), optional=field.optional)
        if not field.kind.number and spec == "lower" and field.kind.letters & {"A"}:
            return Field(field.name, lower=True, optional=field.optional)
        told = _(
            "“:%(spec)s” says nothing about %(name)s; numbers take :03, codes take :lower",
            spec=spec,
            name=field.name,
        )
        raise TemplateError(column, told)

    def _group(self) -> Group:
        column = self.start + self.at + 1
        end = self.name.find("]", self.at)
        if end < 0:
            raise TemplateError(column, _("the bracket is never closed; write ] behind what may be left out"))
        inner = _Scanner(self.name[self.at + 1 : end], self.start + self.at + 1)
        parts = tuple(inner.parts())
        fields = [part for part in parts if isinstance(part, Placed)]
        if (
            len(fields) != 1
            or not isinstance(parts[0], Literal)
            or any(isinstance(part, Group) for part in parts)
        ):
            raise TemplateError(
                column, _("between [ and ] stand some text and then one field, such as [_{suffix}]")
            )
        if fields[0].field.optional:
            raise TemplateError(
                fields[0].column, _("what stands in [ ] may be left out anyway; take the ? away")
            )
        if self.at == 0:
            raise TemplateError(column, _("a name may not begin with a part that can be left out"))
        self.at = end + 1
        return Group(tuple(part for part in parts if not isinstance(part, Group)), column)


def _check_name(segment: Segment, column: int) -> None:
    """Judge the text of a name, with A for each field: what is wrong with it is wrong whatever they are."""
    if not segment.parts:
        raise TemplateError(column, _("a name is missing here; write one between the two /"))
    drawn = "".join(
        part.text if isinstance(part, Literal) else "A" if isinstance(part, Placed) else ""
        for part in segment.parts
    )
    inside = "".join(
        inner.text for part in segment.parts if isinstance(part, Group) for inner in part.parts
        if isinstance(inner, Literal)
    )  # fmt: skip
    problem = why_not(drawn) or (why_not(f"A{inside}A") if inside else None)
    if problem:
        raise TemplateError(column, problem)


def _check_reading(parts: tuple[Part, ...]) -> None:
    """Refuse what could be read back in two ways: a field ends where a letter comes that it cannot hold."""
    for index, part in enumerate(parts):
        if isinstance(part, Placed):
            _check_end(part, parts[index + 1 :])
        elif isinstance(part, Group):
            _check_group(part, parts[index + 1 :])


def _check_end(placed: Placed, rest: tuple[Part, ...]) -> None:
    for following in rest:
        first = following.parts[0] if isinstance(following, Group) else following
        if isinstance(first, Placed):
            one, other = placed.field.name, first.field.name
            raise TemplateError(
                first.column, _("%(one)s and %(other)s touch; put _ between them", one=one, other=other)
            )
        if first.text[0] in placed.field.letters:
            told = _(
                "“%(letter)s” can stand inside %(field)s, so nobody can tell where it ends; use _",
                letter=first.text[0],
                field=placed.field.name,
            )
            raise TemplateError(first.column, told)
        if not isinstance(following, Group):
            return


def _check_group(group: Group, rest: tuple[Part, ...]) -> None:
    _check_reading(group.parts)
    inner = group.parts[-1]
    if isinstance(inner, Placed):
        _check_end(inner, rest)
    opening = group.parts[0]
    follows = rest[0].parts[0] if rest and isinstance(rest[0], Group) else rest[0] if rest else None
    if isinstance(follows, Placed):
        raise TemplateError(
            follows.column, _("put text between a part that may be left out and the next field")
        )
    if isinstance(opening, Literal) and isinstance(follows, Literal) and opening.text[0] == follows.text[0]:
        raise TemplateError(
            follows.column, _("what may be left out begins like what follows it; begin one of them otherwise")
        )


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
