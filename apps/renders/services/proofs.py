"""Golden renders on their way: sent to idle nodes, claimed, followed, judged, given up.

They use the road of renders (order, claim, report) and nothing of jobs: a proof is no attempt, makes no take,
and teaches neither breaker nor memory needs. One at a time goes to a node's own queue, and only when the
dispatcher has left the node idle for a while: work that waits goes first (and proof_bounds lets it overtake).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError, transaction

from apps.common.clock import database_now
from apps.common.ids import uuid_in
from apps.common.machines import move
from apps.nodes.models import Node
from apps.nodes.selectors import serving
from apps.nodes.states import Observed
from apps.renders.models import Proof
from apps.renders.proofs import files_now, software_now
from apps.renders.selectors import slots_in_use
from apps.renders.services import bus
from apps.renders.services.farmclock import leases_may_expire
from apps.renders.services.golden import golden_order
from apps.renders.services.keys import attempt_key
from apps.renders.services.proof_waits import say_why_they_wait
from apps.renders.services.told import LONGEST_RENDER_S, MOST_MIB
from apps.renders.states import PROOF, PROOF_ON_WAY, PROOF_OPEN, ProofState
from farm.contracts import ClaimReply, ClaimRequest, FailureClass, Outcome, RenderReport, printable, to_json
from farm.tiers import node_queue
from workflows.errors import WorkflowError

logger = logging.getLogger(__name__)

ACTOR: Final = "coordinator"
IDLE_FIRST: Final = timedelta(seconds=3)
"""So long a node must have been idle: the dispatcher looks every second, and what it has comes first."""

MOST_TRIES: Final = 3
MOST_AT_ONCE: Final = 20
KEPT: Final = 20
"""Ended proofs kept of one template's version on one node."""

LONGEST_MESSAGE: Final = 2_000
NOT_TAKEN: Final = "nobody took its order, %(count)s times"
TOO_OLD: Final = "its worker is too old for this order: it does not know %(says)s"
LOST: Final = "the node went silent while it rendered this"


def send_waiting(now: datetime) -> int:
    """Send golden renders to nodes that have nothing else to do; return how many went.

    What does not go says why: a node that is never idle keeps it waiting until somebody makes room.
    """
    waiting = Proof.objects.filter(state=ProofState.WAITING)
    if not waiting.exists():
        return 0
    busy = set(slots_in_use().exclude(node=None).values_list("node_id", flat=True))
    proving = set(Proof.objects.filter(state__in=PROOF_ON_WAY).values_list("node_id", flat=True))
    idle = serving().filter(observed=Observed.IDLE, observed_since__lte=now - IDLE_FIRST)
    free = set(idle.exclude(pk__in=busy | proving).values_list("pk", flat=True))
    sent = 0
    for proof in waiting.filter(node__in=free).select_related("version__template", "node").order_by("pk"):
        if proof.node_id in free and sent < MOST_AT_ONCE:
            free.discard(proof.node_id)
            sent += _send(proof, now)
            proving.add(proof.node_id)
    say_why_they_wait(proving)
    return sent


def claim(request: ClaimRequest) -> ClaimReply | None:
    """Answer the claim of a golden render; None if it is none."""
    proof = _proof(request.attempt_id)
    if proof is None:
        return None
    if proof.token != request.token or (proof.node.name, proof.epoch) != (request.node, request.epoch):
        return ClaimReply(granted=False, reason="this order is unknown here")
    if proof.state == ProofState.RUNNING:
        return ClaimReply(granted=True, reason="granted before")
    granted = move(
        PROOF,
        proof,
        from_=(ProofState.SENT,),
        to=ProofState.RUNNING,
        actor=proof.node.name,
        story=proof.node_id,
        where={"token": request.token},
        changes={"until": database_now() + timedelta(seconds=settings.LEASE_SECONDS)},
    )
    return ClaimReply(granted=granted, reason="" if granted else f"the golden render is {proof.state}")


def renew(told: Iterable[tuple[str, str]], now: datetime) -> set[str]:
    """Renew the leases of golden renders among these attempts (id, token); return the ids of those."""
    tokens = {key: token for text, token in told if (key := uuid_in(text))}
    if not tokens:
        return set()
    rows = Proof.objects.filter(pk__in=tokens, state__in=PROOF_ON_WAY).values_list("pk", "token")
    alive = [key for key, token in rows if tokens[key] == token]
    if alive:
        until = now + timedelta(seconds=settings.LEASE_SECONDS)
        Proof.objects.filter(pk__in=alive, state=ProofState.RUNNING).update(until=until)
    return {str(key) for key in alive}


def record(report: RenderReport) -> bool | None:
    """Judge a golden render by its report, once. False: forged; None: it is no golden render."""
    proof = _proof(report.attempt_id)
    if proof is None:
        return None
    if uuid_in(report.job_id) != proof.pk or not report.is_signed_with(attempt_key(proof.pk)):
        logger.warning("forged report refused", extra={"proof": str(proof.pk)})
        return False
    if report.token != proof.token:
        # Of an earlier try: while its node keeps that report it takes no other order of this name.
        return True
    told = printable(RenderReport, report)
    if told.outcome == Outcome.SUCCEEDED:
        _end(proof, ProofState.PROVEN, told, from_=PROOF_OPEN)  # also one that was to make way, and was done
    elif told.outcome == Outcome.FAILED:
        _end(proof, ProofState.FAILED, told, from_=PROOF_ON_WAY)
    else:
        _give_back(proof, told.reason)
    return True


def expire(now: datetime) -> int:
    """Give up what was not claimed, or not told of again, in time; return how many."""
    late = Proof.objects.filter(state__in=PROOF_ON_WAY, until__lt=now).select_related("node")
    gone = 0
    for proof in list(late):
        if proof.state == ProofState.SENT:
            gone += _give_back(proof, NOT_TAKEN % {"count": proof.tries})
        elif leases_may_expire(now):
            gone += fail(proof, FailureClass.INFRASTRUCTURE, LOST)
    return gone


def _proof(text: str) -> Proof | None:
    key = uuid_in(text)
    rows = Proof.objects.select_related("node", "version__template")
    return rows.filter(pk=key).first() if key else None


def _send(proof: Proof, now: datetime) -> bool:
    """Send one, under a new token, to the node's present life."""
    token, node = str(uuid4()), proof.node
    try:
        sent = move(
            PROOF,
            proof,
            from_=(ProofState.WAITING,),
            to=ProofState.SENT,
            actor=ACTOR,
            story=proof.node_id,
            changes={
                "token": token,
                "epoch": node.epoch,
                "tries": proof.tries + 1,
                "until": now + timedelta(seconds=settings.ACCEPT_SECONDS),
                "sent_at": now,
                "message": "",
            },
        )
    except IntegrityError:
        return False  # another is on its way to this node
    if not sent:
        return False
    proof.token, proof.epoch, proof.tries, proof.state = token, node.epoch, proof.tries + 1, ProofState.SENT
    try:
        order = golden_order(proof)
    except (WorkflowError, OSError, ValueError) as exc:
        logger.warning("golden render cannot be ordered", extra={"proof": str(proof.pk), "why": str(exc)})
        fail(proof, FailureClass.REJECTED_GRAPH, f"its order cannot be built: {exc}")
        return False
    if unknown := order.says.difference(node.hears):
        fail(proof, FailureClass.REJECTED_GRAPH, TOO_OLD % {"says": ", ".join(sorted(unknown))})
        return False
    if not bus.publish(order, queue=node_queue(node.name, node.epoch)):
        _give_back(proof, "the broker cannot be reached", costs=False)
        return False
    logger.info("golden render sent", extra={"proof": str(proof.pk), "node": node.name})
    return True


def _give_back(proof: Proof, why: str, *, costs: bool = True) -> bool:
    """Let it wait for another try, or end it when it has had enough."""
    if proof.state == ProofState.RUNNING or (costs and proof.tries >= MOST_TRIES):
        return fail(proof, FailureClass.INFRASTRUCTURE, why or NOT_TAKEN % {"count": proof.tries})
    return move(
        PROOF,
        proof,
        from_=(ProofState.SENT,),
        to=ProofState.WAITING,
        actor=ACTOR,
        reason=why,
        story=proof.node_id,
        where={"token": proof.token},
        changes={
            "token": "",
            "until": None,
            "sent_at": None,
            "tries": proof.tries if costs else proof.tries - 1,
        },
    )


def fail(proof: Proof, failure_class: str, message: str) -> bool:
    """End one without its node's word; False if it has ended, or gone out, meanwhile."""
    return move(
        PROOF,
        proof,
        from_=(proof.state,),
        to=ProofState.FAILED,
        actor=ACTOR,
        reason=message,
        story=proof.node_id,
        where={"token": proof.token},
        changes={
            "finished_at": database_now(),
            "failure_class": failure_class,
            "message": message[:LONGEST_MESSAGE],
            "until": None,
            **_had(proof),
        },
    )


def _end(proof: Proof, to: ProofState, report: RenderReport, *, from_: tuple[ProofState, ...]) -> None:
    failure = report.failure
    message = failure.message if failure else report.reason
    told = to_json(report)
    told.pop("log", None)
    with transaction.atomic():
        move(
            PROOF,
            proof,
            from_=from_,
            to=to,
            actor=report.node,
            reason=message,
            story=proof.node_id,
            where={"token": report.token},
            changes={
                "finished_at": database_now(),
                "failure_class": failure.failure_class if failure else "",
                "message": message[:LONGEST_MESSAGE],
                "outputs": _outputs(report),
                "execute_s": _seconds(report),
                "peak_mib": _mebibytes(report),
                "comfyui_version": report.comfyui_version[:40],
                "gpu": report.gpu[:200],
                "simulated": report.simulated,
                "report": told,
                "until": None,
                **_had(proof),
            },
        )
        _forget_old(proof)
    logger.info("golden render ended", extra={"proof": str(proof.pk), "state": str(to), "why": message})


def _had(proof: Proof) -> dict[str, Any]:
    """What the node had when it ended: if that changes, the proof is old."""
    node = Node.objects.only("software", "software_mark", "models_by_folder").get(pk=proof.node_id)
    return {"software": software_now(node), "files": files_now(node, proof.version, proof.precision)}


def _outputs(report: RenderReport) -> list[dict[str, Any]]:
    kept = ("path", "sha256", "kind", "media_type", "bytes", "width", "height", "frames", "fps")
    return [{name: fact[name] for name in kept} for fact in map(to_json, report.artifacts[:20])]


def _seconds(report: RenderReport) -> float | None:
    told = report.timings.execute_s
    return told if 0 < told < LONGEST_RENDER_S else None


def _mebibytes(report: RenderReport) -> int | None:
    peak = report.peak_mib
    return peak if peak is not None and 0 < peak < MOST_MIB else None


def _forget_old(proof: Proof) -> None:
    ended = Proof.objects.filter(node=proof.node_id, version=proof.version_id).exclude(state__in=PROOF_OPEN)
    keys = list(ended.order_by("-created_at").values_list("pk", flat=True)[KEPT : KEPT + 100])
    if keys:
        Proof.objects.filter(pk__in=keys).delete()
