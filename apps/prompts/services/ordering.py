"""Set in which order a project's prompts are written."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem
from apps.ledger.services.recording import changing
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.prompts.order import SHOTFARM, Order, read_order


def set_order(project: Project, told: Any, *, user: User, row_version: int) -> Order:
    """Keep a project's order of segments; an empty one is our own. ``row_version``: of the project as read.

    Raises NotAllowed, Refused with every problem of the setting, Conflict if the project changed meanwhile.
    """
    require(user, Act.MANAGE, project)
    order = read_order(told)
    kept = {} if order == SHOTFARM else order.as_json()
    with changing(Project, [project.pk], actor=user):
        changed = Project.objects.filter(pk=project.pk, row_version=row_version).update(
            composer=kept, row_version=row_version + 1
        )
        if not changed:
            told_why = _("somebody else has changed this project meanwhile; look at it again")
            raise Conflict(Problem("row_version", str(row_version), told_why, code="stale"))
    return order
