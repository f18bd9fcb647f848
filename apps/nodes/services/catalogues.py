"""Every distinct node catalogue (ComfyUI's ``/object_info``) is kept once, and each node points at its own.

A report names its node's catalogue by content. What is known under that name is pointed at; else one of the
nodes that have it is asked to send it with its next report.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from django.core.cache import cache
from django.db.models import Q

from apps.common.clock import database_now
from apps.nodes.models import Node, NodeCatalogue
from farm.contracts import ContractError, NodeReport, read_catalogue_text
from farm.transfer import SHA256

logger = logging.getLogger(__name__)

ASKED_S: Final = 20
"""How long the one that was asked may take: hundreds of equal nodes need not all send theirs."""

UNUSED: Final = timedelta(days=1)


def wants_catalogue(node: Node, report: NodeReport) -> bool:
    """Tell whether this node is to send its catalogue: nobody has sent it, or is asked to, already."""
    told = report.catalogue_of
    if told in ("", node.catalogue_of) or not SHA256.fullmatch(told):
        return False
    return cache.add(f"catalogue-asked-{told}", True, ASKED_S)


def keep_catalogues(reports: Mapping[Node, NodeReport]) -> None:
    """Point nodes at the catalogues they tell of; keep those that come along.

    What cannot be read is refused once: its node keeps the catalogue it had, and is not asked again.
    """
    told = {
        node: report
        for node, report in reports.items()
        if report.catalogue_of not in ("", node.catalogue_of) and SHA256.fullmatch(report.catalogue_of)
    }
    if not told:
        return
    names = {report.catalogue_of for report in told.values()}
    known = dict(NodeCatalogue.objects.filter(sha256__in=names).values_list("sha256", "pk"))
    for node, report in told.items():
        sha256 = report.catalogue_of
        if sha256 not in known and report.catalogue:
            kept = _kept(node, report)
            if kept is None:
                _point(node, catalogue_of=sha256)
                continue
            known[sha256] = kept.pk
        if sha256 in known:
            _point(node, catalogue_of=sha256, catalogue_id=known[sha256])


def _kept(node: Node, report: NodeReport) -> NodeCatalogue | None:
    try:
        packed, classes = read_catalogue_text(report.catalogue, report.catalogue_of)
    except ContractError as error:
        logger.warning("catalogue refused", extra={"node": node.name, "error": str(error)})
        return None
    _forget_unused()
    row, _ = NodeCatalogue.objects.get_or_create(
        sha256=packed.sha256, defaults={"packed": packed.packed, "classes": len(classes)}
    )
    logger.info("catalogue kept", extra={"node": node.name, "sha256": row.sha256, "classes": row.classes})
    return row


def _point(node: Node, **values: object) -> None:
    Node.objects.filter(pk=node.pk).update(**values)
    for name, value in values.items():
        setattr(node, name, value)


def _forget_unused() -> None:
    old = Q(nodes=None, created_at__lt=database_now() - UNUSED)
    NodeCatalogue.objects.filter(old).delete()
