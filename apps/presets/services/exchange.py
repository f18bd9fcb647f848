"""Take the library out as files and bring it in again: looked at first, then all rows or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import F, Prefetch
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.common.validation import clean
from apps.ledger.services.batching import open_batch
from apps.ledger.services.recording import changing
from apps.presets.models import CinematicPreset, Look, LookPreset, PresetOverride, in_library
from apps.presets.services.checking import check_row
from apps.presets.services.choosing import category_named, found_presets
from apps.presets.services.editing import require_library
from apps.presets.services.looks import set_look_presets
from apps.presets.services.papers import KINDS, Kind, Paper, as_csv, as_json, said_by
from apps.projects.models import Project

STUDIOS_KINDS: Final = ("categories", "presets", "looks", "rules")


@dataclass(frozen=True)
class RowChange:
    """A row that is new or says something else: column → [before, after]."""

    kind: str
    name: str
    new: bool
    changes: dict[str, list[Any]]


@dataclass
class Import:
    """What an import does, or did: its changes, how many rows stay, and what is wrong."""

    changes: list[RowChange] = field(default_factory=list)
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)
    batch: UUID | None = None


def export(project: Project | None, *, kind: str = "") -> tuple[str, str]:
    """The rows of one scope as a file: its text and its name. JSON of everything, or CSV of one ``kind``.

    Raises Refused for an unknown kind.
    """
    scope = project.code if project else "studio"
    if not kind:
        kinds = KINDS if project else STUDIOS_KINDS
        rows = {name: list(_rows(KINDS[name], project)) for name in kinds}
        return as_json(project.code if project else None, rows), f"presets-{scope}.json"
    if kind not in KINDS:
        raise Refused(Problem("kind", kind, _("use one of %s") % ", ".join(KINDS)))
    return as_csv(KINDS[kind], _rows(KINDS[kind], project)), f"{kind}-{scope}.csv"


def bring_in(paper: Paper, project: Project | None, *, user: User, dry_run: bool = False) -> Import:
    """Write a file's rows into one scope: new keys are made, known ones changed, others left alone.

    All or nothing. With ``dry_run``, or with any problem, nothing is written; the answer says what would have
    been, problems by the place in the file. Raises NotAllowed.
    """
    for name in paper.rows:
        for verb in ("add", "change"):
            require_library(user, project, KINDS[name].model, verb)
    done = Import()
    with transaction.atomic():
        batch = open_batch(project=project.pk if project else None, actor=user, title=_("preset library"))
        for name, kind in KINDS.items():
            with changing(kind.model, actor=user, batch=batch) as change:
                _Writer(kind, project, change, done).write(paper.rows.get(name, ()))
        if dry_run or done.problems or not done.changes:
            transaction.set_rollback(True)
        else:
            done.batch = batch.pk
    return done


class _Writer:
    """Writes the rows of one kind; a row with a fault is told and left out."""

    def __init__(self, kind: Kind, project: Project | None, change: Any, done: Import) -> None:
        self.kind, self.project, self.change, self.done = kind, project, change, done

    def write(self, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        if not rows:
            return
        there = {_key(self.kind, row): (row, said) for row, said in _known(self.kind, self.project)}
        seen: set[tuple[str, ...]] = set()
        for where, told in rows:
            key = tuple(str(told[column]) for column in self.kind.key)
            if key in seen:
                self._wrong(where, Problem("/".join(key), "", _("is there twice; keep one row")))
                continue
            seen.add(key)
            row, said = there.get(key, (None, {}))
            changes = {
                column: [said.get(column), value]
                for column, value in told.items()
                if row is None or said[column] != value
            }
            if row is not None and not changes:
                self.done.unchanged += 1
                continue
            self._write_row(where, row, {column: value for column, (_was, value) in changes.items()})
            self.done.changes.append(RowChange(self.kind.name, "/".join(key), row is None, changes))

    def _write_row(self, where: str, row: Any, values: dict[str, Any]) -> None:
        new = row is None
        row = self.kind.model(project=self.project) if new else row
        try:
            with transaction.atomic():
                if not new:
                    self._take_in(row)
                    row.row_version += 1
                self._fill(row, values)
                row.save(force_insert=new)
                if new:
                    self.change.born(row)
                if isinstance(row, Look) and "presets" in values:
                    self._set_look(row, values["presets"])
        except Refused as refused:
            for problem in refused.problems:
                self._wrong(where, problem)

    def _take_in(self, row: Any) -> None:
        """Hold the row, and read what somebody wrote of it since: it stays where the file is mute."""
        self.change.about([row.pk])
        try:
            row.refresh_from_db()
        except ObjectDoesNotExist as gone:
            raise Refused(Problem("", "", _("somebody deleted this meanwhile"), code="gone")) from gone

    def _fill(self, row: Any, values: Mapping[str, Any]) -> None:
        for column, value in values.items():
            if column == "category":
                row.category = category_named(value, self.project.pk if self.project else None)
            elif column == "preset":
                row.preset = self._preset(value)
            elif column != "presets":
                setattr(row, column, value)
        if "order" in self.kind.columns and not row.order:
            row.order = 1
        if isinstance(row, PresetOverride):
            clean(row)
        else:
            check_row(row)

    def _preset(self, ref: str) -> CinematicPreset:
        category, _slash, slug = ref.partition("/")
        studios = CinematicPreset.objects.filter(project=None, category__slug=category, slug=slug)
        found = studios.select_related("category").first()
        if found is None:
            raise Refused(Problem("preset", ref, _("the studio has no such preset"), "unknown_preset"))
        return found

    def _set_look(self, look: Look, refs: list[str]) -> None:
        if not refs:
            raise Refused(Problem("presets", "", _("a look has at least one preset")))
        project = self.project.pk if self.project else None
        slugs = [ref.rpartition("/")[2] for ref in refs]
        named = CinematicPreset.objects.filter(in_library(project), slug__in=slugs).select_related("category")
        # Of two of one name the film's own is meant, as everywhere: it stands last here.
        own_last = named.order_by(F("project").asc(nulls_first=True))
        set_look_presets(look, found_presets(refs, project, keep=own_last))

    def _wrong(self, where: str, problem: Problem) -> None:
        at = f"{where}, {problem.field}" if problem.field else where
        self.done.problems.append(Problem(at, problem.value, problem.message, problem.code))


def _known(kind: Kind, project: Project | None) -> Iterator[tuple[Any, dict[str, Any]]]:
    rows = kind.rows_of(project.pk if project else None)
    if kind.model is Look:
        parts = LookPreset.objects.select_related("preset__category").order_by("order")
        rows = rows.prefetch_related(Prefetch("look_presets", parts))
    for row in rows:
        yield row, said_by(kind, row)


def _rows(kind: Kind, project: Project | None) -> Iterator[dict[str, Any]]:
    return (said for _row, said in _known(kind, project))


def _key(kind: Kind, row: Any) -> tuple[str, ...]:
    said = said_by(kind, row) if "presets" not in kind.key else {}
    return tuple(str(said[column]) for column in kind.key)
