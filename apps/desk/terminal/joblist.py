"""``farm jobs`` and ``farm why``: what renders, what waits, and for what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from apps.common.show import TONES, tier_text
from apps.desk.terminal.answer import Answer, iso
from apps.desk.terminal.text import Paint, clean, table
from apps.nodes.models import Node
from apps.projects.models import Project
from apps.renders import cells
from apps.renders.models import Job, Priority, RenderBatch
from apps.renders.states import IN_FLIGHT, OPEN, JobState
from apps.renders.waiting import is_led, reason_of, wait_sentence
from apps.renders.waitwords import clock_text
from apps.renders.why import Why, why
from apps.renders.words import failure_in_words

MOST_JOBS: Final = 50


@dataclass(frozen=True)
class Wanted:
    """Which jobs to show. ``states`` empty: those that are not closed."""

    states: Sequence[str] = ()
    project: Project | None = None
    batch: RenderBatch | None = None
    node: Node | None = None
    most: int = MOST_JOBS

    @property
    def narrowed(self) -> bool:
        """Something was asked for by name."""
        return bool(self.states or self.project or self.batch or self.node)


def jobs(wanted: Wanted, paint: Paint) -> Answer:
    """Jobs, the newest first: what each does, or why it waits, or how it failed."""
    found = list(_chosen(wanted)[: wanted.most + 1])
    rows = cells.dress(found[: wanted.most])
    headings = [
        *(_("job"), _("shot"), _("makes"), _("state"), _("priority"), _("tier"), _("node"), _("says")),
    ]
    lines = table([_row(job, paint) for job in rows], headings) if rows else [_("No job.")]
    more = len(found) > wanted.most
    if more:
        lines.append(_("There are more; --limit shows them."))
    data = {"jobs": [job_json(job) for job in rows], "more": more}
    return Answer(lines, data, found=bool(rows) or not wanted.narrowed)


def why_answer(job: Job, paint: Paint) -> Answer:
    """Why one job waits, what each node says to it, and when it is expected to start and to end."""
    told = why(job)
    [job] = cells.dress([job])
    head = f"{job.code} {clean(job.label)}: {paint(str(job.get_state_display()), TONES[job.state])}"
    lines = [head]
    reason = told.reason
    if reason.code:
        since = "" if reason.since is None else " " + _("(since %(at)s)") % {"at": clock_text(reason.since)}
        lines.append(clean(reason.sentence) + since)
        if not is_led():
            lines.append(paint(_("no ticker leads: nothing is dispatched"), "red"))
    elif job.state in (JobState.FAILED, JobState.QUARANTINED):
        lines.append(clean(failure_in_words(job.failure_message)))
    elif job.state in IN_FLIGHT:
        node = _node_of(job)
        lines.append(_("On %(node)s: %(says)s") % {"node": node, "says": _says(job)} if node else _says(job))
    if told.eta_sentence:
        lines.append(told.eta_sentence)
    if told.rows:
        lines += ["", *table([[clean(row.node), row.sentence] for row in told.rows], [_("node"), _("says")])]
    return Answer(lines, {"job": job_json(job), **why_json(told)})


def why_json(told: Why) -> dict[str, Any]:
    """The reasons and the expectation for tools."""
    reason = told.reason
    waiting = {"code": reason.code, "sentence": reason.sentence, "since": iso(reason.since)}
    return {
        "waiting": waiting if reason.code else None,
        "eta": None if told.eta is None else told.eta.as_json(),
        "nodes": [{"node": row.node, "code": row.code, "sentence": row.sentence} for row in told.rows],
    }


def job_json(job: Job) -> dict[str, Any]:
    """One job for tools."""
    reason = reason_of(job)
    return {
        "job": job.code,
        "id": str(job.pk),
        "project": job.project.code,
        "batch": job.batch.code,
        "shot": job.shot.full_code,
        "kind": job.kind,
        "take": job.take_number,
        "template": job.template_version.template.slug,
        "state": job.state,
        "priority": job.priority,
        "paused": job.paused,
        "tier_gb": job.tier_gb,
        "node": _node_of(job) or None,
        "progress": round(job.progress, 3),
        "wait": reason.code or None,
        "says": _says(job),
        "submitted_at": iso(job.created_at),
        "finished_at": iso(job.finished_at),
    }


def _chosen(wanted: Wanted) -> QuerySet[Job]:
    rows = Job.objects.select_related("project", "shot__sequence", "template_version__template")
    rows = rows.defer("template_version__graph", "template_version__manifest").order_by("-pk")
    rows = rows.filter(state__in=wanted.states or OPEN)
    if wanted.project is not None:
        rows = rows.filter(project=wanted.project)
    if wanted.batch is not None:
        rows = rows.filter(batch=wanted.batch)
    if wanted.node is not None:
        rows = rows.filter(Q(attempts__node=wanted.node)).distinct()
    return rows


def _row(job: Job, paint: Paint) -> list[str]:
    return [
        job.code,
        clean(job.shot.full_code),
        f"{job.get_kind_display()} {job.take_number} · {job.template_version.template.slug}",
        paint(str(job.get_state_display()), TONES[job.state]) + (f" ({_('paused')})" if job.paused else ""),
        str(Priority(job.priority).label) if job.priority in Priority.values else str(job.priority),
        tier_text(job.tier_gb),
        _node_of(job),
        _says(job),
    ]


def _node_of(job: Job) -> str:
    """The node that has a dressed job in hand, or had it last."""
    last = getattr(job, "last", None)
    return clean(last.node.name) if last is not None and last.node is not None else ""


def _says(job: Job) -> str:
    if job.state in IN_FLIGHT:
        return clean(f"{round(job.progress * 100)} % {cells.at_work(job)}")
    if job.state in (JobState.FAILED, JobState.QUARANTINED):
        words = failure_in_words(job.failure_message).splitlines()
        return clean(words[0])[:160] if words else ""
    return clean(wait_sentence(job))
