"""What a node reports of itself is written down."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.common.clock import database_now
from apps.common.machines import move, record_event
from apps.nodes.models import Gpu, Node
from apps.nodes.services.health import ACTOR, recover
from apps.nodes.software import mark_of, software_of, versions_of
from apps.nodes.states import NODE, Health
from apps.nodes.words import HEARD, NEW_LIFE, PROBE_FAILED, PROBED
from farm import contracts
from farm.contracts import printable

_LONG = ("classes", "models_by_folder", "baseline", "drift")
"""Columns nobody looks at here."""


def receive(report: contracts.NodeReport) -> Node:
    """Write down how a node says it stands. A node not seen before is registered."""
    now = database_now()
    report = printable(contracts.NodeReport, replace(report, finished=()))
    with transaction.atomic():
        node, born = Node.objects.defer(*_LONG).get_or_create(
            name=report.node, defaults={"epoch": report.epoch, "observed": report.state}
        )
        facts = _facts(report) | {"reported_at": now}
        if born or node.observed != report.state:
            facts["observed_since"] = now
        if not born and node.epoch != report.epoch:
            facts |= {"former_epoch": node.epoch, "canary_sent_at": None, "canary_heard_at": None}
        facts |= _capabilities(node, report)
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
        _judge(node, report, now)
    node.refresh_from_db()
    return node


def forget_capabilities(node: Node) -> None:
    """Ask the node for its classes and models again: what it listed turned out to be wrong."""
    Node.objects.filter(pk=node.pk).update(capabilities_of="")


def _facts(report: contracts.NodeReport) -> dict[str, Any]:
    return {
        "worker": report.worker,
        "epoch": report.epoch,
        "reason": report.reason,
        "tier_gb": report.tier_gb,
        "simulated": report.simulated,
        "comfyui_version": report.comfy.version,
        "comfyui_facts": contracts.to_json(report.comfy),
        "fingerprint": report.fingerprint,
        "resident": list(report.resident),
        "hears": list(report.hears),
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


def _judge(node: Node, report: contracts.NodeReport, now: datetime) -> None:
    """Call a node well again that has proved it: it hears, it begins anew, it rendered its probe."""
    if report.epoch != node.epoch:
        recover(node, actor=report.node, reason=NEW_LIFE, from_=(Health.DEAF,))
    elif _hears_anew(node, report):
        Node.objects.filter(pk=node.pk).update(canary_heard_at=now, canary_missed=0)
        recover(node, actor=ACTOR, reason=HEARD, from_=(Health.DEAF,))
    asked, probe = node.probe_asked_at, report.probe
    if asked is None or probe is None or probe.id != asked.isoformat() or node.health != Health.SICK:
        return
    if probe.ok:
        recover(node, actor=ACTOR, reason=PROBED, from_=(Health.SICK,))
    else:
        Node.objects.filter(pk=node.pk).update(sick_reason=PROBE_FAILED % {"message": probe.message})


def _hears_anew(node: Node, report: contracts.NodeReport) -> bool:
    """Tell whether this report is the first to tell of the last canary."""
    sent, heard = node.canary_sent_at, node.canary_heard_at
    return sent is not None and report.canary == sent.isoformat() and (heard is None or heard < sent)


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
