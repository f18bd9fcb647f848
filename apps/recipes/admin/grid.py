"""Shots × steps as the page of a run shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.common.errors import Problem
from apps.common.show import NOTHING, bar, state_badge
from apps.productions.models import Shot
from apps.recipes.models import RecipeRun
from apps.recipes.spec import Gate
from apps.recipes.standing import Cell, Row, Stand
from apps.recipes.words import TONES, waits_for, why_stale
from apps.renders import cells
from apps.renders.models import Job
from apps.renders.progress import Tally
from apps.renders.states import JobState
from apps.review.gallery import with_files
from apps.review.models import Take

SHOWN_TAKES = 4
"""Takes of one step that the grid shows; the shot's page has all."""


@dataclass(frozen=True)
class Square:
    """One step of one shot, ready to be drawn. ``jobs``: those of the last round that have no take.

    ``gated``: what follows waits for an approval. ``going_on``: the take that goes on.
    """

    cell: Cell
    step: int
    label: str
    tone: str
    waits: str
    stale: list[str]
    takes: list[Take]
    more_takes: int
    jobs: list[Job]
    gated: bool
    going_on: UUID | None


@dataclass(frozen=True)
class Line:
    """One shot. ``due``: something of it has changed and can be rendered now."""

    shot: Shot
    problems: list[Problem]
    due: bool
    squares: list[Square]


def draw(run: RecipeRun, rows: Sequence[Row]) -> list[Line]:
    """Read the takes' files and the jobs' states of all rows at once."""
    takes = {take.pk: take for row in rows for cell in row.cells for take in cell.takes.values()}
    with_files(list(takes.values()))
    dressed = cells.dress(
        [job for row in rows for cell in row.cells for job in cell.newest if job.state != JobState.SUCCEEDED]
    )
    jobs = {job.pk: job for job in dressed}
    return [
        Line(
            shot=row.shot,
            problems=row.problems,
            due=row.due is not None,
            squares=[_square(run, row, cell, jobs) for cell in row.cells],
        )
        for row in rows
    ]


def _square(run: RecipeRun, row: Row, cell: Cell, jobs: dict[UUID, Job]) -> Square:
    shown = cell.shown
    if (going_on := cell.approved) is not None:
        shown = [going_on, *(take for take in shown if take.pk != going_on.pk)]
    return Square(
        cell=cell,
        step=cell.position + 1,
        label=str(Stand(cell.stand).label),
        tone=TONES[cell.stand],
        waits=waits_for(run, row, cell),
        stale=why_stale(row, cell),
        takes=shown[:SHOWN_TAKES],
        more_takes=max(0, len(shown) - SHOWN_TAKES),
        jobs=[jobs[job.pk] for job in cell.newest if job.pk in jobs][:SHOWN_TAKES],
        gated=cell.spec.gate == Gate.APPROVAL,
        going_on=going_on.pk if going_on else None,
    )


def tally_text(tally: Tally) -> SafeString:
    """Show how many jobs of a run are done, and the states of the others."""
    if not tally.total:
        return NOTHING
    done = tally.by_state.get(JobState.SUCCEEDED, 0)
    states = format_html_join(
        " ",
        "{}",
        (
            (state_badge(state, f"{label} {count}"),)
            for state, label, count in tally.states
            if state != JobState.SUCCEEDED
        ),
    )
    drawn = bar(done / tally.total, tone="green", text=f"{done} / {tally.total}")
    return format_html('<span class="sf-cell">{} {}</span>', drawn, states)
