"""How a run stands: for each shot and step what was rendered, which take goes on, what is stale and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.common.errors import Problem
from apps.common.ids import uuid_in
from apps.common.models import StateEvent
from apps.productions.models import Shot
from apps.recipes.expected import Expected
from apps.recipes.made import Difference, Made, differences, made_by
from apps.recipes.models import RecipeRun, RunJob, RunStep
from apps.recipes.spec import Gate, StepSpec
from apps.renders.models import Job
from apps.renders.states import OPEN, JobState
from apps.review.models import Take
from apps.review.states import Media, Review


class Stand(TextChoices):
    """How one step of one shot stands."""

    WAITS = "waits", _("waits")
    RENDERS = "renders", pgettext_lazy("recipe", "renders")
    TO_APPROVE = "to_approve", _("to approve")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


_UNREAD = (
    *("job__template_version__graph", "job__template_version__manifest"),
    *("job__prompt_build__segments", "job__prompt_build__loras"),
)


_ALIVE = {*OPEN, JobState.SUCCEEDED}


@dataclass
class Cell:
    """One step of one shot. ``output``: the job whose take goes on from here, None while there is none.

    ``stale``: why what was rendered is not what would be rendered now; empty: it is. ``upstream``: a step
    before it is stale. ``outdated``: it was rendered anew, and none of the new takes is approved yet.
    ``fingerprint``: what its last round was made of.
    """

    shot: Shot
    position: int
    spec: StepSpec
    row: RunStep | None
    renders: list[RunJob] = field(default_factory=list)
    takes: dict[UUID, Take] = field(default_factory=dict)
    stand: str = Stand.WAITS
    output: UUID | None = None
    stale: list[Difference] = field(default_factory=list)
    upstream: bool = False
    outdated: bool = False
    fingerprint: str = ""

    @property
    def newest(self) -> list[Job]:
        """The jobs of the last round."""
        last = max((one.round for one in self.renders), default=0)
        return [one.job for one in self.renders if one.round == last]

    @property
    def is_stale(self) -> bool:
        """Whether it has to be rendered again to be what it would be now."""
        return self.upstream or bool(self.stale)

    @property
    def sources(self) -> list[int]:
        """The places of the steps it is made from: the one before it, and those that fill other inputs."""
        before = [self.position - 1] if self.position else []
        return [*before, *(number - 1 for number in self.spec.also.values() if number != self.position)]

    @property
    def is_open(self) -> bool:
        """Whether anything of it may still change by itself."""
        return any(one.job.state in OPEN for one in self.renders)

    @property
    def shown(self) -> list[Take]:
        """Its takes, the newest first."""
        return sorted(self.takes.values(), key=lambda take: take.number, reverse=True)

    @property
    def approved(self) -> Take | None:
        """The take that goes on, where it is one."""
        return self.takes.get(self.output) if self.output else None


@dataclass(frozen=True)
class Row:
    """A shot with its cells in the order of the steps. ``problems``: why it cannot be rendered now."""

    shot: Shot
    cells: list[Cell]
    problems: list[Problem]

    @property
    def due(self) -> Cell | None:
        """The first step that is to be rendered again, or has not been though it may; None if all is well."""
        for cell in self.cells:
            sources = [self.cells[place] for place in cell.sources]
            ready = all(one.output is not None and not one.outdated for one in sources)
            if cell.is_stale:
                return cell if ready else None
            if not cell.renders:
                return cell if sources and ready else None
        return None


def rows_of(run: RecipeRun, shots: Sequence[Shot], specs: Sequence[StepSpec]) -> dict[UUID, list[Cell]]:
    """Read the cells of these shots, what was rendered in them, and which take goes on. Seven queries."""
    found = {
        (cell.shot_id, cell.position): cell
        for cell in RunStep.objects.filter(run=run, shot__in=shots).select_related("chosen")
    }
    renders = _renders(found.values())
    keys = [one.job_id for some in renders.values() for one in some]
    takes = _takes(keys)
    approvals = _approvals(keys)
    rows: dict[UUID, list[Cell]] = {}
    for shot in shots:
        rows[shot.pk] = [
            Cell(shot=shot, position=place, spec=spec, row=found.get((shot.pk, place)))
            for place, spec in enumerate(specs)
        ]
        for cell in rows[shot.pk]:
            if cell.row is None:
                continue
            cell.renders = renders.get(cell.row.pk, [])
            cell.takes = {one.job_id: takes[one.job_id] for one in cell.renders if one.job_id in takes}
            if cell.row.chosen is not None:
                cell.takes.setdefault(cell.row.chosen.job_id, cell.row.chosen)
            cell.output = _output(cell, approvals)
            cell.stand = _stand(cell)
    return rows


def outputs_of(rows: Iterable[Sequence[Cell]]) -> dict[int, dict[UUID, UUID]]:
    """By step and shot the job whose take goes on, where there is one."""
    found: dict[int, dict[UUID, UUID]] = defaultdict(dict)
    for cell in (cell for cells in rows for cell in cells):
        if cell.output is not None:
            found[cell.position][cell.shot.pk] = cell.output
    return found


def judge(rows: Mapping[UUID, list[Cell]], expected: Expected) -> list[Row]:
    """Compare what was rendered with what would be; a step behind a stale one is stale with it."""
    told = []
    for shot, cells in rows.items():
        _judge(cells, expected)
        told.append(Row(cells[0].shot, cells, expected.problems.get(shot, [])))
    return told


def _judge(cells: list[Cell], expected: Expected) -> None:
    for cell in cells:
        now = expected.made.get((cell.shot.pk, cell.position))
        if now is None:
            continue
        if cell.position:
            now = replace(now, source=cells[cell.position - 1].output)
        also = {role: cells[number - 1].output for role, number in cell.spec.also.items()}
        _compare(cell, replace(now, also=also))
        sources = [cells[place] for place in cell.sources]
        if cell.renders and any(one.is_stale or one.outdated for one in sources):
            cell.upstream = True


def _compare(cell: Cell, now: Made) -> None:
    """Fresh if any round was made of the same things: choosing an earlier take again renders nothing.

    An earlier round of which nothing came does not count: only the last one is requeued.
    """
    rounds: dict[int, list[RunJob]] = defaultdict(list)
    for one in cell.renders:
        rounds[one.round].append(one)
    fresh: set[int] = set()
    for number, (first, *others) in rounds.items():
        also = {role: uuid_in(job) for role, job in first.also.items()}
        was = made_by(first.job, first.source_job, seeded=now.seed is not None, own=now.own, also=also)
        cell.stale, cell.fingerprint = list(differences(was, now)), was.fingerprint
        came = any(one.job.state in _ALIVE for one in (first, *others))
        if not cell.stale and (came or number == max(rounds)):
            fresh.add(number)
    if not fresh:
        return
    cell.stale = []
    if cell.row is not None and cell.row.chosen is not None:
        return  # a person's choice stands, whatever it was made of
    if cell.spec.gate == Gate.NONE:
        cell.output = _newest([one for one in cell.renders if one.round in fresh], cell.takes)
    elif cell.output:
        cell.outdated = all(one.round not in fresh for one in cell.renders if one.job_id == cell.output)


def _output(cell: Cell, approvals: Mapping[UUID, datetime]) -> UUID | None:
    row = cell.row
    chosen = row.chosen if row else None
    if cell.spec.gate == Gate.NONE:
        if chosen and chosen.review_state not in (Review.REJECTED, Review.RETAKE):
            return chosen.job_id
        return _newest(cell.renders, cell.takes)
    at = dict(approvals)
    if chosen and row and row.chosen_at:
        at[chosen.job_id] = max(row.chosen_at, at.get(chosen.job_id, row.chosen_at))
    approved = [take for take in cell.takes.values() if take.review_state == Review.APPROVED]
    last = max(approved, key=lambda take: (at.get(take.job_id, take.created_at), take.number), default=None)
    return last.job_id if last else None


def _newest(renders: Iterable[RunJob], takes: Mapping[UUID, Take]) -> UUID | None:
    """The newest take that is worth going on from; before there is one, the newest job that may make it."""
    newest = sorted(renders, key=lambda one: (one.round, one.job.take_number), reverse=True)
    for one in newest:
        take = takes.get(one.job_id)
        if take and take.review_state not in (Review.REJECTED, Review.RETAKE) and _whole(take):
            return one.job_id
    return next((one.job_id for one in newest if one.job.state in OPEN), None)


def _whole(take: Take) -> bool:
    return take.media_state in (Media.READY, Media.PROCESSING)


def _stand(cell: Cell) -> str:
    states = {job.state for job in cell.newest}
    if not states:
        return Stand.DONE if cell.output else Stand.WAITS
    if states & set(OPEN):
        return Stand.RENDERS
    if cell.output:
        return Stand.DONE
    if JobState.SUCCEEDED in states:
        return Stand.TO_APPROVE
    return Stand.CANCELLED if states == {JobState.CANCELLED} else Stand.FAILED


def _renders(cells: Iterable[RunStep]) -> dict[UUID, list[RunJob]]:
    rows = RunJob.objects.filter(cell__in=[cell.pk for cell in cells]).select_related(
        "job__template_version__template", "job__prompt_build", "job__shot__sequence", "job__batch"
    )
    found: dict[UUID, list[RunJob]] = defaultdict(list)
    for one in rows.defer(*_UNREAD).order_by("round", "job__take_number"):
        found[one.cell_id].append(one)
    return found


def _takes(jobs: Iterable[UUID]) -> dict[UUID, Take]:
    rows = Take.objects.filter(job_id__in=list(jobs)).select_related("shot__sequence")
    return {take.job_id: take for take in rows}


def _approvals(jobs: Iterable[UUID]) -> dict[UUID, datetime]:
    """When each take was approved last, by its job."""
    events = StateEvent.objects.filter(
        story__in=list(jobs), machine="take_review", to_state=Review.APPROVED
    ).order_by("id")
    found: dict[UUID, Any] = dict(events.values_list("story", "at"))
    return found
