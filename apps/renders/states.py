"""The machines of jobs and attempts (design §4). Intent (paused, cancel requested) is a column."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.machines import Machine


class JobState(models.TextChoices):
    """What a coordinator sees of one shot × workflow × take."""

    BLOCKED = "blocked", _("blocked")
    READY = "ready", _("ready")
    DISPATCHED = "dispatched", _("dispatched")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    QUARANTINED = "quarantined", _("quarantined")
    CANCELLED = "cancelled", _("cancelled")


class AttemptState(models.TextChoices):
    """One try at a job. History: never rewritten."""

    DISPATCHED = "dispatched", _("dispatched")
    ACCEPTED = "accepted", _("accepted")
    STAGED = "staged", _("staged")
    EXECUTING = "executing", _("executing")
    COLLECTING = "collecting", _("collecting")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    LOST = "lost", _("lost")
    CANCELLED = "cancelled", _("cancelled")
    SUPERSEDED = "superseded", _("superseded")


J, A = JobState, AttemptState

OPEN: Final = (J.BLOCKED, J.READY, J.DISPATCHED, J.RUNNING)
CLOSED: Final = (J.SUCCEEDED, J.FAILED, J.QUARANTINED, J.CANCELLED)
IN_FLIGHT: Final = (J.DISPATCHED, J.RUNNING)
WITHOUT_TAKE: Final = (J.RUNNING, J.DISPATCHED, J.READY, J.BLOCKED, J.FAILED, J.QUARANTINED)
REQUEUEABLE: Final = (J.FAILED, J.CANCELLED, J.QUARANTINED)

ON_NODE: Final = (A.ACCEPTED, A.STAGED, A.EXECUTING, A.COLLECTING)
ATTEMPT_OPEN: Final = (A.DISPATCHED, *ON_NODE)
LATE: Final = (A.LOST, A.SUPERSEDED, A.CANCELLED)
"""Ended for the books, but a verified success may still come."""

_END = frozenset({A.SUCCEEDED, A.FAILED, A.LOST, A.CANCELLED, A.SUPERSEDED})

JOB: Final = Machine(
    name="job",
    field="state",
    moves={
        "": frozenset({J.BLOCKED, J.READY}),
        J.BLOCKED: frozenset({J.READY, J.CANCELLED, J.SUCCEEDED, J.FAILED}),
        J.READY: frozenset({J.BLOCKED, J.DISPATCHED, J.CANCELLED, J.SUCCEEDED}),
        J.DISPATCHED: frozenset({J.RUNNING, J.READY, J.FAILED, J.CANCELLED, J.SUCCEEDED}),
        J.RUNNING: frozenset({J.READY, J.FAILED, J.QUARANTINED, J.CANCELLED, J.SUCCEEDED}),
        J.FAILED: frozenset({J.READY, J.BLOCKED, J.SUCCEEDED}),
        J.QUARANTINED: frozenset({J.READY, J.BLOCKED, J.SUCCEEDED}),
        J.CANCELLED: frozenset({J.READY, J.BLOCKED}),
        J.SUCCEEDED: frozenset(),
    },
)

ATTEMPT: Final = Machine(
    name="attempt",
    field="state",
    moves={
        "": frozenset({A.DISPATCHED}),
        A.DISPATCHED: frozenset({A.ACCEPTED}) | _END,
        A.ACCEPTED: frozenset({A.STAGED, A.EXECUTING, A.COLLECTING}) | _END,
        A.STAGED: frozenset({A.EXECUTING, A.COLLECTING}) | _END,
        A.EXECUTING: frozenset({A.COLLECTING}) | _END,
        A.COLLECTING: _END,
        A.LOST: frozenset({A.SUCCEEDED}),
        A.SUPERSEDED: frozenset({A.SUCCEEDED}),
        A.SUCCEEDED: frozenset(),
        A.FAILED: frozenset(),
        A.CANCELLED: frozenset({A.SUCCEEDED}),  # its job was requeued, and its render had ended well
    },
)


class ProofState(models.TextChoices):
    """A golden render of one template on one node."""

    WAITING = "waiting", _("waits until the node is idle")
    SENT = "sent", _("sent")
    RUNNING = "running", _("running")
    PROVEN = "proven", _("proven")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


P = ProofState

PROOF_OPEN: Final = (P.WAITING, P.SENT, P.RUNNING)
PROOF_ON_WAY: Final = (P.SENT, P.RUNNING)
"""A node has this one in hand, or it is on its way there."""

PROOF: Final = Machine(
    name="proof",
    field="state",
    moves={
        "": frozenset({P.WAITING}),
        P.WAITING: frozenset({P.SENT, P.PROVEN, P.FAILED, P.CANCELLED}),  # had made way, and was done already
        P.SENT: frozenset({P.WAITING, P.RUNNING, P.PROVEN, P.FAILED, P.CANCELLED}),
        P.RUNNING: frozenset({P.WAITING, P.PROVEN, P.FAILED, P.CANCELLED}),
        P.PROVEN: frozenset(),
        P.FAILED: frozenset(),
        P.CANCELLED: frozenset(),
    },
)


class BlockState(models.TextChoices):
    """Whether a node is given a template that failed there."""

    CLEAR = "clear", _("clear")
    BLOCKED = "blocked", _("blocked")
    TRIAL = "trial", _("on trial")


BLOCK: Final = Machine(
    name="node_block",
    field="state",
    moves={
        "": frozenset({BlockState.CLEAR}),
        BlockState.CLEAR: frozenset({BlockState.BLOCKED}),
        BlockState.BLOCKED: frozenset({BlockState.TRIAL, BlockState.CLEAR}),
        BlockState.TRIAL: frozenset({BlockState.BLOCKED, BlockState.CLEAR}),
    },
)
"""A node and a template that fails there. Every pair begins clear, without a word."""
