"""A person asks whether a node can do a template; or the farm does, after what runs there has changed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.common.machines import move, record_event
from apps.nodes.models import Node
from apps.nodes.selectors import known_capabilities, serving
from apps.nodes.services import require_steering
from apps.renders.models import Proof
from apps.renders.proofs import Word, standings
from apps.renders.scheduling.fit import keyless, lacking, unknown_to
from apps.renders.services import bus
from apps.renders.services.golden import values_of
from apps.renders.states import PROOF, PROOF_OPEN, ProofState
from apps.renders.waitwords import said_in_words
from apps.workflows.models import WorkflowTemplate, WorkflowTemplateVersion
from apps.workflows.saidwords import in_words
from apps.workflows.services import template_of
from workflows.errors import WorkflowError

logger = logging.getLogger(__name__)

COORDINATOR: Final = "coordinator"
CHANGED: Final = "what runs there has changed"
CALLED_OFF: Final = "called off"
MOST_NAMED: Final = 8
MOST_AT_ONCE: Final = 50


def prove(template: WorkflowTemplate, node: Node, *, user: User | None) -> Proof:
    """Ask for a golden render of a template's current version on a node; one that is open is returned.

    It waits until the node has nothing else to do. Raises NotAllowed; Refused where the node cannot be asked
    or lacks something, naming it.
    """
    require_steering(user)
    version = template.current
    if version is None:
        raise Refused(Problem("template", template.slug, _("it has no version yet")))
    if problem := in_the_way(version, node):
        raise Refused(problem)
    return _ask(version, node, by=user.get_username() if user else "operator")


@dataclass(frozen=True)
class Asked:
    """What became of asking several nodes: golden renders that are open now, and what stands in the way."""

    proofs: tuple[Proof, ...]
    problems: tuple[Problem, ...]


def prove_on(template: WorkflowTemplate, nodes: Iterable[Node], *, user: User | None) -> Asked:
    """Ask these nodes, each as :func:`prove` does. Raises NotAllowed; Refused without a version."""
    require_steering(user)
    proofs: list[Proof] = []
    problems: list[Problem] = []
    for node in nodes:
        try:
            proofs.append(prove(template, node, user=user))
        except Refused as refused:
            if template.current is None:
                raise
            problems += refused.problems
    return Asked(tuple(proofs), tuple(problems))


def cancel_proof(proof: Proof, *, user: User | None) -> bool:
    """Call a golden render off; the node stops it with its next report. False if it has ended."""
    require_steering(user)
    return move(
        PROOF,
        proof,
        from_=PROOF_OPEN,
        to=ProofState.CANCELLED,
        actor=user.get_username() if user else "operator",
        reason=CALLED_OFF,
        story=proof.node_id,
        changes={"until": None, "message": ""},
    )


def prove_what_changed(now: datetime) -> int:
    """Ask again for what was proven and is so no more, where the studio wants that; return how often."""
    if not settings.PROVE_AFTER_CHANGE:
        return 0
    nodes = list(serving().filter(pk__in=Proof.objects.filter(state=ProofState.PROVEN).values("node")))
    if not nodes:
        return 0
    current = WorkflowTemplateVersion.objects.filter(
        pk__in=WorkflowTemplate.objects.filter(active=True).values("current")
    )
    by_node = {node.pk: node for node in nodes}
    versions = {one.pk: one for one in current}
    asked = 0
    for (version, node), standing in standings(nodes, versions.values()).items():
        if standing.word is not Word.STALE or asked >= MOST_AT_ONCE:
            continue
        if template_of(versions[version]).manifest.remote:
            continue  # a service renders for money: only a person asks for that
        if in_the_way(versions[version], by_node[node]) is None:
            _ask(versions[version], by_node[node], by=COORDINATOR, reason=CHANGED)
            asked += 1
    return asked


def in_the_way(version: WorkflowTemplateVersion, node: Node) -> Problem | None:
    """Why this node cannot even be asked; None if it can."""
    if not known_capabilities().filter(pk=node.pk).exists():
        told = _("it has not said yet what it can render, or is a stand-in that is not allowed here")
        return Problem("node", node.name, told, code="unknown")
    return what_it_lacks(version, node)


def what_it_lacks(version: WorkflowTemplateVersion, node: Node) -> Problem | None:
    """What a node whose capabilities are known lacks for a golden render of this version; None: nothing."""
    template = template_of(version)
    if (remote := template.manifest.remote) and keyless(node, template):
        told = _("%(node)s has no key for %(service)s") % {"node": node.name, "service": remote.service}
        return Problem("template", version.template.slug, told, code="keyless")
    if unknown := unknown_to(node, template):
        told = _("the worker of %(node)s is too old: it does not know %(says)s; update it")
        facts = {"node": node.name, "says": said_in_words(unknown)}
        return Problem("template", version.template.slug, told % facts, code="older_worker")
    missing = lacking(node, template, _precision(version))
    if missing:
        more = f" … + {len(missing) - MOST_NAMED}" if len(missing) > MOST_NAMED else ""
        told = _("%(node)s lacks %(missing)s") % {
            "node": node.name,
            "missing": ", ".join(missing[:MOST_NAMED]) + more,
        }
        return Problem("template", version.template.slug, told, code="lacks")
    return None


def _ask(version: WorkflowTemplateVersion, node: Node, *, by: str, reason: str = "") -> Proof:
    try:
        values = values_of(template_of(version))
    except WorkflowError as exc:
        raise Refused(Problem("template", version.template.slug, in_words(exc.said))) from exc
    try:
        with transaction.atomic():
            proof = Proof.objects.create(
                version=version, node=node, asked_by=by, values=values, precision=_precision(version)
            )
            record_event(
                PROOF, proof.pk, to=ProofState.WAITING, story=node.pk, actor=by, reason=reason or str(version)
            )
    except IntegrityError:
        return Proof.objects.get(version=version, node=node, state__in=PROOF_OPEN)
    transaction.on_commit(bus.poke)
    logger.info("golden render asked for", extra={"node": node.name, "template": str(version), "by": by})
    return proof


def _precision(version: WorkflowTemplateVersion) -> str:
    manifest = template_of(version).manifest
    return str(values_of(template_of(version)).get("precision", "")) or next(iter(manifest.precisions), "")
