"""What was said about the takes of a playlist, as a table for spreadsheets."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Final

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.text import slugify

from apps.accounts.models import User
from apps.productions.importing.cells import escaped
from apps.projects.stages import Stage
from apps.review.models import Playlist, ReviewNote
from apps.review.numbering import number_of
from apps.review.selectors import notes_for

COLUMNS: Final = (
    "position",
    "shot",
    "stage",
    "take",
    "frame",
    "note",
    "author",
    "visibility",
    "drawing",
    "answers",
    "resolved_by",
    "resolved_at",
    "created_at",
)


def notes_csv(playlist: Playlist, reader: User) -> HttpResponse:
    """The notes on a playlist's takes that this person reads, in its order: CSV that Excel opens."""
    table = StringIO()
    # Excel knows UTF-8 by its mark; a text that begins like a formula gets an apostrophe before it.
    table.write("\ufeff")
    rows = csv.writer(table)
    rows.writerow(COLUMNS)
    places = {place.take_id: number for number, place in enumerate(playlist.items.all(), start=1)}
    notes = notes_for(reader, ReviewNote.objects.filter(take__in=places)).select_related(
        "take__shot__sequence", "take__shot__project"
    )
    for note in sorted(notes, key=lambda one: (places[one.take_id], one.frame or 0, one.created_at)):
        rows.writerow([escaped(value) for value in _row(note, places[note.take_id])])
    answer = HttpResponse(table.getvalue(), content_type="text/csv; charset=utf-8")
    name = f"{playlist.project.code}_{slugify(playlist.name, allow_unicode=True) or 'playlist'}_notes.csv"
    answer["Content-Disposition"] = str(content_disposition_header(True, name))
    return answer


def _row(note: ReviewNote, position: int) -> list[str]:
    take = note.take
    return [
        str(position),
        take.shot.full_code,
        str(Stage(take.stage).value),
        str(take.number),
        str(number_of(take, note.frame) if note.frame is not None else ""),
        note.text,
        note.author,
        str(note.visibility),
        "yes" if note.drawing else "",
        str(note.reply_to_id or ""),
        note.resolved_by,
        note.resolved_at.isoformat(timespec="seconds") if note.resolved_at else "",
        note.created_at.isoformat(timespec="seconds"),
    ]
