"""How each stage of a shot stands, read from its takes and jobs: to do, rendering, to check, done."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import pgettext_lazy

from apps.projects.stages import Stage
from apps.renders.models import Job
from apps.renders.states import OPEN
from apps.review.models import Take
from apps.review.states import Review

SHOWN: Final = (Stage.KEYFRAME, Stage.CLIP, Stage.FINISH)
TODO, RENDERS, CHECK, DONE = "todo", "renders", "check", "done"
WORDS: Final[Mapping[str, tuple[str, Promise]]] = {
    TODO: ("grey", pgettext_lazy("stage", "to do")),
    RENDERS: ("violet", pgettext_lazy("stage", "renders")),
    CHECK: ("amber", pgettext_lazy("stage", "to check")),
    DONE: ("green", pgettext_lazy("stage", "done")),
}
"""The colour and the words of each."""

Boxes = Mapping[tuple[UUID, str], str]


def boxes_of(shots: Collection[UUID]) -> Boxes:
    """How the stages of these shots stand that are not to do; three queries.

    A stage is done when a take of it is selected or approved, else it renders while a job of it is open, else
    there is something to check when a take waits for a verdict.
    """
    takes = Take.objects.filter(shot__in=shots).order_by()
    pairs = takes.values_list("shot_id", "stage").distinct()
    found = dict.fromkeys(pairs.filter(review_state=Review.PENDING), CHECK)
    jobs = Job.objects.filter(shot__in=shots, state__in=OPEN).order_by()
    found |= dict.fromkeys(jobs.values_list("shot_id", "stage").distinct(), RENDERS)
    return found | dict.fromkeys(pairs.filter(Q(selected=True) | Q(review_state=Review.APPROVED)), DONE)


def boxes(shot: UUID, found: Boxes) -> SafeString:
    """Draw the stages of a shot as a row of small boxes."""
    drawn = []
    for stage in SHOWN:
        tone, words = WORDS[found.get((shot, stage), TODO)]
        drawn.append((tone, f"{stage.label}: {words}", str(stage.label)[:1].upper()))
    return format_html(
        '<span class="sf-row">{}</span>',
        format_html_join("", '<span class="sf-badge sf-{}" title="{}">{}</span>', drawn),
    )
