"""The breaker: a template that keeps failing on one node is not rendered there for a while (design §6).

What failed for the job's own fault (its graph, its inputs, its size) or the farm's (network, store) is held
against no node.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.machines import Move, move, move_each, write_each
from apps.nodes.services import Blamed, blame, require_steering
from apps.nodes.words import BLOCKS, CLEARED, ON_TRIAL, RENDERED
from apps.renders.models import NodeBlock
from apps.renders.services.ended import Ended
from apps.renders.states import BLOCK, BlockState
from farm.contracts import FailureClass

logger = logging.getLogger(__name__)

ACTOR: Final = "coordinator"
REMEMBERED: Final = 20
LONGEST_WORDS: Final = 300

NOT_THE_NODE: Final = frozenset(
    {
        FailureClass.REJECTED_GRAPH,
        FailureClass.INPUT_MISSING,
        FailureClass.OUT_OF_MEMORY,
        FailureClass.INFRASTRUCTURE,
        FailureClass.INTERRUPTED,
    }
)
"""Failures that say nothing of the node they happened on."""
NOT_THE_WHOLE_NODE: Final = NOT_THE_NODE | {FailureClass.MISSING_MODEL}
"""A node that lacks a model may render everything else."""

Pair = tuple[UUID, UUID]
"""A node and a template."""


def judge(ended: Sequence[Ended]) -> None:
    """Count what these attempts say of their nodes, in the transaction that ends them.

    A constant number of statements; none but one look at blocked pairs while everything succeeds.
    """
    here = [one for one in ended if one.attempt.node_id is not None]
    failed = [one for one in here if _is_held_against_the_node(one)]
    rendered = [one for one in here if one.succeeded]
    if failed or rendered:
        _judge_pairs(failed, rendered)
        blame(
            [_blamed(one) for one in failed if one.failure_class not in NOT_THE_WHOLE_NODE],
            rendered={_pair(one)[0] for one in rendered},
        )


def put_on_trial(now: datetime) -> int:
    """Give pairs another try whose time is over: the next failure blocks them again; return how many."""
    over = NodeBlock.objects.filter(state=BlockState.BLOCKED, until__lte=now)
    moves = [
        Move(row=block, story=block.node_id, actor=ACTOR, reason=ON_TRIAL, changes={"until": None})
        for block in over.only("node_id")
    ]
    return len(move_each(BLOCK, moves, from_=(BlockState.BLOCKED,), to=BlockState.TRIAL))


def clear_block(block: NodeBlock, *, user: User | None) -> bool:
    """Let a node have a template again, by an operator's word; False if it has it already."""
    require_steering(user)
    return move(
        BLOCK,
        block,
        from_=(BlockState.BLOCKED, BlockState.TRIAL),
        to=BlockState.CLEAR,
        story=block.node_id,
        actor=user.get_username() if user else "operator",
        reason=CLEARED,
        changes=dict(_FORGIVEN),
    )


_FORGIVEN: Final[dict[str, Any]] = {"failures": 0, "jobs": [], "until": None, "reason": ""}


def _is_held_against_the_node(one: Ended) -> bool:
    if one.succeeded or one.failure_class in NOT_THE_NODE:
        return False
    # A prompt that only waited in a ComfyUI that went down has not taken it down.
    return one.failure_class != FailureClass.COMFY_CRASHED or one.attempt.executing_at is not None


def _blamed(one: Ended) -> Blamed:
    node_id, _template = _pair(one)
    return Blamed(node_id=node_id, job_id=one.attempt.job_id, job=one.attempt.job.code, words=_words(one))


def _words(one: Ended) -> str:
    return (one.message or one.failure_class)[:LONGEST_WORDS]


def _judge_pairs(failed: Sequence[Ended], rendered: Sequence[Ended]) -> None:
    failures: dict[Pair, list[Ended]] = {}
    for one in failed:
        failures.setdefault(_pair(one), []).append(one)
    if failures:
        NodeBlock.objects.bulk_create(
            [NodeBlock(node_id=node, template_id=template) for node, template in sorted(failures)],
            ignore_conflicts=True,
        )
    nodes = {_pair(one)[0] for one in (*failed, *rendered)}
    rows = NodeBlock.objects.filter(node_id__in=nodes).order_by("pk").select_for_update(no_key=True)
    blocks = {(block.node_id, block.template_id): block for block in rows}
    if blocks:
        lucky = {_pair(one) for one in rendered}
        _forgive([blocks[pair] for pair in sorted(lucky & blocks.keys())])
        _count([(blocks[pair], failures[pair], pair in lucky) for pair in sorted(failures)])


def _pair(one: Ended) -> Pair:
    if one.attempt.node_id is None:
        raise ValueError(f"attempt {one.attempt.pk} was on no node")
    return one.attempt.node_id, one.attempt.job.template_version.template_id


def _forgive(blocks: Collection[NodeBlock]) -> None:
    """A success ends a row of failures."""
    shut = [block for block in blocks if block.state != BlockState.CLEAR]
    moves = [
        Move(row=block, story=block.node_id, actor=ACTOR, reason=RENDERED, changes=_FORGIVEN)
        for block in shut
    ]
    move_each(BLOCK, moves, from_=(BlockState.BLOCKED, BlockState.TRIAL), to=BlockState.CLEAR)
    counted = [block.pk for block in blocks if block.state == BlockState.CLEAR and block.failures]
    if counted:
        NodeBlock.objects.filter(pk__in=counted).update(**_FORGIVEN)


def _count(pairs: Iterable[tuple[NodeBlock, list[Ended], bool]]) -> None:
    """Count failures in a row (a success just before begins anew), and block where they are too many."""
    until = database_now() + timedelta(seconds=settings.BLOCK_SECONDS)
    counted: dict[UUID, dict[str, Any]] = {}
    moves: list[Move] = []
    for block, failed, forgiven in pairs:
        before, jobs = (0, []) if forgiven else (block.failures, block.jobs)
        jobs = [*dict.fromkeys([*jobs, *(str(one.attempt.job_id) for one in failed)])][-REMEMBERED:]
        failures = before + len(failed)
        counted[block.pk] = {"failures": failures, "jobs": jobs}
        state = BlockState.CLEAR if forgiven else block.state
        too_many = failures >= settings.BLOCK_FAILURES and len(jobs) >= settings.BLOCK_JOBS
        if state == BlockState.TRIAL or (too_many and state == BlockState.CLEAR):
            last = failed[-1]
            reason = BLOCKS % {
                "count": failures,
                "template": last.attempt.job.template_version.template.slug,
                "job": last.attempt.job.code,
                "failure": _words(last),
            }
            changes = {"until": until, "reason": reason}
            moves.append(Move(row=block, story=block.node_id, actor=ACTOR, reason=reason, changes=changes))
            logger.warning("pair blocked", extra={"block": str(block.pk), "why": reason})
    write_each(NodeBlock, counted)
    move_each(BLOCK, moves, from_=(BlockState.CLEAR, BlockState.TRIAL), to=BlockState.BLOCKED)
