"""A person says yes: the plan is to be written."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.ledger.services.versions import require_unchanged
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.sheets.models import ImportBatch, Work
from apps.sheets.services.choosing import CHOSEN, require_open
from apps.sheets.services.doing import begin, note
from apps.sheets.states import BatchState


def confirm(batch: ImportBatch, *, user: User, row_version: int | None = None) -> None:
    """Have a plan written, at once or in the background. Raises NotAllowed, Conflict; Refused while the plan
    has errors, or would write nothing. ``row_version``: of the import whose plan was looked at; Stale if
    somebody chose otherwise since. None: whichever it is at.
    """
    require(user, Act.PLAN, batch.project)
    with transaction.atomic():
        # The import's row is the lock: of two who confirm at once, one is told that it is at work.
        held = ImportBatch.objects.select_for_update(of=("self",)).select_related("project").get(pk=batch.pk)
        require_open(held, user)
        if row_version is not None:
            require_unchanged(held, row_version, *CHOSEN)
        _require_writable(held)
        note(held, Work.APPLY, report={"confirmed_by": user.get_username()})
    begin(batch)


def _require_writable(batch: ImportBatch) -> None:
    counts = batch.counts
    if batch.state != BatchState.PLANNED:
        raise Refused(Problem("state", batch.state, _("Make the dry run first."), code="not_planned"))
    if counts.get("problems") or batch.problems:
        told = _("There are %d errors. Mend them in the file and bring it again, or leave their rows out.")
        raise Refused(Problem("file", batch.file_name, told % counts.get("problems", 1), code="errors"))
    if not any(counts.get(name) for name in ("new", "changed", "removed")):
        raise Refused(
            Problem("file", batch.file_name, _("Nothing in it would change anything."), code="nothing")
        )
