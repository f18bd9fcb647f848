"""What running pages ask: the living cells of the rows they show, and how much is unread."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.desk.sidebar import unread
from apps.projects.selectors import scoped
from apps.renders import cells
from apps.renders.models import Job, RenderBatch
from apps.renders.progress import tallies, tally_cell

MOST_ROWS: Final = 500
STOP_POLLING: Final = 286
"""htmx stops a poll that is answered with this status; a part of ours then looks when it hears of news."""


@require_safe
def live_rows(request: HttpRequest) -> HttpResponse:
    """Draw the named cells of jobs and batches again; tell htmx to stop when nothing can change any more."""
    names = [
        name for name in request.GET.get("cells", "").split(",") if name in (*cells.CELLS, *cells.OTHERS)
    ]
    jobs = scoped(Job.objects.filter(pk__in=_ids(request, "ids")), request.user)
    rows = cells.dress(jobs.only(*_NEEDED))
    batches = list(scoped(RenderBatch.objects.filter(pk__in=_ids(request, "batches")), request.user))
    counted = tallies([batch.pk for batch in batches])
    drawn = [cells.cell(name, job, swap=True) for job in rows for name in names]
    drawn += [tally_cell(batch, counted[batch.pk], swap=True) for batch in batches]
    going_on = any(cells.is_open(job) for job in rows) or any(counted[batch.pk].open for batch in batches)
    response = HttpResponse("".join(drawn), status=200 if going_on else STOP_POLLING)
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def unread_badge(request: HttpRequest) -> HttpResponse:
    """Draw again how many notices the reader has not read."""
    response = render(request, "parts/unread.html", {"count": unread(request)})
    response["Cache-Control"] = "no-store"
    return response


_NEEDED = (
    *("state", "paused", "paused_by", "start_after", "ready_at", "batch", "lane", "wait_code", "wait_params"),
    *("held", "priority", "rank", "doing", "progress", "failure_message"),
)


def _ids(request: HttpRequest, name: str) -> list[UUID]:
    found = []
    for text in request.GET.get(name, "").split(",")[:MOST_ROWS]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
