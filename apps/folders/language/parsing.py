"""A path template is understood, or refused with the column where it goes wrong: see template.py."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from apps.folders.language.fields import FIELDS, Field
from apps.folders.language.names import why_not
from apps.folders.language.template import Group, Literal, Part, Placed, Segment, Template, TemplateError
from workflows.wording import said as _

_SPEC: Final = re.compile(r"0?([1-6])")


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
