"""The living parts of job rows: state, progress, why it waits, node, take. Drawn once, updated in place.

Each cell carries an id made of its name and the job's; the live view sends the same cells again and
htmx puts them where those ids stand.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.common.show import NOTHING, badge, bar, link, state_badge
from apps.renders.models import Attempt, Job, Priority
from apps.renders.states import IN_FLIGHT, OPEN, AttemptState, JobState
from apps.renders.waiting import read_lanes, wait_sentence
from apps.renders.waitwords import clock_text
from apps.renders.words import failure_in_words
from apps.review.models import Take

CELLS = ("state", "node", "take")
"""What every table of jobs keeps alive."""
OTHERS = ("priority",)

PRIORITY_TONES = {
    Priority.LOW: "grey",
    Priority.NORMAL: "blue",
    Priority.HIGH: "amber",
    Priority.URGENT: "red",
}


def dress(jobs: Iterable[Job]) -> list[Job]:
    """Put the newest attempt (``last``) and the take (``take``) on jobs, and read their lanes and batches.

    Four queries, however many jobs.
    """
    rows = list(jobs)
    read_lanes(rows)
    ids = [job.pk for job in rows]
    attempts: dict[UUID, Attempt] = {}
    for attempt in (
        Attempt.objects.filter(job__in=ids).select_related("node").order_by("number").defer("report", "log")
    ):
        attempts[attempt.job_id] = attempt
    takes = {take.job_id: take for take in Take.objects.filter(job_id__in=ids)}
    for job in rows:
        job.last = attempts.get(job.pk)  # type: ignore[attr-defined]
        job.take = takes.get(job.pk)  # type: ignore[attr-defined]
    return rows


def is_open(job: Job) -> bool:
    """Tell whether the job may still change by itself."""
    return job.state in OPEN


def state_cell(job: Job) -> SafeString:
    """Show state, progress while it renders, the reason while it waits, the failure when it failed."""
    parts = [state_badge(job.state, job.get_state_display())]
    if job.paused:
        parts.append(badge(_("paused"), "amber"))
    elif job.held and job.state in OPEN:
        parts.append(badge(_("batch paused"), "amber"))
    if job.state in IN_FLIGHT:
        doing = at_work(job) or _stage(job)
        parts.append(bar(job.progress))
        if doing:
            parts.append(format_html('<span class="sf-why">{}</span>', doing))
    elif why := wait_sentence(job):
        parts.append(format_html('<span class="sf-why">{}</span>', why))
    elif job.state in {JobState.FAILED, JobState.QUARANTINED} and job.failure_message:
        said = failure_in_words(job.failure_message).splitlines()[0][:160]
        parts.append(format_html('<span class="sf-why sf-bad">{}</span>', said))
    return format_html_join("", "{}", ((part,) for part in parts))


def node_cell(job: Job) -> SafeString:
    """Show the node of the newest attempt."""
    last: Attempt | None = getattr(job, "last", None)
    if last is None or last.node is None:
        return NOTHING
    return link(reverse("admin:nodes_node_change", args=[last.node.pk]), last.node.name)


def take_cell(job: Job) -> SafeString:
    """Lead to the take, once there is one."""
    take: Take | None = getattr(job, "take", None)
    if take is None:
        return NOTHING
    return link(
        reverse("admin:review_take_change", args=[take.pk]), _("take %(number)d") % {"number": take.number}
    )


def priority_cell(job: Job) -> SafeString:
    """Show the priority people gave, and whether the deadline has raised it."""
    given = badge(job.get_priority_display(), PRIORITY_TONES[Priority(job.priority)])
    if job.rank <= job.priority:
        return given
    told = _("its deadline has raised it")
    return format_html('{} <span title="{}">{}</span>', given, told, badge("▲", "red"))


def conditions(job: Job) -> SafeString:
    """Show when and where the job may render, one line each; the pool and the node must be in hand."""
    told = [
        (_("by %(at)s"), job.deadline and clock_text(job.deadline)),
        (_("from %(at)s"), job.start_after and clock_text(job.start_after)),
        (_("pool %(at)s"), job.pool and job.pool.name),
        (_("only on %(at)s"), job.pinned_to and job.pinned_to.name),
        (_("tags %(at)s"), job.tags.replace("\n", ", ")),
    ]
    lines = format_html_join("", "<div>{}</div>", ((words % {"at": fact},) for words, fact in told if fact))
    return format_html('<div class="sf-nowrap sf-small">{}</div>', lines) if lines else NOTHING


_STAGES = {"", *AttemptState.values}
"""What a node says it does when it says no more than the attempt's state."""

_DRAW = {"state": state_cell, "node": node_cell, "take": take_cell, "priority": priority_cell}


def cell(name: str, job: Job, *, swap: bool = False) -> SafeString:
    """Draw one cell with its id; ``swap`` tells htmx to put it in the place of the old one."""
    oob = SafeString(' hx-swap-oob="true"') if swap else ""
    return format_html(
        '<span class="sf-cell" id="{}-{}"{}>{}</span>', f"job-{name}", job.pk, oob, _DRAW[name](job)
    )


def at_work(job: Job) -> str:
    """Name the graph node at work; "" where its node says no more than the attempt's state does."""
    return "" if job.doing in _STAGES else job.doing


def _stage(job: Job) -> str:
    last: Attempt | None = getattr(job, "last", None)
    return str(AttemptState(last.state).label) if last is not None else ""
