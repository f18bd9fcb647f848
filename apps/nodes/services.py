"""What changes a node: its own reports, an operator's wish, silence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings

from apps.accounts.models import User
from apps.common.errors import NotAllowed
from apps.common.machines import Move, move, move_each, record_event, write_each
from apps.nodes.models import Gpu, Node
from apps.nodes.states import DESIRED, NODE, Desired, Observed
from farm import contracts
from farm.contracts import printable

STEER = "nodes.change_node"


def receive_all(
    reports: Sequence[contracts.NodeReport], known: Mapping[str, Node], now: datetime
) -> dict[str, Node]:
    """Write down how nodes say they stand, one report of each; return them by name, as they are now.

    ``known``: their rows, locked by the caller. A node not seen before is registered. What has not changed
    is not written again.
    """
    nodes = dict(known)
    for report in reports:
        if report.node not in nodes:
            nodes[report.node] = _register(report)
    told = {
        nodes[report.node]: printable(contracts.NodeReport, replace(report, finished=()))
        for report in reports
    }
    Node.objects.filter(pk__in=[node.pk for node in told]).update(reported_at=now)
    _write_facts(told)
    _move(told)
    _write_gpus(told)
    return nodes


def _register(report: contracts.NodeReport) -> Node:
    node, born = Node.objects.get_or_create(
        name=report.node, defaults={"epoch": report.epoch, "observed": report.state}
    )
    if born:
        reason = printable(str, report.reason)
        record_event(NODE, node.pk, to=report.state, actor=node.name, reason=reason)
    return node


def _write_facts(told: Mapping[Node, contracts.NodeReport]) -> None:
    changed = {}
    for node, report in told.items():
        facts = _facts(report) | {"former_epoch": node.former_epoch}
        if node.epoch != report.epoch:
            facts["former_epoch"] = node.epoch
        if any(getattr(node, name) != value for name, value in facts.items()):
            changed[node.pk] = facts
            _set(node, facts)
        if report.capabilities is not None:
            capabilities = _capabilities(report.capabilities)
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


def require_steering(user: User) -> None:
    """Raise NotAllowed, naming the permission it takes, unless the user may steer nodes."""
    if not user.has_perm(STEER):
        raise NotAllowed(f"{user} may not steer nodes; that takes the permission {STEER}")


def set_desired(node: Node, desired: str, *, user: User) -> bool:
    """Drain, pause or activate a node; False if that is wished already.

    The node hears it with its next report, within 5 s.
    """
    require_steering(user)
    others = tuple(wish for wish in Desired if wish != desired)
    return move(
        DESIRED, node, from_=others, to=Desired(desired), actor=user.get_username(), reason="desired state"
    )


def mark_silent_nodes_offline(now: datetime) -> list[Node]:
    """Conclude OFFLINE for nodes without a report for OFFLINE_SECONDS; return them."""
    silent = Node.objects.exclude(observed=Observed.OFFLINE).filter(
        reported_at__lt=now - timedelta(seconds=settings.OFFLINE_SECONDS)
    )
    reason = f"no report for {settings.OFFLINE_SECONDS:.0f} s"
    return [
        node
        for node in silent
        if move(
            NODE,
            node,
            from_=(node.observed,),
            to=Observed.OFFLINE,
            actor="sweep",
            reason=reason,
            where={"reported_at": node.reported_at},
            changes={"reason": reason},
        )
    ]


def forget_capabilities(node: Node) -> None:
    """Ask the node for its classes and models again: what it listed turned out to be wrong."""
    Node.objects.filter(pk=node.pk).update(capabilities_of="")


def _facts(report: contracts.NodeReport) -> dict[str, object]:
    return {
        "worker": report.worker,
        "epoch": report.epoch,
        "reason": report.reason,
        "tier_gb": report.tier_gb,
        "simulated": report.simulated,
        "comfyui_version": report.comfy.version,
        "comfyui_facts": contracts.to_json(report.comfy),
        "fingerprint": report.fingerprint,
    }


def _capabilities(capabilities: contracts.Capabilities) -> dict[str, object]:
    return {
        "classes": list(capabilities.classes),
        "models_by_folder": {folder: list(names) for folder, names in capabilities.models.items()},
        "capabilities_of": capabilities.fingerprint,
    }


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
