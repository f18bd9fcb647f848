"""How far batches and projects are: jobs by state, counted in one query for many of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Count
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.common.counting import CountAtMost
from apps.common.show import NOTHING, bar, state_badge
from apps.projects.models import Project
from apps.renders.models import Job, RenderBatch
from apps.renders.states import OPEN, JobState


@dataclass(frozen=True)
class Tally:
    """Jobs by state. ``most``: how far each was counted; so many means "as many, and more"."""

    by_state: Mapping[str, int]
    most: int | None = None

    @property
    def total(self) -> int:
        """All jobs."""
        return sum(self.by_state.values())

    @property
    def open(self) -> int:
        """Jobs that are not closed."""
        return sum(self.by_state.get(state, 0) for state in OPEN)

    @property
    def closed(self) -> int:
        """Jobs that will not change by themselves any more."""
        return self.total - self.open

    @property
    def failed(self) -> int:
        """Jobs that need a person."""
        return self.by_state.get(JobState.FAILED, 0) + self.by_state.get(JobState.QUARANTINED, 0)

    @property
    def states(self) -> list[tuple[str, str, int]]:
        """State, its label and its count, in the machine's order, empty ones left out."""
        return [
            (str(state), str(state.label), self.by_state[state])
            for state in JobState
            if self.by_state.get(state)
        ]

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """State, its label and its count as people read it: “2000+” for what was not counted to its end."""
        return [
            (state, label, f"{count}+" if self.most is not None and count >= self.most else str(count))
            for state, label, count in self.states
        ]


MOST_COUNTED: Final = 2_000
"""Jobs of one project counted in one state: a film of years costs no more than one of a week."""


def project_tallies(projects: Iterable[UUID]) -> dict[UUID, Tally]:
    """Count the jobs of these projects by state, up to MOST_COUNTED of each."""
    counts = {
        str(state): CountAtMost(
            # By a column that no other index begins with: by project and state alone it would be no order.
            Job.objects.filter(state=state).order_by("project", "state", "ready_at"),
            "project",
            most=MOST_COUNTED,
        )
        for state in JobState
    }
    rows = Project.objects.filter(pk__in=list(projects)).order_by().annotate(**counts)
    return {
        key: Tally(dict(zip(counts, counted, strict=True)), MOST_COUNTED)
        for key, *counted in rows.values_list("pk", *counts)
    }


def tallies(batches: Iterable[UUID]) -> defaultdict[UUID, Tally]:
    """Count the jobs of these batches by state."""
    counted: dict[UUID, dict[str, int]] = defaultdict(dict)
    rows = Job.objects.filter(batch__in=list(batches)).order_by().values_list("batch_id", "state")
    for batch, state, count in rows.annotate(count=Count("pk")):
        counted[batch][state] = count
    result: defaultdict[UUID, Tally] = defaultdict(lambda: Tally({}))
    result.update({batch: Tally(by_state) for batch, by_state in counted.items()})
    return result


def state_chips(tally: Tally) -> SafeString:
    """Show how many jobs are in each state."""
    return format_html_join(
        " ", "{}", ((state_badge(state, f"{label} {count}"),) for state, label, count in tally.states)
    )


def tally_cell(batch: RenderBatch, tally: Tally, *, swap: bool = False) -> SafeString:
    """Show a batch's progress and its states, as a cell that the live view can put in place."""
    oob = SafeString(' hx-swap-oob="true"') if swap else ""
    if not tally.total:
        return NOTHING
    tone = "red" if tally.failed else "green" if not tally.open else "violet"
    shown = bar(tally.closed / tally.total, tone=tone, text=f"{tally.closed} / {tally.total}")
    return format_html(
        '<span class="sf-cell" id="batch-{}"{}>{} {}</span>', batch.pk, oob, shown, state_chips(tally)
    )
