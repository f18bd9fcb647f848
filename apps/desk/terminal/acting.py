"""What an operator does at the command line. Every deed is a service that the admin and the API call, too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.desk.terminal.answer import Answer
from apps.nodes.models import Node
from apps.nodes.services import set_desired, set_note
from apps.nodes.states import Desired
from apps.renders.models import Job, Priority, RenderBatch
from apps.renders.services.cancelling import cancel_jobs
from apps.renders.services.removal import remove_node
from apps.renders.services.requeueing import failures_of, requeue_jobs, requeueable
from apps.renders.services.steering import change_jobs
from apps.renders.states import OPEN, JobState

MOST_NAMED = 20
"""Jobs named one by one in an answer for people; tools get every one of them."""


def steer(nodes: Sequence[Node], desired: Desired, *, user: User, reason: str = "") -> Answer:
    """Drain, pause or activate nodes. Each hears it with its next report, within 5 s."""
    lines, data = [], []
    for node in nodes:
        changed = set_desired(node, desired, user=user, reason=reason)
        told = _("%(node)s: %(desired)s already.")
        if changed:
            told = _("%(node)s: %(desired)s from its next report on.")
        lines.append(told % {"node": node.name, "desired": desired.label})
        data.append({"node": node.name, "desired": str(desired), "changed": changed})
    return Answer(lines, {"nodes": data})


def remove(node: Node, *, user: User) -> Answer:
    """Take a node that is gone for good off the books. Raises Refused, naming what stands in the way."""
    remove_node(node, user=user)
    return Answer([_("%(node)s is removed.") % {"node": node.name}], {"node": node.name, "removed": True})


def note(node: Node, text: str, *, user: User) -> Answer:
    """Pin a maintenance note to a node; an empty one takes it off."""
    set_note(node, text, user=user)
    told = _("%(node)s: the note is pinned.") if text.strip() else _("%(node)s: the note is taken off.")
    return Answer([told % {"node": node.name}], {"node": node.name, "note": text.strip()})


def requeue_named(jobs: Sequence[Job], *, user: User, dry_run: bool = False) -> Answer:
    """Requeue these jobs; those that have not ended without a take are refused by name."""
    return _requeue(_rows(jobs), jobs, user=user, dry_run=dry_run)


def requeue_batch(batch: RenderBatch, *, user: User, dry_run: bool = False) -> Answer:
    """Requeue what failed, was cancelled or quarantined of a batch."""
    return _requeue(Job.objects.filter(batch=batch), (), user=user, dry_run=dry_run)


def requeue_node(node: Node, *, user: User, since: datetime | None = None, dry_run: bool = False) -> Answer:
    """Requeue the jobs whose last attempt failed, or was lost, on this node."""
    return _requeue(failures_of(node, since=since), (), user=user, dry_run=dry_run)


def cancel(jobs: Sequence[Job], *, user: User, dry_run: bool = False) -> Answer:
    """Cancel open jobs, down to ComfyUI; closed ones are refused by name."""
    open_jobs = [job for job in jobs if job.state in OPEN]
    if not dry_run:
        cancel_jobs(_rows(open_jobs), user=user)
        left = set(_rows(open_jobs).exclude(state=JobState.CANCELLED).values_list("pk", flat=True))
        open_jobs = [job for job in open_jobs if job.pk not in left]
    codes = [job.code for job in open_jobs]
    refused = [
        Problem(
            "job", job.code, _("it is closed already (%s)") % job.get_state_display(), code="illegal_move"
        )
        for job in jobs
        if job not in open_jobs
    ]
    said = ngettext("%(count)d job cancelled", "%(count)d jobs cancelled", len(codes))
    if dry_run:
        said = ngettext("%(count)d job would be cancelled", "%(count)d jobs would be cancelled", len(codes))
    data = {"cancelled": codes, "dry_run": dry_run}
    return Answer(_named(said, codes), data, found=bool(codes), problems=refused)


def prioritise(jobs: Sequence[Job], priority: Priority, *, user: User) -> Answer:
    """Give open jobs another priority class; closed ones are refused by name."""
    outcome = change_jobs(_rows(jobs), {"priority": priority}, user=user)
    codes = sorted([*outcome.changed, *outcome.same])
    refused = [
        Problem("job", code, _("it is closed, so its priority means nothing any more"), code="illegal_move")
        for code in outcome.closed
    ]
    said = ngettext(
        "%(count)d job now has priority %(priority)s",
        "%(count)d jobs now have priority %(priority)s",
        len(codes),
    )
    data = {"priority": int(priority), "jobs": codes, "changed": sorted(outcome.changed)}
    return Answer(_named(said, codes, priority=priority.label), data, found=bool(codes), problems=refused)


def _requeue(jobs: QuerySet[Job], named: Sequence[Job], *, user: User, dry_run: bool) -> Answer:
    chosen = dict(requeueable(jobs, user=user).order_by("code").values_list("pk", "code"))
    if named and not chosen:
        raise Refused(*[_not_requeueable(job) for job in named])
    if not dry_run:
        requeue_jobs(Job.objects.filter(pk__in=chosen), user=user)
    codes = list(chosen.values())
    said = ngettext("%(count)d job requeued", "%(count)d jobs requeued", len(codes))
    if dry_run:
        said = ngettext("%(count)d job would be requeued", "%(count)d jobs would be requeued", len(codes))
    refused = [_not_requeueable(job) for job in named if job.pk not in chosen]
    data = {"requeued": codes, "dry_run": dry_run}
    return Answer(_named(said, codes), data, found=bool(codes), problems=refused)


def _not_requeueable(job: Job) -> Problem:
    told = _("only a failed, cancelled or quarantined job is requeued; this one is: %s")
    return Problem("job", job.code, told % job.get_state_display(), code="illegal_move")


def _named(said: str, codes: Sequence[str], **facts: Any) -> list[str]:
    """A sentence with a count, and the first codes behind it."""
    sentence = said % {"count": len(codes), **facts}
    if not codes:
        return [f"{sentence}."]
    shown = ", ".join(codes[:MOST_NAMED]) + (", …" if len(codes) > MOST_NAMED else "")
    return [f"{sentence}: {shown}"]


def _rows(jobs: Sequence[Job]) -> QuerySet[Job]:
    return Job.objects.filter(pk__in=[job.pk for job in jobs])
