"""What changes a node: its own reports, an operator's wish, silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import NotAllowed
from apps.common.machines import move, record_event
from apps.nodes.models import Gpu, Node
from apps.nodes.states import DESIRED, NODE, Desired, Observed
from farm import contracts
from farm.contracts import printable

STEER = "nodes.change_node"


def receive(report: contracts.NodeReport) -> Node:
    """Write down how a node says it stands. A node not seen before is registered."""
    now = database_now()
    report = printable(contracts.NodeReport, replace(report, finished=()))
    with transaction.atomic():
        node, born = Node.objects.get_or_create(
            name=report.node, defaults={"epoch": report.epoch, "observed": report.state}
        )
        facts = _facts(report) | {"reported_at": now}
        if not born and node.epoch != report.epoch:
            facts["former_epoch"] = node.epoch
        if report.capabilities is not None:
            facts |= _capabilities(report.capabilities)
        Node.objects.filter(pk=node.pk).update(**facts)
        if born:
            record_event(NODE, node.pk, to=report.state, actor=report.node, reason=report.reason)
        elif node.observed != report.state:
            move(
                NODE,
                node,
                from_=(node.observed,),
                to=str(report.state),
                actor=report.node,
                reason=report.reason,
            )
        _write_gpus(node, report.gpus)
    node.refresh_from_db()
    return node


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


def _write_gpus(node: Node, gpus: tuple[contracts.GpuFact, ...]) -> None:
    known = {gpu.index: gpu for gpu in Gpu.objects.filter(node=node)}
    for fact in gpus:
        values = {name: value for name, value in contracts.to_json(fact).items() if name != "index"}
        gpu = known.pop(fact.index, None)
        if gpu is None:
            Gpu.objects.create(node=node, index=fact.index, **values)
        elif any(getattr(gpu, name) != value for name, value in values.items()):
            Gpu.objects.filter(pk=gpu.pk).update(**values)
    if known:
        Gpu.objects.filter(pk__in=[gpu.pk for gpu in known.values()]).delete()
