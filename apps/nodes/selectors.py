"""Which nodes serve, and what they can render."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypedDict
from uuid import UUID

from django.conf import settings
from django.db.models import Max, Q, QuerySet

from apps.nodes.models import Node, NodeCatalogue
from apps.nodes.states import SERVING, Desired, Health
from farm.contracts import unpack_catalogue
from workflows.catalogue import ObjectInfo, recorded
from workflows.soundness import sound

LONGEST_FACT: Final = 200


class ModelFile(TypedDict):
    """A model file a graph names: the ComfyUI folder and the name with ``/``."""

    folder: str
    name: str


def serving() -> QuerySet[Node]:
    """Nodes that may be given work now: active, heard of, well, within their hours, with known capabilities.

    A node of unknown memory serves what needs none.
    """
    nodes = Node.objects.filter(
        desired=Desired.ACTIVE, observed__in=SERVING, health=Health.WELL, off_hours=False
    ).exclude(capabilities_of="")
    return nodes if settings.SIMULATED_ALLOWED else nodes.filter(simulated=False)


def kept_from_serving(node: Node) -> str:
    """Name what keeps a node from being given work.

    A state (also one that was concluded), a wish, "off_hours", "simulated", or "starting".
    """
    if node.observed not in SERVING:
        return node.observed
    if node.desired != Desired.ACTIVE:
        return node.desired
    if node.health != Health.WELL:
        return node.health
    if node.off_hours:
        return "off_hours"
    return "simulated" if node.simulated and not settings.SIMULATED_ALLOWED else "starting"


def kept_facts(node: Node) -> dict[str, str]:
    """What there is to say about that: why, since whose wish, and the maintenance note."""
    why = kept_from_serving(node)
    facts = {"reason": node.reason}
    if why == node.desired:
        facts = {"reason": node.desired_reason, "by": node.desired_by}
    elif why == node.health:
        facts = {"reason": node.sick_reason}
    elif why == "off_hours":
        facts = {"reason": node.schedule.name if node.schedule else ""}
    if node.note:
        facts["note"] = node.note
    return {name: text[:LONGEST_FACT] for name, text in facts.items()}


def lacks(node: Node, *, classes: Iterable[str], models: Iterable[ModelFile]) -> list[str]:
    """List what this node lacks to run a graph: node classes, and models as ``folder/name``."""
    has = set(node.classes)
    missing = [name for name in classes if name not in has]
    for model in models:
        if model["name"] not in node.models_by_folder.get(model["folder"], ()):
            missing.append(f"{model['folder']}/{model['name']}")
    return missing


def catalogue_of(node: Node) -> ObjectInfo:
    """Return a node's whole catalogue, or the one that ships while the node has told none.

    Classes in a form that ComfyUI does not write are left out.
    """
    return _read_catalogue(node.catalogue_id) if node.catalogue_id else recorded()


@lru_cache(maxsize=8)
def _read_catalogue(row: UUID) -> ObjectInfo:
    """Rows are never changed; one that has just been forgotten is read as none."""
    packed = NodeCatalogue.objects.filter(pk=row).values_list("packed", flat=True).first()
    return sound(unpack_catalogue(bytes(packed))) if packed is not None else recorded()


def largest_tier() -> int | None:
    """Return the largest VRAM tier in GB among the nodes known here, whether they serve now or not.

    None if there is no node; 0 if no node has told its memory.
    """
    nodes = Node.objects.all() if settings.SIMULATED_ALLOWED else Node.objects.filter(simulated=False)
    if not nodes.exists():
        return None
    return nodes.aggregate(largest=Max("tier_gb"))["largest"] or 0


def largest_tier_open_to(
    *, pool_id: UUID | None, tags: str, pinned_to_id: UUID | None, avoids: str
) -> int | None:
    """The largest among the nodes that work of this pool, these tags (one a line) and this pin may go to.

    ``avoids``: names of nodes, one a line. None: there is none, or the largest may be one of unknown memory.
    """
    nodes = Node.objects.filter(pool=pool_id) if pool_id else Node.objects.exclude(pool__dedicated=True)
    if not settings.SIMULATED_ALLOWED:
        nodes = nodes.filter(simulated=False)
    if pinned_to_id:
        nodes = nodes.filter(pk=pinned_to_id)
    wanted, avoided = set(tags.split("\n")) - {""}, set(avoids.split("\n"))
    rows = nodes.values_list("name", "tags", "tier_gb")
    tiers = [tier for name, has, tier in rows if name not in avoided and wanted <= set(has.split("\n"))]
    known = [tier for tier in tiers if tier is not None]
    return max(known, default=None) if any(known) or len(known) == len(tiers) else None


def known_capabilities() -> QuerySet[Node]:
    """Nodes whose classes and models are known, whether they are here now or not."""
    nodes = Node.objects.exclude(capabilities_of="")
    return nodes if settings.SIMULATED_ALLOWED else nodes.filter(Q(simulated=False))
