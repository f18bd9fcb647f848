"""What became of every row of a file, to be kept beside it."""

from __future__ import annotations

import csv
import io
from pathlib import PurePosixPath

from django.utils.translation import gettext as _

from apps.productions.importing.cells import escaped
from apps.sheets.models import ImportBatch, ImportRow
from apps.sheets.writing import Written


def report(batch: ImportBatch) -> Written:
    """Write a CSV with a line for each row, and one for each cell that differs or is at fault."""
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow(
        [_("sheet"), _("row"), _("what"), _("outcome"), _("column"), _("before"), _("after"), _("problem")]
    )
    for problem in batch.problems:
        value, field, message = (escaped(problem[one]) for one in ("value", "field", "message"))
        lines.writerow(["", "", value, _("error"), field, "", "", message])
    for row in ImportRow.objects.filter(batch=batch).order_by("position").iterator(chunk_size=2000):
        told = [escaped(row.sheet), row.row or "", escaped(row.what), row.get_outcome_display()]
        cells = [cell for cell in row.cells if cell[1] in ("changed", "error", "new") and any(cell[2:])]
        for column, _state, before, after, wrong in cells:
            lines.writerow([*told, column, escaped(before), escaped(after), escaped(wrong)])
        if not cells:
            lines.writerow([*told, "", "", "", ""])
    stem = PurePosixPath(batch.file_name).stem
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in stem)
    return Written(f"{safe}_report.csv", "text/csv; charset=utf-8", text.getvalue().encode("utf-8-sig"))
