"""Why golden renders wait: one on a node that is never idle waits until somebody makes room, and says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Final
from uuid import UUID

from apps.nodes.models import Node
from apps.nodes.selectors import kept_from_serving, serving
from apps.renders.models import Proof
from apps.renders.states import ProofState

NO_WORK: Final = "%(node)s may not be given work (%(state)s)"
ONE_AT_A_TIME: Final = "waits until another golden render there is done"
WORK_FIRST: Final = "waits until its node has nothing else to do"

_SERVICE: Final = ("name", "observed", "desired", "health", "off_hours", "simulated")
"""What of a node says whether it serves."""


def say_why_they_wait(proving: Collection[UUID]) -> None:
    """Write down what each golden render that waits waits for, where that has changed.

    ``proving``: the nodes that have one on its way. A constant number of queries.
    """
    waiting = list(Proof.objects.filter(state=ProofState.WAITING).values_list("pk", "node", "message"))
    nodes = list(Node.objects.filter(pk__in={node for _pk, node, _told in waiting}).only(*_SERVICE))
    serve = set(serving().filter(pk__in=[node.pk for node in nodes]).values_list("pk", flat=True))
    why = {node.pk: _why(node, serves=node.pk in serve, proves=node.pk in proving) for node in nodes}
    changed: dict[str, list[UUID]] = defaultdict(list)
    for pk, node, told in waiting:
        if why.get(node, told) != told:
            changed[why[node]].append(pk)
    for told, keys in changed.items():
        Proof.objects.filter(pk__in=keys, state=ProofState.WAITING).update(message=told)


def _why(node: Node, *, serves: bool, proves: bool) -> str:
    if not serves:
        return NO_WORK % {"node": node.name, "state": kept_from_serving(node)}
    return ONE_AT_A_TIME if proves else WORK_FIRST
