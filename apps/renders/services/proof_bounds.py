"""What keeps golden renders in bounds: they make way for work, and are given up in time."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from apps.common.machines import move
from apps.renders.models import Proof
from apps.renders.proofs import minutes_of
from apps.renders.selectors import slots_in_use
from apps.renders.services import bus
from apps.renders.services.proofs import ACTOR, fail
from apps.renders.states import PROOF, PROOF_ON_WAY, PROOF_OPEN, AttemptState, ProofState
from apps.workflows.services import template_of
from farm.contracts import FailureClass

logger = logging.getLogger(__name__)

MADE_WAY: Final = "made way for work"
STILL_RENDERS: Final = "it was still rendering"
NOT_TAKEN_YET: Final = "its order was on its way"
NOT_IN_TIME: Final = "not proven in %(minutes)s minutes: %(why)s"

_BEFORE_THE_GPU: Final = (
    AttemptState.DISPATCHED,
    AttemptState.ACCEPTED,
    AttemptState.STAGED,
    AttemptState.EXECUTING,
)
"""States of work that wants, or has, the GPU."""


def make_way() -> int:
    """Stop golden renders on nodes that have been given work, and let them wait again; return how many."""
    wanted = slots_in_use().filter(state__in=_BEFORE_THE_GPU).exclude(node=None)
    in_the_way = Proof.objects.filter(state__in=PROOF_ON_WAY, node__in=wanted.values("node"))
    rows = in_the_way.select_related("node", "version__template")
    return sum(_stop(proof) for proof in rows if not _is_paid_for(proof))


def give_up_late(now: datetime) -> int:
    """End golden renders that have waited, or rendered, for too long; return how many."""
    gone = 0
    for proof in Proof.objects.filter(state__in=PROOF_OPEN).select_related("node", "version__template"):
        minutes = minutes_of(proof.node)
        if now - (proof.sent_at or proof.created_at) <= timedelta(minutes=minutes):
            continue
        told = NOT_IN_TIME % {"minutes": minutes, "why": _why(proof)}
        if fail(proof, FailureClass.TIMED_OUT, told):
            gone += 1
            logger.info("golden render given up", extra={"proof": str(proof.pk), "why": told})
            _tell(proof)
    return gone


def _stop(proof: Proof) -> bool:
    """Its token stays until it goes out again: if it was done already, that counts."""
    stopped = move(
        PROOF,
        proof,
        from_=PROOF_ON_WAY,
        to=ProofState.WAITING,
        actor=ACTOR,
        reason=MADE_WAY,
        story=proof.node_id,
        where={"token": proof.token},
        changes={"until": None, "sent_at": None, "tries": max(0, proof.tries - 1), "message": MADE_WAY},
    )
    if stopped:
        logger.info("golden render made way", extra={"proof": str(proof.pk), "node": proof.node.name})
        _tell(proof)
    return stopped


def _is_paid_for(proof: Proof) -> bool:
    """Whether a service renders it for money: it would be paid for again."""
    return proof.state == ProofState.RUNNING and template_of(proof.version).manifest.remote is not None


def _tell(proof: Proof) -> None:
    """Tell the node at once; the answer to its next report says it again."""
    if proof.state in PROOF_ON_WAY:
        bus.send_cancel(proof)


def _why(proof: Proof) -> str:
    if proof.state == ProofState.RUNNING:
        return STILL_RENDERS
    return proof.message or (NOT_TAKEN_YET if proof.state == ProofState.SENT else MADE_WAY)
