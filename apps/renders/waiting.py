"""Why a job waits: the dispatcher writes a code and facts, this module turns them into a sentence."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.nodes.states import Desired, Observed
from apps.renders.models import Job
from apps.renders.states import JobState
from apps.workflows.models import Kind

_TAKE: Final = re.compile(rf"\b(?P<kind>{'|'.join(Kind.values)}) take (?P<number>\d+)")
"""How a job names what it makes (Job.label), in the parameters of a wait."""

SENTENCES = {
    "no_node": _("No node has ever reported here."),
    "none_serves": _("No node may be given work: %(nodes)s."),
    "too_big": _("Needs %(need)s GB on one GPU; the largest node here has %(largest)s GB."),
    "larger_than_any": _("Needs %(need)s GB on one GPU; no card is that large. Choose a smaller size."),
    "missing": _("No node of %(tier)s GB or more has %(missing)s."),
    "full": ngettext_lazy("The one fitting node is busy.", "All %(nodes)s fitting nodes are busy.", "nodes"),
    "paused": _("Paused."),
    "batch_paused": _("Its batch is paused."),
    "project_paused": _("The project is paused."),
    "start_after": _("Starts after %(at)s."),
    "depends": _("Waits for %(on)s."),
    "depends_failed": _("Waits for %(on)s, which is %(state)s."),
    "starting": _("Its order is about to be sent."),
    "farm_paused": _("The farm is paused."),
    "tier_paused": _("The %(tier)s GB tier is paused."),
    "limit_full": _("The limit %(limit)s is full: %(most)s at once."),
    "pinned_away": _("It may run on %(node)s only, which may not be given work."),
    "no_pool": _("No serving node is in the pool %(pool)s."),
    "no_tags": _("No serving node has the tags %(tags)s."),
    "avoided": _("It failed on every fitting node: %(failed_on)s."),
    "blocked": _("Blocked on every fitting node until %(until)s."),
    "broker": _("The message broker cannot be reached."),
}


def told_wait(job: Job) -> tuple[str, dict[str, Any]]:
    """The code and facts of why a job waits: its own, else its lane's. ("", {}) if it does not wait."""
    if job.state == JobState.BLOCKED:
        return job.wait_code, job.wait_params
    if job.state != JobState.READY:
        return "", {}
    held: tuple[tuple[bool, str, dict[str, Any]], ...] = (
        (job.batch.paused, "batch_paused", {"by": job.batch.paused_by}),
        (job.paused, "paused", {"by": job.paused_by}),
        (job.start_after is not None, "start_after", {"at": _iso(job.start_after)}),
    )
    lane = (job.lane.wait_code, job.lane.wait_params) if job.lane else ("", {})
    return next(((code, facts) for holds, code, facts in held if holds), lane)


def _iso(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


def wait_sentence(job: Job) -> str:
    """One translated sentence for a job that waits; "" for one that does not."""
    code, facts = told_wait(job)
    if code not in SENTENCES:
        return ""
    params = dict(facts)
    if isinstance(params.get("nodes"), dict):
        params["nodes"] = ", ".join(f"{count} {_kept(why)}" for why, count in params["nodes"].items())
    if "on" in params:
        params["on"] = _TAKE.sub(_take_in_words, str(params["on"]))
    if params.get("state") in JobState.values:
        params["state"] = JobState(params["state"]).label
    gaps = [_lacks(node, files) for node, files in params.get("where", ())]
    sentence = str(SENTENCES[code] % params)
    return f"{sentence} {'; '.join(gaps)}." if gaps else sentence


def too_big_for_all(need_tier_gb: int | None, need_gb: float, largest_gb: int | None) -> str:
    """One translated sentence where no known node can hold a job of this tier; "" where one can.

    ``largest_gb`` is the largest tier among the nodes; None while no node has reported.
    """
    if need_tier_gb is None:
        return str(SENTENCES["larger_than_any"] % {"need": f"{need_gb:g}"})
    if largest_gb is None:
        return str(SENTENCES["no_node"])
    if need_tier_gb > largest_gb:
        return str(SENTENCES["too_big"] % {"need": need_tier_gb, "largest": largest_gb})
    return ""


def _lacks(node: str, files: str) -> str:
    return gettext("%(node)s lacks %(files)s") % {"node": node, "files": files}


def _take_in_words(told: re.Match[str]) -> str:
    return f"{Kind(told['kind']).label} {_('take %(number)d') % {'number': int(told['number'])}}"


def _kept(why: str) -> str:
    labels = {str(state): str(state.label) for state in (*Observed, *Desired)}
    labels["off_hours"] = str(_("off hours"))
    return labels.get(why, str(_("SIMULATED, which is not allowed here")))
