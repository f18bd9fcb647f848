"""Take a written import back, whole."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem
from apps.common.machines import move
from apps.ledger.models import Batch
from apps.ledger.selectors import taken_back_by
from apps.ledger.services.undoing import Left, plan_undo, undo
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.sheets.models import ImportBatch
from apps.sheets.services.confirming import MOST_NAMED
from apps.sheets.states import BATCH, BatchState

CHANGED, IN_USE = "changed_since", "in_use"
"""Why an import is not taken back: somebody changed what it made, or needs it whole, or took it away."""


def undo_import(batch: ImportBatch, *, user: User) -> None:
    """Put everything back that the import changed, and take away what it made; all of it or nothing.

    Raises NotAllowed; Conflict naming what somebody changed since, or what is in use by now.
    """
    require(user, Act.PLAN, batch.project)
    with transaction.atomic():
        actor = user.get_username()
        if not move(BATCH, batch, from_=(BatchState.APPLIED,), to=BatchState.UNDONE, actor=actor):
            batch.refresh_from_db(fields=["state"])
            told = _("Only an import that was written can be taken back; this one is: %s.")
            raise Conflict(
                Problem("state", batch.state, told % batch.get_state_display(), code="not_applied")
            )
        remembered = Batch.objects.filter(pk=batch.pk).first()
        if remembered is None:
            told = _("What this import changed is no longer remembered, so it cannot be taken back.")
            raise Conflict(Problem("state", batch.file_name, told, code="forgotten"))
        if taken_back_by(remembered) is not None:
            return  # by the history's own button
        left = plan_undo(remembered).left or undo(remembered, user=user).left  # what is in use, it tells last
        if left:
            raise Conflict(*_named(left))


def _named(left: Sequence[Left]) -> list[Problem]:
    problems = [
        Problem(", ".join(one.fields) or one.kind, one.label, one.why, code=CHANGED if one.fields else IN_USE)
        for one in left[:MOST_NAMED]
    ]
    if len(left) > MOST_NAMED:
        more = _("and %d more rows") % (len(left) - MOST_NAMED)
        problems.append(Problem("row", "", more, code=CHANGED))
    return problems
