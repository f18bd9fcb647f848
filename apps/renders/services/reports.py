"""Nodes say how they stand; the answers say what they are to do (design §2).

Hundreds of nodes report every few seconds, so reports are answered in groups: a number of statements that
does not grow with theirs.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from django.db import DatabaseError, transaction

from apps.common import news
from apps.common.clock import database_now
from apps.common.collisions import again_after_collision
from apps.common.turns import in_turns
from apps.nodes.models import Node
from apps.nodes.selectors import serving
from apps.nodes.services import note_refusals, receive_all, refusals, wants_catalogue
from apps.nodes.services.health import probe_for
from apps.nodes.services.stock import Wanted, take_stock
from apps.nodes.states import Observed
from apps.renders.models import Attempt
from apps.renders.services import bus
from apps.renders.services.farmclock import word_came
from apps.renders.services.following import follow
from apps.renders.services.places import places_asked_for
from apps.renders.services.record import record_all
from apps.renders.states import AttemptState
from farm.contracts import NodeDirectives, NodeReport, RenderReport
from farm.logs import bound
from farm.tiers import node_queue

logger = logging.getLogger(__name__)

_LISTS = ("classes", "models_by_folder", "baseline", "drift", "inventory_marks")
"""Thousands of names that no report is judged by."""


def answer(report: NodeReport) -> NodeDirectives:
    """Write a node's report down and return its directives."""
    return answer_all([report])[0]


def answer_all(reports: Sequence[NodeReport]) -> list[NodeDirectives]:
    """Answer many reports, each as :func:`answer` does, in their order."""
    return in_turns(reports, about=lambda report: report.node, answer_all=_answer_all)


def _answer_all(reports: Sequence[NodeReport]) -> list[NodeDirectives]:
    """Answer reports of different nodes."""
    now = database_now()
    word_came(now)
    nodes, refused = _received(reports, now)
    news.tell("node", [node.pk for node in nodes.values()])
    # Leases first: whatever is wrong with a finished report, the running ones go on.
    followed = follow([(nodes[report.node], report) for report in reports if report.node in nodes], now)
    if followed.freed:
        bus.poke()
    confirmed = _record_finished(reports)
    unstage = places_asked_for(nodes.values(), now)
    inventory = _stock(reports, nodes, now)
    serve = set(serving().filter(pk__in=[node.pk for node in nodes.values()]).values_list("name", flat=True))
    return [
        NodeDirectives(
            confirmed=confirmed[report.node],
            cancelled=followed.stop[report.node],
            serve=report.node in serve,
            desired=nodes[report.node].desired,
            want_capabilities=nodes[report.node].capabilities_of != report.fingerprint,
            want_catalogue=wants_catalogue(nodes[report.node], report),
            probe=probe_for(nodes[report.node]),
            unstage=unstage[report.node],
            inventory=inventory.get(report.node),
        )
        if report.node in nodes
        # Finished work is taken all the same; what runs was given to others (invariant 4).
        else NodeDirectives(
            confirmed=confirmed[report.node],
            new_epoch=report.node not in refused,
            refused=refused.get(report.node, ""),
            cancelled=tuple(running.attempt_id for running in report.running),
        )
        for report in reports
    ]


def _received(reports: Sequence[NodeReport], now: datetime) -> tuple[dict[str, Node], dict[str, str]]:
    """Write down how the nodes stand; those whose life is over are left out, and those who have another's
    name or card, with the words for them.

    Reports of one node take turns, so that one of a former life cannot end up on top.
    """
    names = [report.node for report in reports]
    with transaction.atomic():
        rows = Node.objects.filter(name__in=names).order_by("pk").defer(*_LISTS)
        known = {node.name: node for node in rows.select_for_update(no_key=True)}
        refused = refusals(reports, known, now)
        note_refusals(refused, now)
        alive = [
            report
            for report in reports
            if report.node not in refused and not _was_given_up(known.get(report.node), report)
        ]
        _end_former_lives(alive, known, now)
        nodes = receive_all(
            alive, {report.node: known[report.node] for report in alive if report.node in known}
        )
        return nodes, refused


def _was_given_up(node: Node | None, report: NodeReport) -> bool:
    """An OFFLINE node that comes back in the same epoch must start a new one; a former epoch is over."""
    if node is None:
        return False
    offline = node.epoch == report.epoch and node.observed == Observed.OFFLINE
    return offline or node.former_epoch == report.epoch


def _end_former_lives(alive: Sequence[NodeReport], known: Mapping[str, Node], now: datetime) -> None:
    """A new epoch: the old one's queue goes, and orders on it are due for recall at once."""
    for report in alive:
        former = known.get(report.node)
        if former is not None and former.epoch not in ("", report.epoch):
            Attempt.objects.filter(node=former, state=AttemptState.DISPATCHED).update(accept_by=now)
            transaction.on_commit(partial(bus.forget_queue, node_queue(former.name, former.epoch)))


def _stock(reports: Sequence[NodeReport], nodes: Mapping[str, Node], now: datetime) -> Mapping[str, Wanted]:
    """Take what is told of model files; what goes wrong with that is nobody's who renders."""
    try:
        return again_after_collision(take_stock)(reports, nodes, now)
    except DatabaseError:
        logger.exception("inventories not taken")
        return {}


def _record_finished(reports: Sequence[NodeReport]) -> dict[str, tuple[str, ...]]:
    """Record what the nodes have finished; return what each may forget."""
    finished = [(report.node, one) for report in reports for one in report.finished]
    confirmed: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for (node, one), done in zip(finished, _recorded([one for _, one in finished]), strict=True):
        if done:
            confirmed[node] += (one.attempt_id,)
    return confirmed


def _recorded(finished: Sequence[RenderReport]) -> list[bool]:
    """Record several; what is wrong with one is nobody else's concern. Its node sends it again."""
    try:
        return [recorded.confirmed for recorded in again_after_collision(record_all)(finished)]
    except (OSError, DatabaseError):
        if len(finished) > 1:
            return [_recorded([one])[0] for one in finished]
        with bound(attempt=finished[0].attempt_id, node=finished[0].node):
            logger.exception("report not recorded")
        return [False]
