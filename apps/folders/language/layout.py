"""A layout: a studio's folders and file names, one line each.

    folder  project    {project}/edit/edl
    folder  shot       {project}/scenes/{sequence}/shots/{shot}/render
    record  shot       {project}/scenes/{sequence}/shots/{shot}/shot.json
    file    clip       {project}/scenes/{sequence}/shots/{shot}/render/v{version:03}/{shot}_render.{ext}

``folder`` makes folders, ``record`` says where the JSON file about something lies, ``file`` where the takes
of a stage are published. Behind # stands what is for people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from apps.folders.language.fields import Value
from apps.folders.language.names import fold
from apps.folders.language.parsing import parse
from apps.folders.language.template import Template, TemplateError, Unwritable
from workflows.wording import Said
from workflows.wording import said as _

SUBJECTS: Final[Mapping[str, frozenset[str]]] = {
    "project": frozenset({"project"}),
    "episode": frozenset({"project", "episode"}),
    "sequence": frozenset({"project", "episode", "sequence"}),
    "shot": frozenset({"project", "episode", "sequence", "shot"}),
    "character": frozenset({"project", "character"}),
    "location": frozenset({"project", "location"}),
}
"""What folders and records are about, and the fields that it has."""

STAGES: Final = ("previz", "keyframe", "clip", "finish")
"""What takes are of: apps.projects.stages says what each means."""

_OF_A_TAKE: Final = SUBJECTS["shot"] | {"stage", "version", "take", "ext", "suffix"}
_NEEDED: Final[Mapping[str, frozenset[str]]] = {
    "project": frozenset({"project"}),
    "episode": frozenset({"project", "episode"}),
    "sequence": frozenset({"project", "sequence"}),
    "shot": frozenset({"project", "sequence", "shot"}),
    "character": frozenset({"project", "character"}),
    "location": frozenset({"project", "location"}),
}
_NEEDED_BY_A_TAKE: Final = _NEEDED["shot"] | {"version", "ext"}
MOST_LINES: Final = 200


@dataclass(frozen=True)
class Fault:
    """What is wrong in a layout, and where. Both count from 1; column 0: the whole line."""

    line: int
    column: int
    told: Said


class LayoutError(ValueError):
    """A layout that cannot be used; ``faults`` are all that is wrong with it."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.line}:{fault.column} {fault.told}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True)
class Rule:
    """One line: what (folder, record, file), of what (a subject, or a stage), and where."""

    what: str
    of: str
    template: Template
    line: int

    @property
    def subject(self) -> str:
        """What the path is about."""
        return "shot" if self.what == "file" else self.of


@dataclass(frozen=True)
class Layout:
    """All rules, in the order of the lines."""

    rules: tuple[Rule, ...]

    def of(self, subject: str) -> Iterator[Rule]:
        """The folders and records of one kind of thing."""
        return (rule for rule in self.rules if rule.what != "file" and rule.of == subject)

    def file(self, stage: str) -> Template | None:
        """Where takes of a stage are published; None if the layout says nothing about it."""
        return next((rule.template for rule in self.rules if rule.what == "file" and rule.of == stage), None)

    def home(self, subject: str) -> Template | None:
        """The folder of something: what people mean when they say the folder of this shot."""
        for rule in self.rules:
            if rule.subject == subject and (found := rule.template.until(subject)):
                return found
        return None


def parse_layout(text: str) -> Layout:
    """Understand a layout. Raises LayoutError with everything that is wrong, by line and column."""
    rules: list[Rule] = []
    faults: list[Fault] = []
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        raise LayoutError(Fault(MOST_LINES, 0, _("a layout has at most %(most)d lines", most=MOST_LINES)))
    for number, line in enumerate(lines, start=1):
        written = line.partition("#")[0]
        if written.strip():
            try:
                rules.append(_rule(written, number))
            except TemplateError as exc:
                faults.append(Fault(number, exc.column, exc.told))
    faults += _together(rules)
    if not any(rule.what == "folder" for rule in rules) and not faults:
        faults.append(Fault(1, 0, _("the layout makes no folder; write a line such as: folder shot …")))
    if faults:
        raise LayoutError(*faults)
    return Layout(tuple(rules))


def _rule(line: str, number: int) -> Rule:
    words = line.split(maxsplit=2)
    if len(words) != 3:
        raise TemplateError(1, _("write three things: what (folder, record, file), of what, and the path"))
    what, of, source = words[0], words[1], words[2].rstrip()
    if what not in {"folder", "record", "file"}:
        raise TemplateError(line.index(what) + 1, _("“%(word)s” is none of folder, record, file", word=what))
    known = STAGES if what == "file" else tuple(SUBJECTS)
    if of not in known:
        meant = ", ".join(get_close_matches(of, known, n=1) or known)
        column = line.index(of, line.index(what) + len(what)) + 1
        raise TemplateError(
            column, _("a %(what)s is of: %(meant)s; not of “%(of)s”", what=what, meant=meant, of=of)
        )
    start = line.index(source, line.index(of, line.index(what) + len(what)) + len(of))
    try:
        template = parse(source)
        _check_fields(what, of, template)
    except TemplateError as exc:
        raise TemplateError(start + exc.column, exc.told) from exc
    return Rule(what, of, template, number)


def _check_fields(what: str, of: str, template: Template) -> None:
    allowed = _OF_A_TAKE if what == "file" else SUBJECTS[of]
    needed = _NEEDED_BY_A_TAKE if what == "file" else _NEEDED[of]
    for segment in template.segments:
        for field in segment.fields:
            if field.name not in allowed:
                column = template.source.index(f"{{{field.name}") + 1
                known = ", ".join(sorted(allowed))
                raise TemplateError(
                    column,
                    _(
                        "a %(of)s has no %(field)s here; it has: %(known)s",
                        of=of,
                        field=field.name,
                        known=known,
                    ),
                )
    if missing := needed - template.needed:
        names = ", ".join(f"{{{name}}}" for name in sorted(missing))
        raise TemplateError(1, _("two of them would meet at one path; add %(names)s", names=names))
    if [field.name for field in template.segments[0].fields] != ["project"]:
        raise TemplateError(1, _("begin with a folder of the project’s own: {project}"))
    if what == "record" and not template.source.endswith(".json"):
        raise TemplateError(1, _("a record is JSON; let its name end with .json"))


def _together(rules: list[Rule]) -> Iterator[Fault]:
    """What is wrong with lines beside each other: one path twice, or two that differ by case alone."""
    places: dict[str, tuple[str, int]] = {}
    whole: dict[str, int] = {}
    for rule in rules:
        source = rule.template.source.replace(":lower", "")
        line = whole.setdefault(
            f"{rule.what == 'file'} {rule.of if rule.what == 'file' else source}", rule.line
        )
        if line != rule.line:
            yield Fault(rule.line, 0, _("the same stands in line %(line)d already", line=line))
        for place in _above(rule.template.source):
            other, at = places.setdefault(fold(place.replace(":lower", "")), (place, rule.line))
            if other != place:
                told = _(
                    "“%(one)s” and “%(other)s” (line %(line)d) differ by case alone",
                    one=place,
                    other=other,
                    line=at,
                )
                yield Fault(rule.line, 0, told)
                break


def _above(source: str) -> Iterator[str]:
    """The path and every folder above it, from the top."""
    parts = source.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts) + 1))


def write_or_none(template: Template | None, values: Mapping[str, Value | None]) -> str | None:
    """Make a path if these values make one."""
    if template is None:
        return None
    try:
        return template.write(values)
    except Unwritable:
        return None
