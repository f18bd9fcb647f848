"""What an archive tells in words: rows of a project as plain values, read in pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar

from django.db.models import Model, QuerySet

from apps.projects.models import Project
from apps.prompts.models import PromptBuild
from apps.review.models import Playlist, ReviewNote, Take

M = TypeVar("M", bound=Model)
PAGE: Final = 500
LISTS: Final = 10
"""Playlists read together, each of up to hundreds of takes."""
"""Rows read together. No query stays open while files are written: that takes hours."""


def prompts(project: Project) -> Iterator[dict[str, Any]]:
    """Every prompt that was built for its shots."""
    rows = PromptBuild.objects.filter(shot__project=project).select_related("shot__sequence")
    for build in pages(rows):
        yield {
            "id": build.pk,
            "shot": build.shot.full_code,
            "channel": build.channel,
            "language": build.language,
            "positive": build.positive,
            "negative": build.negative,
            "by_hand": build.by_hand,
            "segments": build.segments,
            "loras": build.loras,
            "built_at": build.created_at,
        }


def playlists(project: Project) -> list[dict[str, Any]]:
    """Its playlists and dailies, takes in their order."""
    rows = Playlist.objects.filter(project=project).prefetch_related("items__take__shot__sequence")
    return [
        {
            "name": one.name,
            "kind": one.kind,
            "day": one.day,
            "description": one.description,
            "for_clients": one.for_clients,
            "takes": [str(item.take) for item in one.items.all()],
        }
        for one in pages(rows, LISTS)
    ]


def notes(project: Project) -> Iterator[dict[str, Any]]:
    """What people wrote about its takes."""
    rows = ReviewNote.objects.filter(project=project).select_related("take__shot__sequence", "playlist")
    for note in pages(rows):
        yield {
            "id": note.pk,
            "take": str(note.take),
            "playlist": note.playlist.name if note.playlist else None,
            "answers": note.reply_to_id,
            "frame": note.frame,
            "text": note.text,
            "drawing": note.drawing,
            "author": note.author,
            "seen_by": note.visibility,
            "written_at": note.created_at,
            "resolved_at": note.resolved_at,
            "resolved_by": note.resolved_by,
        }


def facts_of(take: Take) -> dict[str, Any]:
    """What is told of a take; its shot and parents should be at hand."""
    return {
        "take": str(take),
        "shot": take.shot.full_code,
        "stage": take.stage,
        "kind": take.kind,
        "number": take.number,
        "template": take.template,
        "seed": take.seed,
        "prompt": take.prompt_build_id,
        "made_from": [parent.parent_id for parent in take.parents.all()],
        "id": take.pk,
        "review": take.review_state,
        "selected": take.selected,
        "selected_by": take.selected_by,
        "simulated": take.simulated,
        "rendered_at": take.created_at,
    }


def chunks(rows: QuerySet[M], at_once: int = PAGE) -> Iterator[list[M]]:
    """Read rows in pages, by their keys: none is read twice, and no query stays open."""
    last = None
    while True:
        page = rows.order_by("pk") if last is None else rows.order_by("pk").filter(pk__gt=last)
        some = list(page[:at_once])
        if not some:
            return
        yield some
        last = some[-1].pk


def pages(rows: QuerySet[M], at_once: int = PAGE) -> Iterator[M]:
    """The same, row by row."""
    for some in chunks(rows, at_once):
        yield from some
