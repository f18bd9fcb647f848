"""Take a written import back, whole."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem
from apps.common.machines import move
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.sheets.models import ImportBatch
from apps.sheets.states import BATCH, BatchState


def undo_import(batch: ImportBatch, *, user: User) -> None:
    """Put everything back that the import changed, and take away what it made.

    Raises NotAllowed; Conflict naming what somebody changed since, or if it was taken back already.
    """
    require(user, Act.PLAN, batch.project)
    with transaction.atomic():
        actor = user.get_username()
        moved = move(BATCH, batch, from_=(BatchState.APPLIED,), to=BatchState.UNDONE, actor=actor)
        if not moved:
            batch.refresh_from_db(fields=["state"])
            told = _("Only an import that was written can be taken back; this one is: %s.")
            raise Conflict(
                Problem("state", batch.state, told % batch.get_state_display(), code="not_applied")
            )
        raise NotImplementedError
