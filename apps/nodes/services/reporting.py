"""What a node reports of itself is written down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from apps.common.clock import database_now
from apps.common.machines import Move, move_each, record_event, write_each
from apps.nodes.models import Gpu, Node
from apps.nodes.services.catalogues import keep_catalogues
from apps.nodes.services.health import ACTOR, recover
from apps.nodes.software import mark_of, software_of, versions_of
from apps.nodes.states import NODE, Health
from apps.nodes.words import HEARD, NEW_LIFE, PROBE_FAILED, PROBED
from farm import contracts
from farm.contracts import printable


def receive(report: contracts.NodeReport) -> Node:
    """Write down how a node says it stands. A node not seen before is registered."""
    with transaction.atomic():
        locked = Node.objects.select_for_update(no_key=True).filter(name=report.node).first()
        return receive_all([report], {locked.name: locked} if locked else {})[report.node]


def receive_all(reports: Sequence[contracts.NodeReport], known: Mapping[str, Node]) -> dict[str, Node]:
    """Write down how nodes say they stand, one report of each; return them by name, as they are now.

    ``known``: their rows, locked by the caller. A node not seen before is registered. What has not changed
    is not written again.
    """
    now = database_now()
    nodes = dict(known)
    for report in reports:
        if report.node not in nodes:
            nodes[report.node] = _register(report, now)
    told = {
        nodes[report.node]: printable(contracts.NodeReport, replace(report, finished=(), catalogue=""))
        for report in reports
    }
    Node.objects.filter(pk__in=[node.pk for node in told]).update(reported_at=now)
    proofs = {node: _proof(node, report) for node, report in told.items()}
    _write_facts(told, now)
    keep_catalogues({nodes[report.node]: report for report in reports})
    _move(told)
    _write_gpus(told)
    for node, proof in proofs.items():
        _judge(node, told[node], proof, now)
    return nodes


def _register(report: contracts.NodeReport, now: datetime) -> Node:
    node, born = Node.objects.get_or_create(
        name=report.node,
        defaults={"epoch": report.epoch, "observed": report.state, "observed_since": now},
    )
    if born:
        reason = printable(str, report.reason)
        record_event(NODE, node.pk, to=report.state, actor=node.name, reason=reason)
    return node


def _write_facts(told: Mapping[Node, contracts.NodeReport], now: datetime) -> None:
    changed = {}
    for node, report in told.items():
        facts = _facts(node, report, now)
        if any(getattr(node, name) != value for name, value in facts.items()):
            changed[node.pk] = facts
            _set(node, facts)
        capabilities = _capabilities(node, report)
        if capabilities:
            Node.objects.filter(pk=node.pk).update(**capabilities)
            _set(node, capabilities)
    write_each(Node, changed)


def _set(node: Node, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        setattr(node, name, value)


def _move(told: Mapping[Node, contracts.NodeReport]) -> None:
    """Follow what nodes observe of themselves."""
    by_state: dict[str, list[Node]] = defaultdict(list)
    for node, report in told.items():
        if node.observed != report.state:
            by_state[str(report.state)].append(node)
    for state, nodes in by_state.items():
        moves = [Move(row=node, actor=node.name, reason=told[node].reason) for node in nodes]
        move_each(NODE, moves, from_=tuple(NODE.moves.keys() - {"", state}), to=state)
        for node in nodes:
            node.observed = state


def forget_capabilities(node: Node) -> None:
    """Ask the node for its classes and models again: what it listed turned out to be wrong."""
    Node.objects.filter(pk=node.pk).update(capabilities_of="")


def _facts(node: Node, report: contracts.NodeReport, now: datetime) -> dict[str, Any]:
    """The same columns for every node. A new life has heard no canary yet."""
    anew = node.epoch != report.epoch
    return {
        "worker": report.worker,
        "epoch": report.epoch,
        "former_epoch": node.epoch if anew else node.former_epoch,
        "reason": report.reason,
        "observed_since": node.observed_since if node.observed == report.state else now,
        "tier_gb": report.tier_gb,
        "simulated": report.simulated,
        "comfyui_version": report.comfy.version,
        "comfyui_facts": contracts.to_json(report.comfy),
        "fingerprint": report.fingerprint,
        "resident": list(report.resident),
        "hears": list(report.hears),
        "keys": list(report.keys),
        "canary_sent_at": None if anew else node.canary_sent_at,
        "canary_heard_at": None if anew else node.canary_heard_at,
    }


def _capabilities(node: Node, report: contracts.NodeReport) -> dict[str, Any]:
    """What it can render, when it tells, and what runs there, when that changed.

    The first software told is taken as accepted: what a node came with is what it is compared with.
    """
    told: dict[str, Any] = {}
    software = dict(node.software)
    if (capabilities := report.capabilities) is not None:
        told = {
            "classes": list(capabilities.classes),
            "models_by_folder": {folder: list(names) for folder, names in capabilities.models.items()},
            "capabilities_of": capabilities.fingerprint,
        }
        software = software_of(report.comfy, capabilities)
    elif software and report.comfy.reachable and report.comfy.version:
        software |= versions_of(report.comfy)
    if software != node.software:
        mark = mark_of(software)
        told |= {"software": software, "software_mark": mark}
        if not node.baseline_mark:
            told |= {"baseline": software, "baseline_mark": mark}
    return told


class _Proof(NamedTuple):
    """What a report proves of a node, against what was known before it."""

    lives_anew: bool
    hears: bool
    probed: bool


def _proof(node: Node, report: contracts.NodeReport) -> _Proof:
    asked, probe = node.probe_asked_at, report.probe
    return _Proof(
        lives_anew=report.epoch != node.epoch,
        hears=_hears_anew(node, report),
        probed=asked is not None and probe is not None and probe.id == asked.isoformat(),
    )


def _judge(node: Node, report: contracts.NodeReport, proof: _Proof, now: datetime) -> None:
    """Call a node well again that has proved it: it hears, it begins anew, it rendered its probe."""
    if proof.hears and not proof.lives_anew:
        Node.objects.filter(pk=node.pk).update(canary_heard_at=now, canary_missed=0)
    if node.health == Health.DEAF and (proof.lives_anew or proof.hears):
        reason = NEW_LIFE if proof.lives_anew else HEARD
        if recover(node, actor=ACTOR, reason=reason, from_=(Health.DEAF,)):
            node.health = Health.WELL
    elif node.health == Health.SICK and proof.probed and report.probe is not None:
        if report.probe.ok:
            if recover(node, actor=ACTOR, reason=PROBED, from_=(Health.SICK,)):
                node.health = Health.WELL
        else:
            words = PROBE_FAILED % {"message": report.probe.message}
            Node.objects.filter(pk=node.pk).update(sick_reason=words)


def _hears_anew(node: Node, report: contracts.NodeReport) -> bool:
    """Tell whether this report is the first to tell of the last canary."""
    sent, heard = node.canary_sent_at, node.canary_heard_at
    return sent is not None and report.canary == sent.isoformat() and (heard is None or heard < sent)


def _write_gpus(told: Mapping[Node, contracts.NodeReport]) -> None:
    known = {(gpu.node_id, gpu.index): gpu for gpu in Gpu.objects.filter(node__in=told)}
    changed, new = {}, []
    for node, report in told.items():
        for fact in report.gpus:
            values = {name: value for name, value in contracts.to_json(fact).items() if name != "index"}
            gpu = known.pop((node.pk, fact.index), None)
            if gpu is None:
                new.append(Gpu(node=node, index=fact.index, **values))
            elif any(getattr(gpu, name) != value for name, value in values.items()):
                changed[gpu.pk] = values
    write_each(Gpu, changed)
    if new:
        Gpu.objects.bulk_create(new)
    if known:
        Gpu.objects.filter(pk__in=[gpu.pk for gpu in known.values()]).delete()
