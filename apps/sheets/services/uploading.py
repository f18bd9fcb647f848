"""A file comes in: looked at, kept as it came, its columns guessed."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.common.ids import uuid7
from apps.common.machines import record_event
from apps.productions.importing.reader import Fault, Sheet
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.sheets.files import MOST_BYTES, Brought, read_file
from apps.sheets.headings import (
    IGNORED,
    Guess,
    Targets,
    columns_of,
    each_once,
    guess,
    heading_row,
    signature_of,
    targets,
)
from apps.sheets.models import ColumnMapping, ImportBatch
from apps.sheets.services.aging import expire
from apps.sheets.states import BATCH, BatchState

logger = logging.getLogger(__name__)

FEW_BYTES: Final = 256 * 1024
FEW_ROWS: Final = 2_000
"""A file this small and short is planned at once, within some seconds; any other by the media worker. A
workbook is packed: 4 000 shots fit into so few bytes."""


def upload(project: Project, file: BinaryIO | File[bytes], *, name: str = "", user: User) -> ImportBatch:
    """Keep a file for this project and say which column each of its columns may be; nothing is planned yet.

    Raises NotAllowed; Refused for a file that is none, too large, damaged or misnamed.
    """
    require(user, Act.PLAN, project)
    plain = _plain_name(name or str(getattr(file, "name", "") or ""))
    content = file.read(MOST_BYTES + 1)
    known = targets(project.pk)
    brought = read_file(content, plain, heading_row(known))
    if not any(sheet.headings for sheet in brought.sheets):
        told = _("The file holds no headings. Write the names of the columns into its first row.")
        raise Refused(Problem("file", plain, told, code="no_headings"))
    expire(project)
    pk = uuid7()
    batch = ImportBatch(
        pk=pk,
        project=project,
        by=user,
        file_name=plain,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        key=f"sheets/{project.code}/{pk.hex}.{brought.format}",
        format=brought.format,
        tables=[_told(sheet) for sheet in brought.sheets],
        mapping=guessed(project, brought, known),
        total=sum(len(sheet.rows) for sheet in brought.sheets),
    )
    batch.kind = kind_of(batch.mapping)
    default_storage.save(batch.key, ContentFile(content))
    with transaction.atomic():
        batch.save(force_insert=True)
        record_event(BATCH, pk, to=BatchState.UPLOADED, actor=user.get_username(), data={"file": plain})
    logger.info("sheet uploaded", extra={"import": str(pk), "project": project.code, "bytes": batch.bytes})
    return batch


def guessed(project: Project, brought: Brought, known: Targets) -> dict[str, Any]:
    """Say for every table which sheet it is, as remembered of this project, else by its headings."""
    signatures = {sheet.name: signature_of(sheet.name, sheet.headings) for sheet in brought.sheets}
    remembered = {
        row.signature: row
        for row in ColumnMapping.objects.filter(project=project, signature__in=set(signatures.values()))
    }
    found = {}
    for sheet in brought.sheets:
        before = remembered.get(signatures[sheet.name])
        made = (
            _remembered(sheet, before, known)
            if before
            else guess(sheet, known, alone=len(brought.sheets) == 1)
        )
        found[sheet.name] = {
            "sheet": made.sheet,
            "columns": list(made.columns),
            "remembered": before is not None,
        }
    return found


def _remembered(sheet: Sheet, before: ColumnMapping, known: Targets) -> Guess:
    if before.sheet not in known.by_sheet:
        return Guess(IGNORED, (IGNORED,) * len(sheet.headings))
    offered = known.by_sheet[before.sheet]
    guesses = columns_of(sheet.headings, before.sheet, known)
    columns = [
        told if (told := before.columns.get(one, guesses[index])) in offered else IGNORED
        for index, one in enumerate(each_once(sheet.headings))
    ]
    return Guess(before.sheet, tuple(columns))


def kind_of(mapping: Mapping[str, Any]) -> str:
    """Which of our sheets a file holds."""
    return ", ".join(dict.fromkeys(table["sheet"] for table in mapping.values() if table["sheet"]))[:200]


def _told(sheet: Sheet) -> dict[str, Any]:
    """What a page says of a table."""
    return {
        "name": sheet.name,
        "keys": list(sheet.headings),
        "headings": [title or one for one, title in _titles(sheet)],
        "rows": len(sheet.rows),
        "samples": [_samples(sheet, index) for index in range(len(sheet.headings))],
        "hidden": sheet.hidden,
        "hidden_rows": len(sheet.hidden_rows),
        "merged": list(sheet.merged[:20]),
    }


def _titles(sheet: Sheet) -> Sequence[tuple[str, str]]:
    titles = sheet.titles or ("",) * len(sheet.headings)
    return list(zip(sheet.headings, titles, strict=True))


def _samples(sheet: Sheet, index: int) -> str:
    found = [row.cells[index] for row in sheet.rows[:50] if index < len(row.cells)]
    said = [cell.shown if isinstance(cell, Fault) else str(cell) for cell in found if cell is not None]
    return " · ".join(text[:40] for text in said if text)[:90]


def _plain_name(name: str) -> str:
    last = PurePosixPath(name.replace("\\", "/")).name
    return "".join(letter for letter in last if letter.isprintable()).strip()[-200:] or "sheet"
