"""What the database knows about the orders that nodes ask for, and about those who ask.

A number of statements that does not grow with the claims.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from apps.common.ids import uuid_in
from apps.nodes.models import Node
from apps.nodes.selectors import serving
from apps.renders.models import Attempt, Hold
from apps.renders.scheduling.supply import shut_pairs
from farm.contracts import ClaimRequest


@dataclass(frozen=True)
class Asked:
    """A request and what the database knows about it.

    ``serves``: its node may be given work now. ``blocked``: but not this template, or not this order of it.
    ``paused``: what is, that its job belongs to; "" for nothing.
    """

    request: ClaimRequest
    attempt: Attempt | None
    node: Node | None
    serves: bool
    blocked: bool = False
    paused: str = ""


def read(requests: Sequence[ClaimRequest], now: datetime) -> list[Asked]:
    """Read what these claims are judged by, in their order."""
    attempts = _attempts(requests)
    nodes = _nodes(requests)
    asking = [node for node, _serves in nodes.values()]
    shut = {(node, template): blocked for node, template, blocked in shut_pairs(now, asking)}
    holds = set(Hold.objects.values_list("scope", flat=True))
    claims = []
    for request in requests:
        attempt = attempts.get(uuid_in(request.attempt_id))
        node, serves = nodes.get((request.node, request.epoch), (None, False))
        blocked = node is not None and attempt is not None and _is_blocked(node, attempt, shut)
        paused = _paused(attempt, holds) if attempt is not None else ""
        claims.append(Asked(request, attempt, node, serves, blocked=blocked, paused=paused))
    return claims


def _is_blocked(node: Node, attempt: Attempt, shut: Mapping[tuple[UUID, UUID], bool]) -> bool:
    """While a node is on trial with a template, it is given what was sent for that, and to it alone."""
    blocked = shut.get((node.pk, attempt.job.template_version.template_id))
    return attempt.node_id is None if blocked is False else bool(blocked)


def _paused(attempt: Attempt, holds: Collection[str]) -> str:
    """What is paused that this attempt's job belongs to; "" if nothing is.

    A pause acts at once (design §5, 6): what a node has goes on, and it has what was granted. An order that
    was on its way goes back.
    """
    if attempt.job.held:
        return attempt.job.code
    if Hold.FARM in holds:
        return "the farm"
    if str(attempt.tier_gb) in holds:
        return f"tier {attempt.tier_gb}"
    return attempt.job.project.code if attempt.job.project.paused else ""


def _attempts(requests: Sequence[ClaimRequest]) -> dict[UUID | None, Attempt]:
    rows = Attempt.objects.select_related("job__template_version", "job__project").only(
        "number",
        "state",
        "token",
        "tier_gb",
        "node_id",
        "node_epoch",
        "job__code",
        "job__state",
        "job__token",
        "job__held",
        "job__project__code",
        "job__project__paused",
        "job__precision",
        "job__lora_files",
        "job__lane_id",
        "job__avoids",
        "job__pinned_to_id",
        "job__pool_id",
        "job__tags",
        "job__template_version__content_hash",
        "job__template_version__template_id",
    )
    keys = [key for key in (uuid_in(request.attempt_id) for request in requests) if key]
    return {attempt.pk: attempt for attempt in rows.filter(pk__in=keys)}


def _nodes(requests: Sequence[ClaimRequest]) -> dict[tuple[str, str], tuple[Node, bool]]:
    """The asking nodes by name and epoch, and whether they may be given work now."""
    rows = Node.objects.filter(name__in={request.node for request in requests})
    rows = rows.select_related("pool").only(
        "name",
        "epoch",
        "desired",
        "hears",
        "observed",
        "tier_gb",
        "capabilities_of",
        "keys",
        "tags",
        "pool__dedicated",
    )
    told = rows.annotate(serves=Exists(serving().filter(pk=OuterRef("pk"))))
    return {(node.name, node.epoch): (node, node.serves) for node in told}
