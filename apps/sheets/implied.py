"""What a shot list says without a sheet of its own: a sequence that only its shots name is made with them."""

from __future__ import annotations

from apps.productions.importing.known import Known
from apps.productions.importing.layout import SEQUENCES, SHOTS
from apps.productions.importing.records import Record
from apps.sheets.reading import Told

NO_ROW = 0
"""Where such a record stands in the file: nowhere."""


def imply_sequences(told: Told, known: Known) -> None:
    """Add a record for each sequence that shots name and nobody describes. Its code is its name."""
    described = {record.key[0] for record in told.records.get(SEQUENCES.sheet, ())} | known.sequences.keys()
    named = dict.fromkeys(record.key[0] for record in told.records.get(SHOTS.sheet, ()))
    told.records.setdefault(SEQUENCES.sheet, []).extend(
        Record(SEQUENCES.sheet, NO_ROW, (code,), {"code": code, "name": code}, {})
        for code in named
        if code not in described
    )
