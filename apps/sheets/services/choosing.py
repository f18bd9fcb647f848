"""People say what the file's columns are, and what is to be taken of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused
from apps.common.machines import move
from apps.common.numbering import CODE_RULE, is_code
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import require_unchanged
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.sheets.headings import IGNORED, Targets, each_once, signature_of, targets
from apps.sheets.models import ColumnMapping, ImportBatch, ImportRow, Outcome, Work
from apps.sheets.reading import TableMapping
from apps.sheets.services.aging import forget
from apps.sheets.services.doing import ask
from apps.sheets.states import BATCH, OPEN, BatchState

EMPTY = ("keep", "clear")
CHOSEN: Final = ("mapping", "options")
"""What people choose of an import."""


def choose(
    batch: ImportBatch,
    *,
    user: User,
    mapping: Mapping[str, TableMapping] | None = None,
    row_version: int | None = None,
    **options: Any,
) -> None:
    """Keep what was chosen, remember the mapping for the next such file, and plan anew.

    ``options``: create, empty ("keep" or "clear"), sequence, left_out ([table, row] each); those that are not
    named stay. ``row_version``: of the import as it was read; None: whichever it is at. Raises NotAllowed;
    Stale where somebody chose otherwise since; Conflict if the batch is closed or at work; Refused for what
    is no choice.
    """
    require_open(batch, user)
    chosen: dict[str, Any] = {"options": _checked_options(batch, options)}
    if mapping is not None:
        _check_mapping(batch, mapping, targets(batch.project_id))
        chosen["mapping"] = {
            name: {"sheet": table.sheet, "columns": list(table.columns), "remembered": True}
            for name, table in mapping.items()
        }
        chosen["kind"] = ", ".join(dict.fromkeys(one.sheet for one in mapping.values() if one.sheet))[:200]
    with changing(ImportBatch, [batch.pk], actor=user):
        require_open(batch, user)  # still: its row is locked now
        if row_version is not None:
            require_unchanged(batch, row_version, *CHOSEN)
        ImportBatch.objects.filter(pk=batch.pk).update(**chosen)
        for name, value in chosen.items():
            setattr(batch, name, value)
        if mapping is not None:
            _remember(batch)
    ask(batch, Work.PLAN)


def leave_out_errors(batch: ImportBatch, *, user: User, row_version: int | None = None) -> None:
    """Leave out every row that has an error, and plan anew; see choose."""
    require_open(batch, user)
    bad = ImportRow.objects.filter(batch=batch, outcome=Outcome.ERROR, row__gt=0)
    rows = [[sheet, row] for sheet, row in bad.values_list("sheet", "row")]
    left_out = [*batch.options.get("left_out", []), *rows]
    choose(batch, user=user, row_version=row_version, left_out=left_out)


def discard(batch: ImportBatch, *, user: User) -> None:
    """Lay an import aside; its file and its plan go. Raises NotAllowed, Conflict."""
    require_open(batch, user)
    actor = user.get_username()
    if not move(BATCH, batch, from_=OPEN, to=BatchState.REFUSED, actor=actor, reason="laid aside"):
        raise _closed(batch)
    forget(batch)


def require_open(batch: ImportBatch, user: User) -> None:
    """Raise NotAllowed unless the user plans the project, Conflict unless the import is open and at rest."""
    require(user, Act.PLAN, batch.project)
    batch.refresh_from_db(fields=["state", "work"])
    if batch.state not in OPEN:
        raise _closed(batch)
    if batch.work:
        told = _("The farm is at work on this import. Wait until it is done.")
        raise Conflict(Problem("work", batch.work, told, code="busy"))


def _closed(batch: ImportBatch) -> Conflict:
    batch.refresh_from_db(fields=["state"])
    told = _("This import is closed: %s. Bring the file again.") % batch.get_state_display()
    return Conflict(Problem("state", batch.state, told, code="closed"))


def _check_mapping(batch: ImportBatch, mapping: Mapping[str, TableMapping], known: Targets) -> None:
    problems: list[Problem] = []
    tables = {table["name"]: table["headings"] for table in batch.tables}
    for name in tables.keys() - mapping.keys():
        problems.append(Problem("mapping", name, _("Say of this table which sheet it is."), "required"))
    for name, table in mapping.items():
        headings = tables.get(name)
        if headings is None:
            told = _("The file has no such table. Its tables are: %s.") % ", ".join(tables)
            problems.append(Problem("mapping", name, told, "unknown_table"))
        elif table.sheet and table.sheet not in known.by_sheet:
            told = _("There is no such sheet. Choose one of: %s.") % ", ".join(known.by_sheet)
            problems.append(Problem(f"mapping.{name}", table.sheet, told, "unknown_sheet"))
        elif len(table.columns) != len(headings):
            told = _("The table has %(n)d columns. Say of each what it is.") % {"n": len(headings)}
            problems.append(Problem(f"mapping.{name}", str(len(table.columns)), told, "columns"))
        else:
            problems += _check_columns(name, table, known.by_sheet.get(table.sheet, ()))
    if problems:
        raise Refused(*problems)


def _check_columns(name: str, table: TableMapping, offered: Sequence[str]) -> Iterable[Problem]:
    seen: set[str] = set()
    for column in table.columns:
        if column == IGNORED or not table.sheet:
            continue
        if column not in offered:
            told = _("“%(sheet)s” has no such column. It has: %(known)s.")
            facts = {"sheet": table.sheet, "known": ", ".join(offered)}
            yield Problem(f"mapping.{name}", column, told % facts, "unknown_column")
        elif column in seen:
            yield Problem(
                f"mapping.{name}", column, _("Two columns cannot both be this one."), "duplicate_column"
            )
        seen.add(column)


def _checked_options(batch: ImportBatch, options: Mapping[str, Any]) -> dict[str, Any]:
    problems: list[Problem] = []
    empty, sequence = options.get("empty", "keep"), str(options.get("sequence", "") or "")
    if empty not in EMPTY:
        problems.append(Problem("empty", str(empty), _("Choose one of: keep, clear."), "unknown_choice"))
    if sequence and not is_code(sequence):
        problems.append(Problem("sequence", sequence, CODE_RULE, "invalid_code"))
    if problems:
        raise Refused(*problems)
    kept = {"create", "empty", "sequence", "left_out"}
    chosen: dict[str, Any] = batch.options | {name: value for name, value in options.items() if name in kept}
    if "left_out" in chosen:
        chosen["left_out"] = sorted({(str(table), int(row)) for table, row in chosen["left_out"]})
    return chosen


def _remember(batch: ImportBatch) -> None:
    for table in batch.tables:
        mapped = batch.mapping[table["name"]]
        columns = dict(zip(each_once(table["keys"]), mapped["columns"], strict=True))
        ColumnMapping.objects.update_or_create(
            project=batch.project,
            signature=signature_of(table["name"], table["keys"]),
            defaults={"sheet": mapped["sheet"], "columns": columns},
        )
