"""What nodes have in hand is followed: leases renewed, stages and progress kept, slots let go of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from apps.common import news
from apps.common.ids import uuid_in
from apps.common.machines import Move, events_together, move_each, write_each
from apps.nodes.models import Node
from apps.renders.models import Attempt, Job
from apps.renders.services.proofs import renew
from apps.renders.states import ATTEMPT, ATTEMPT_OPEN, ON_NODE, AttemptState
from farm.contracts import NodeReport, RunningAttempt, Stage, printable

_BEHIND: Final[Mapping[Stage, tuple[str, ...]]] = {
    Stage.STAGED: (AttemptState.ACCEPTED,),
    Stage.EXECUTING: (AttemptState.ACCEPTED, AttemptState.STAGED),
    Stage.COLLECTING: (AttemptState.ACCEPTED, AttemptState.STAGED, AttemptState.EXECUTING),
}
"""From which states an attempt is brought up to the stage its node reports."""


@dataclass(frozen=True)
class Followed:
    """``stop``: by node, what it must stop. ``freed``: slots that are free now."""

    stop: Mapping[str, tuple[str, ...]]
    freed: int


@dataclass(frozen=True)
class _InHand:
    """An attempt that its node has in hand, and rightly."""

    attempt: Attempt
    node: Node
    item: RunningAttempt

    @property
    def shown(self) -> tuple[float, str]:
        """Progress from 0 to 1, and what it does."""
        return min(max(self.item.progress, 0.0), 1.0), (self.item.doing or str(self.item.stage))[:80]


def follow(told: Sequence[tuple[Node, NodeReport]], now: datetime) -> Followed:
    """Follow what these nodes, each once, say they have in hand."""
    attempts = _attempts(told)
    proofs = renew(_unknown(told, attempts), now)
    stop: dict[str, tuple[str, ...]] = {}
    running: list[_InHand] = []
    for node, report in told:
        latest = {item.attempt_id: item for item in report.running}
        known = {text: attempts.get(uuid_in(text)) for text in latest}
        stop[node.name] = tuple(
            text for text, item in latest.items() if text not in proofs and not _goes_on(known[text], item)
        )
        running += [
            _InHand(attempt, node, printable(RunningAttempt, latest[text]))
            for text, attempt in known.items()
            if attempt is not None and text not in stop[node.name] and _has_it(attempt, node)
        ]
    if running:
        with transaction.atomic(), events_together():
            renewed = _renew_leases([one.attempt.pk for one in running], now)
            _bring_up([one for one in running if one.attempt.pk in renewed], now)
        _show_progress(running)  # by itself: who locks both locks the job first
    return Followed(stop, _let_go(told, attempts))


def _attempts(told: Sequence[tuple[Node, NodeReport]]) -> dict[UUID | None, Attempt]:
    """All that the nodes speak of, and all that holds one of their slots."""
    rows = Attempt.objects.select_related("job").only(
        *("state", "token", "node_id", "node_epoch", "holds_slot"),
        *("job__token", "job__progress", "job__doing"),
    )
    spoken_of = Q(pk__in={key for _, report in told for key in _in_hand(report)})
    held = Q(node__in=[node.pk for node, _ in told], holds_slot=True)
    return {attempt.pk: attempt for attempt in rows.filter(spoken_of | held)}


def _unknown(
    told: Sequence[tuple[Node, NodeReport]], attempts: Mapping[UUID | None, Attempt]
) -> list[tuple[str, str]]:
    """What is in hand and no attempt of ours: golden renders, or what must be stopped."""
    return [
        (item.attempt_id, item.token)
        for _, report in told
        for item in report.running
        if uuid_in(item.attempt_id) not in attempts
    ]


def _in_hand(report: NodeReport) -> Iterator[UUID]:
    return (key for item in report.running if (key := uuid_in(item.attempt_id)))


def _goes_on(attempt: Attempt | None, item: RunningAttempt) -> bool:
    """Whether the job still waits for this attempt."""
    if attempt is None or attempt.state not in ATTEMPT_OPEN:
        return False
    return attempt.token == item.token == attempt.job.token


def _has_it(attempt: Attempt, node: Node) -> bool:
    return attempt.state in ON_NODE and attempt.node_id == node.pk


def _renew_leases(keys: Iterable[UUID], now: datetime) -> set[UUID]:
    """Renew leases, but for what somebody is ending just now: nobody waits for that here. Return whose."""
    rows = Attempt.objects.filter(pk__in=keys, state__in=ON_NODE)
    free = rows.order_by("pk").select_for_update(no_key=True, skip_locked=True)
    renewed = set(free.values_list("pk", flat=True))
    Attempt.objects.filter(pk__in=renewed).update(lease_until=now + timedelta(seconds=settings.LEASE_SECONDS))
    return renewed


def _bring_up(running: Sequence[_InHand], now: datetime) -> None:
    """Bring attempts up to the stage that their nodes report."""
    for stage, behind in _BEHIND.items():
        moves = [
            Move(
                row=one.attempt,
                story=one.attempt.job_id,
                actor=one.node.name,
                changes={"executing_at": now} if stage is Stage.EXECUTING else {},
            )
            for one in running
            if one.item.stage is stage and one.attempt.state in behind
        ]
        move_each(ATTEMPT, moves, from_=behind, to=str(stage))


def _show_progress(running: Sequence[_InHand]) -> None:
    """Keep how far jobs are, as long as they still run for these attempts."""
    changed = [one for one in running if one.shown != (one.attempt.job.progress, one.attempt.job.doing)]
    write_each(
        Job,
        {one.attempt.job_id: {"progress": one.shown[0], "doing": one.shown[1]} for one in changed},
        where={one.attempt.job_id: {"token": one.attempt.token} for one in changed},
    )
    if changed:
        news.tell("job", [one.attempt.job_id for one in changed])


def _let_go(told: Sequence[tuple[Node, NodeReport]], attempts: Mapping[UUID | None, Attempt]) -> int:
    """Free the slots of ended attempts that their nodes do not have in hand any more; return how many.

    What a node had in an earlier epoch it has lost: those leases end now, and sweep looks after them.
    """
    reports = {node.pk: report for node, report in told}
    in_hand = {node.pk: set(_in_hand(report)) for node, report in told}
    held = [
        attempt
        for attempt in attempts.values()
        if attempt.holds_slot and attempt.node_id in reports and attempt.pk not in in_hand[attempt.node_id]
    ]
    ended = [one.pk for one in held if one.state not in ATTEMPT_OPEN]
    lost = [
        one.pk
        for one in held
        if one.state in ON_NODE and one.node_id and one.node_epoch != reports[one.node_id].epoch
    ]
    return _still_held(ended).exclude(state__in=ATTEMPT_OPEN).update(holds_slot=False) + _still_held(
        lost
    ).filter(state__in=ON_NODE).update(lease_until=None)


def _still_held(keys: Sequence[UUID]) -> QuerySet[Attempt]:
    return Attempt.objects.filter(pk__in=keys, holds_slot=True)
