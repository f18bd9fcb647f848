"""A node that is gone for good is taken off the books; what it rendered stays."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.common.errors import Problem, Refused, lacks_permission
from apps.ledger.documents import document_of
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import require_unchanged
from apps.nodes.models import Node
from apps.nodes.states import Observed
from apps.renders.models import Job, Lane
from apps.renders.selectors import slots_in_use
from apps.renders.states import OPEN

logger = logging.getLogger(__name__)

REMOVE: Final = "nodes.delete_node"
MOST_NAMED: Final = 5


def remove_node(node: Node, *, user: User, row_version: int | None = None) -> None:
    """Delete a node. Its attempts stay, and closed jobs that were pinned to it are so no more.

    ``row_version``: of the node as it was read; None where the caller has claimed it. Raises NotAllowed
    without the permission; Stale where somebody set something of it since; Refused while it reports, has
    work in hand, or open jobs wait for it alone.
    """
    require_removing(user)
    with transaction.atomic():
        _hold_those_pinned_to(node)
        # Nobody pins a job to it, or gives it one, from here on.
        row = Node.objects.select_for_update().only("name", "observed").get(pk=node.pk)
        with changing(Node, [row.pk], actor=user):
            if row_version is not None:
                require_unchanged(row, row_version, *document_of(Node).names)
            if problems := list(_in_the_way(row)):
                raise Refused(*problems)
            Job.objects.filter(lane__in=Lane.objects.filter(pinned_to=row)).update(lane=None, pinned_to=None)
            row.delete()
    logger.info("node removed", extra={"node": node.name, "by": user.get_username()})


def require_removing(user: User) -> None:
    """Raise NotAllowed, naming the permission, unless the user may take nodes off the books."""
    if not user.has_perm(REMOVE):
        raise lacks_permission(user, REMOVE)


def _hold_those_pinned_to(node: Node) -> None:
    """Keep its jobs as they are until it is gone: who requeues one waits, and finds it pinned no more."""
    pinned = Job.objects.filter(pinned_to=node).order_by("pk").select_for_update(no_key=True)
    list(pinned.values_list("pk", flat=True))


def _in_the_way(node: Node) -> Iterator[Problem]:
    if node.observed != Observed.OFFLINE:
        told = _("it still reports; stop its worker, and wait until the node is offline")
        yield Problem("node", node.name, told, code="reports")
    if slots_in_use().filter(node=node).exists():
        told = _("it has work in hand; wait until that is given back, or cancel it")
        yield Problem("node", node.name, told, code="in_hand")
    pinned = Job.objects.filter(pinned_to=node, state__in=OPEN).order_by("code")
    codes = list(pinned.values_list("code", flat=True))
    if codes:
        more = f" … + {len(codes) - MOST_NAMED}" if len(codes) > MOST_NAMED else ""
        told = ngettext(
            "%(count)d open job may run on it only: %(jobs)s. Search the jobs for the node’s name, and "
            "cancel it, or change “only on node”",
            "%(count)d open jobs may run on it only: %(jobs)s. Search the jobs for the node’s name, and "
            "cancel them, or change “only on node”",
            len(codes),
        )
        facts = {"count": len(codes), "jobs": ", ".join(codes[:MOST_NAMED]) + more}
        yield Problem("node", node.name, told % facts, code="pinned")
