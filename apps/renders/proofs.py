"""What golden renders say of nodes: proven, proven of what it was once, failed, unproven. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import Max, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.nodes.models import Node, NodeFile
from apps.nodes.stock import files_of
from apps.renders.models import Proof
from apps.renders.states import PROOF_OPEN, ProofState
from apps.workflows.models import WorkflowTemplateVersion
from farm.contracts import FailureClass

LASTING: Final = (
    FailureClass.OUT_OF_MEMORY,
    FailureClass.REJECTED_GRAPH,
    FailureClass.MISSING_MODEL,
    FailureClass.OUTPUT_INVALID,
    FailureClass.UNKNOWN,
)
"""Failures of a golden render that another try would meet again while nothing changes on the node."""

_NOT_SOFTWARE: Final = frozenset({"models", "classes"})


class Word(StrEnum):
    """How a template stands on a node."""

    PROVEN = "proven"
    STALE = "stale"
    FAILED = "failed"
    LATE = "late"
    ASKED = "asked"
    UNPROVEN = "unproven"


WORDS: Final[Mapping[Word, Promise]] = {
    Word.PROVEN: _("proven"),
    Word.STALE: _("proven before its software or models changed"),
    Word.FAILED: _("failed"),
    Word.LATE: _("not tried in time"),
    Word.ASKED: _("asked for"),
    Word.UNPROVEN: _("unproven"),
}


@dataclass(frozen=True)
class Standing:
    """``proof`` is the last that ended, or the open one; None for UNPROVEN."""

    word: Word
    proof: Proof | None = None

    @property
    def label(self) -> Promise:
        """What people read."""
        return WORDS[self.word]


NOTHING: Final = Standing(Word.UNPROVEN)


def minutes_of(node: Node) -> int:
    """How long a golden render may wait, and how long it may render, on this node."""
    return node.prove_minutes or int(settings.PROVE_MINUTES)


def software_now(node: Node) -> dict[str, Any]:
    """What runs there, but for the models: those that a template needs count by themselves."""
    return {name: value for name, value in node.software.items() if name not in _NOT_SOFTWARE}


def files_now(node: Node, version: WorkflowTemplateVersion, precision: str) -> dict[str, str]:
    """The hash of each file a version needs, "" where it is not known; what is not there is left out."""
    wanted = needed(version, precision)
    return _hashes(node, wanted, files_of([node], wanted).get(node.pk, {}))


def needed(version: WorkflowTemplateVersion, precision: str) -> list[tuple[str, str]]:
    """The files (folder, name) a version needs in one precision."""
    return [
        (need["folder"], need["name"])
        for need in version.models_needed
        if need["precision"] in (None, precision)
    ]


def standings(
    nodes: Iterable[Node], versions: Iterable[WorkflowTemplateVersion]
) -> dict[tuple[UUID, UUID], Standing]:
    """How each version stands on each node, by (version, node): those not named are UNPROVEN.

    ``nodes`` with software and models_by_folder. A constant number of queries.
    """
    by_node, by_version = {node.pk: node for node in nodes}, {one.pk: one for one in versions}
    rows = _telling(
        Proof.objects.filter(node__in=by_node, version__in=by_version).exclude(state=ProofState.CANCELLED)
    )
    files = files_of(by_node.values(), [f for one in by_version.values() for f in needed_at_all(one)])
    return {
        (row.version_id, row.node_id): _standing(
            row, by_node[row.node_id], by_version[row.version_id], files.get(row.node_id, {})
        )
        for row in rows
    }


def verdicts(
    nodes: Iterable[Node], versions: Iterable[WorkflowTemplateVersion]
) -> list[tuple[UUID, UUID, bool]]:
    """Version, node, and whether it can, by the last golden render that still says something of the node.

    Left out: what ran before its software or files changed, and ends that another try may not have (faults of
    the farm, crashes, time). A constant number of queries.
    """
    by_node, by_version = {node.pk: node for node in nodes}, {one.pk: one for one in versions}
    judged = Q(state=ProofState.PROVEN) | Q(state=ProofState.FAILED, failure_class__in=LASTING)
    rows = _newest(Proof.objects.filter(judged, node__in=by_node, version__in=by_version))
    files = files_of(
        by_node.values(), [file for row in rows for file in needed_at_all(by_version[row.version_id])]
    )
    return [
        (row.version_id, row.node_id, row.state == ProofState.PROVEN)
        for row in rows
        if _is_fresh(row, by_node[row.node_id], by_version[row.version_id], files.get(row.node_id, {}))
    ]


def _telling(proofs: QuerySet[Proof]) -> list[Proof]:
    """Of each node and version the last; one that was never tried tells less than one before it that was."""
    found = {(row.node_id, row.version_id): row for row in _newest(proofs)}
    if any(row.state == ProofState.FAILED and not row.was_tried for row in found.values()):
        late = Q(state=ProofState.FAILED, failure_class=FailureClass.TIMED_OUT, sent_at=None)
        found |= {(row.node_id, row.version_id): row for row in _newest(proofs.exclude(late))}
    return list(found.values())


def _newest(proofs: QuerySet[Proof]) -> list[Proof]:
    """Of each node and version the last of these."""
    keys = proofs.order_by().values("node", "version").annotate(last=Max("created_at"))
    newest = {(node, version): at for node, version, at in keys.values_list("node", "version", "last")}
    rows = proofs.filter(created_at__in=set(newest.values())).defer("report")
    return [row for row in rows if newest[row.node_id, row.version_id] == row.created_at]


def needed_at_all(version: WorkflowTemplateVersion) -> list[tuple[str, str]]:
    """The files a version needs in any precision."""
    return [(need["folder"], need["name"]) for need in version.models_needed]


def _standing(
    proof: Proof, node: Node, version: WorkflowTemplateVersion, files: Mapping[tuple[str, str], NodeFile]
) -> Standing:
    if proof.state in PROOF_OPEN:
        return Standing(Word.ASKED, proof)
    if proof.state == ProofState.FAILED:
        return Standing(Word.FAILED if proof.was_tried else Word.LATE, proof)
    return Standing(Word.PROVEN if _is_fresh(proof, node, version, files) else Word.STALE, proof)


def _is_fresh(
    proof: Proof, node: Node, version: WorkflowTemplateVersion, files: Mapping[tuple[str, str], NodeFile]
) -> bool:
    """Whether the node has what it had when this one ended."""
    has = _hashes(node, needed(version, proof.precision), files)
    return bool(proof.software == software_now(node)) and _same(proof.files, has)


def _same(then: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """The same files; a hash that is not known yet, or was not then, says nothing."""
    return then.keys() == now.keys() and all(
        not then[path] or not now[path] or then[path] == now[path] for path in then
    )


def _hashes(
    node: Node, wanted: Iterable[tuple[str, str]], files: Mapping[tuple[str, str], NodeFile]
) -> dict[str, str]:
    return {
        f"{folder}/{name}": files[folder, name].sha256 if (folder, name) in files else ""
        for folder, name in wanted
        if name in node.models_by_folder.get(folder, ())
    }
