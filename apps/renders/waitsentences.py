"""The sentences for why something waits, by the code the dispatcher writes.

A code may have several sentences, the fullest first: the first one wins whose every fact is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy


class Text(Protocol):
    """A lazy translation, plural or not, that takes facts by ``%``."""

    def __mod__(self, facts: Mapping[str, object], /) -> object: ...


SENTENCES: Final[Mapping[str, Sequence[Text]]] = {
    # what a person holds back
    "paused": (_("Paused by %(by)s."), _("Paused.")),
    "batch_paused": (_("Its batch is paused by %(by)s."), _("Its batch is paused.")),
    "project_paused": (_("The project is paused by %(by)s."), _("The project is paused.")),
    "tier_paused": (
        _("Work for %(rung)s is paused by %(by)s: %(reason)s."),
        _("Work for %(rung)s is paused by %(by)s."),
    ),
    "farm_paused": (
        _("The farm is paused by %(by)s: %(reason)s."),
        _("The farm is paused by %(by)s."),
    ),
    # what comes first
    "start_after": (_("Starts after %(at)s."),),
    "depends": (_("Waits for %(on)s."),),
    "depends_failed": (_("Waits for %(on)s, which is %(state)s."),),
    "continues": (_("Waits for the selected take of %(on)s."),),
    "continues_failed": (
        _("Waits for the selected take of %(on)s, whose last clip is %(state)s."),
        _("Waits for the selected take of %(on)s."),
    ),
    "continues_stale": (_("Waits for a take of %(on)s that is not stale to be selected."),),
    "continues_cut": (_("Waits until the end of the selected take of %(on)s is cut."),),
    "continues_uncut": (
        _("The end of the selected take of %(on)s cannot be cut: %(why)s Select another one."),
        _("The end of the selected take of %(on)s cannot be cut."),
    ),
    "limit_full": (_("The limit %(limit)s is full: at most %(most)s at once."),),
    "behind": (_("Others go first: %(ahead)s."), _("Others go first.")),
    "share": (
        _("Others go first by fair share: %(ahead)s. Its project used %(used)s of GPU time in 24 hours."),
        _("Other projects go first by fair share. This one used %(used)s of GPU time in 24 hours."),
        _("Other projects go first by fair share."),
    ),
    # who could take it
    "no_node": (_("No node has ever reported here."),),
    "none_serves": (_("No node may be given work: %(nodes)s."),),
    "larger_than_any": (_("Needs %(need)s GB on one GPU; no card is that large. Choose a smaller size."),),
    "too_big": (_("Needs %(need)s GB on one GPU; the largest node here has %(largest)s GB."),),
    "missing": (
        _("No node of %(tier)s GB or more has %(missing)s. %(where)s."),
        _("No node of %(tier)s GB or more has %(missing)s."),
    ),
    "no_key": (_("No node has a key for %(service)s."),),
    "older_workers": (
        _("The workers of all nodes that could take it are too old: they do not know %(says)s. Update them."),
        _("The workers of all nodes that could take it are too old. Update them."),
    ),
    "pinned_away": (
        _("Only %(node)s may render it. There: %(why)s"),
        _("Only %(node)s may render it."),
    ),
    "no_pool": (_("No node of the pool %(pool)s can take it."),),
    "avoided": (_("It failed on every fitting node: %(failed_on)s."),),
    "warming": (
        _("Left to the nodes that have its models loaded: they should begin it within %(left)s."),
        _("Waits for a node that has its models loaded: sooner than loading them anew."),
    ),
    "no_tags": (_("No node has all the tags it asks for: %(tags)s."),),
    "blocked": (
        ngettext_lazy(
            "The one fitting node is blocked for this template after failures, until %(until)s.",
            "All %(nodes)s fitting nodes are blocked for this template after failures, until %(until)s.",
            "nodes",
        ),
        _("Every fitting node is blocked for this template after failures."),
    ),
    "full": (
        ngettext_lazy("The one fitting node is busy.", "All %(nodes)s fitting nodes are busy.", "nodes"),
        _("Every fitting node is busy."),
    ),
    # it is about to go
    "starting": (_("Its order is on its way to a node."),),
    "broker": (_("The message broker cannot be reached."),),
}
"""Why a job waits, by code."""

NODE_SENTENCES: Final[Mapping[str, Sequence[Text]]] = {
    "too_small": (
        _("Has %(has)s GB; %(need)s GB are needed."),
        _("Its memory is not known; %(need)s GB are needed."),
    ),
    "foreign": (
        _("Other processes hold %(held)s of its memory, which leaves %(has)s GB."),
        _("Other processes hold its memory."),
    ),
    "lacks": (_("Lacks %(files)s; nearest there: %(nearest)s."), _("Lacks %(files)s.")),
    "keyless": (_("Has no key for %(service)s."),),
    "older_worker": (
        _("Its worker is too old: it does not know %(says)s. Update it."),
        _("Its worker is too old. Update it."),
    ),
    "pool": (_("Is not in the pool %(pool)s."),),
    "dedicated": (_("Is kept for the pool %(pool)s."),),
    "tags": (_("Lacks the tag %(tags)s."),),
    "avoided": (_("The job failed there before."),),
    "pinned": (_("The job is for another node only."),),
    "blocked": (
        _("Blocked for this template after %(failures)s failures, until %(until)s."),
        _("Blocked for this template until %(until)s."),
        _("Blocked for this template after failures."),
    ),
    "unproven": (_("Its golden render of this version failed, and other nodes can take it."),),
    "off_hours": (
        _("Off hours until %(until)s."),
        _("Off hours by the schedule %(reason)s."),
        _("Off hours."),
    ),
    "paused": (
        _("Paused by %(by)s: %(reason)s."),
        _("Paused by %(by)s."),
        _("Paused: %(reason)s."),
        _("Paused."),
    ),
    "draining": (
        _("Drained by %(by)s: %(reason)s."),
        _("Drained by %(by)s: it finishes what it has and takes nothing new."),
        _("Draining: it finishes what it has and takes nothing new."),
    ),
    "sick": (_("Sick: %(reason)s."), _("Sick.")),
    "deaf": (_("Deaf: %(reason)s."), _("Deaf: its ComfyUI or its store cannot be used.")),
    "offline": (_("Offline since %(since)s."), _("Offline: %(reason)s."), _("Offline.")),
    "starting": (_("Starting: what it can do is not known yet."),),
    "simulated": (_("SIMULATED, which is not allowed here."),),
    "busy": (
        _("Renders %(job)s, about %(left)s more."),
        _("Renders %(job)s."),
        _("Busy."),
    ),
    "staged": (_("Busy, and the next one is staged behind it."),),
    "free": (_("Free: it would take it."),),
}
"""What a node says to the head of a lane, by code."""

TAKERS: Final = frozenset({"busy", "staged", "free"})
"""Codes of nodes that can render the lane's jobs, now or when they are done."""
