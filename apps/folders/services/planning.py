"""The dry run: what exists, what would be made, what is refused and why. Nothing is written here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from apps.folders.language.layout import Rule
from apps.folders.language.names import fold
from apps.folders.language.template import Unwritable
from apps.folders.models import Publication
from apps.folders.records import MOST_BYTES, Standing, judge
from apps.folders.selectors import held_by, layout_of
from apps.folders.states import Published
from apps.folders.store import Root, Taken, the_root
from apps.folders.subjects import Subject, of_project, of_shots
from apps.productions.models import Sequence, Shot
from apps.projects.models import Project
from workflows.wording import Said
from workflows.wording import said as _

SHOTS_A_PAGE: Final = 50


class Fate(StrEnum):
    """What is to happen at a path."""

    EXISTS = "exists"
    NEW = "new"
    UPDATE = "update"
    KEPT = "kept"
    REFUSED = "refused"


@dataclass(frozen=True)
class Entry:
    """One path of the plan: ``what`` is folder, record or file; ``of`` names what it is about."""

    path: str
    what: str
    of: str
    fate: Fate
    why: Said | str = ""
    subject: Subject | None = field(default=None, repr=False, compare=False)

    @property
    def above(self) -> str:
        """The folder it lies in, with the / behind it."""
        return self.path[: len(self.path) - len(self.name)]

    @property
    def name(self) -> str:
        """Its last name."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Plan:
    """What a dry run found, sorted by path. ``shots`` of ``all_shots`` are in it."""

    layout: str
    entries: tuple[Entry, ...]
    all_shots: int = 0
    page: int = 1

    @property
    def counts(self) -> dict[str, int]:
        """How many paths there are of each fate."""
        counted = Counter(entry.fate.value for entry in self.entries)
        return {fate.value: counted[fate.value] for fate in Fate}

    @property
    def pages(self) -> int:
        """How many pages the shots make."""
        return max(1, -(-self.all_shots // SHOTS_A_PAGE))


class Planner:
    """Judges paths of one project against what stands below the root."""

    def __init__(self, project: Project, root: Root | None = None) -> None:
        self.project = project
        self.template = held_by(project)
        self.layout = layout_of(self.template)
        self.root = root or the_root()
        self._planned: dict[str, str] = {}

    def forget(self) -> None:
        """Look at the disk again, and at what follows by itself."""
        self.root.forget()
        self._planned.clear()

    def entries(self, subjects: Iterable[Subject]) -> Iterator[Entry]:
        """Judge every folder and record of these."""
        for subject in subjects:
            for rule in self.layout.of(subject.kind):
                if rule.what == "record" or self.root.makes_folders:
                    yield self._entry(rule, subject)

    def _entry(self, rule: Rule, subject: Subject) -> Entry:
        try:
            path = rule.template.write(subject.values)
        except Unwritable as exc:
            return Entry(rule.template.source, rule.what, subject.label, Fate.REFUSED, exc.told, subject)
        try:
            self._require_own_case(path)
            fate, why = self._folder(path) if rule.what == "folder" else self._record(path, subject)
        except Taken as exc:
            fate, why = Fate.REFUSED, exc.told
        return Entry(path, rule.what, subject.label, fate, why, subject)

    def _require_own_case(self, path: str) -> None:
        """Two paths of one plan may not differ by case alone either."""
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            place = "/".join(parts[:depth])
            other = self._planned.setdefault(fold(place), place)
            if other != place:
                raise Taken(_("“%(other)s” is planned too, which differs by case alone", other=other))

    def _folder(self, path: str) -> tuple[Fate, Said | str]:
        match self.root.stands(path):
            case "":
                return Fate.NEW, ""
            case "folder":
                return Fate.EXISTS, ""
            case _other:
                return Fate.REFUSED, _("a file stands where the folder should be")

    def _record(self, path: str, subject: Subject) -> tuple[Fate, Said | str]:
        match self.root.stands(path):
            case "":
                return Fate.NEW, ""
            case "folder":
                return Fate.REFUSED, _("a folder stands where the file should be")
            case _other:
                content = self.root.read(path, MOST_BYTES)
        match judge(content, subject.kind, subject.row, subject.facts):
            case Standing.CURRENT:
                return Fate.EXISTS, ""
            case Standing.OUTDATED:
                return Fate.UPDATE, ""
            case Standing.EDITED:
                return Fate.REFUSED, _(
                    "somebody changed this file by hand; move it away to have it written again"
                )
            case _foreign:
                return Fate.REFUSED, _("this file is somebody else's; it is not overwritten")


def plan_project(project: Project) -> Plan:
    """Dry run of the project, its characters, locations and sequences. Raises OSError from the store."""
    planner = Planner(project)
    entries = list(planner.entries(of_project(project)))
    return Plan(str(planner.template), _sorted(entries))


def plan_sequence(project: Project, sequence: Sequence, *, page: int = 1) -> Plan:
    """Dry run of a page of a sequence's shots, with what was published of them. Raises OSError."""
    planner = Planner(project)
    shots = Shot.objects.filter(sequence=sequence).order_by("order", "code")
    count = shots.count()
    page = min(max(1, page), max(1, -(-count // SHOTS_A_PAGE)))
    keys = list(shots.values_list("pk", flat=True)[(page - 1) * SHOTS_A_PAGE : page * SHOTS_A_PAGE])
    entries: list[Entry] = []
    for some in of_shots(project, Shot.objects.filter(pk__in=keys)):
        entries += planner.entries(some)
        entries += _published(some)
    return Plan(str(planner.template), _sorted(entries), count, page)


def _published(subjects: Iterable[Subject]) -> Iterator[Entry]:
    labels = {subject.row: subject.label for subject in subjects}
    rows = Publication.objects.filter(shot__in=list(labels), state=Published.PUBLISHED)
    for shot, path in rows.values_list("shot", "path"):
        if shot is not None:
            yield Entry(path, "file", labels[shot], Fate.KEPT)


def _sorted(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.path.split("/")))
