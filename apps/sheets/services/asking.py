"""A person says yes: the plan is to be written."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.ledger.services.versions import require_unchanged
from apps.sheets.models import ImportBatch, Work
from apps.sheets.services.choosing import CHOSEN, require_open
from apps.sheets.services.doing import ask
from apps.sheets.states import BatchState


def confirm(batch: ImportBatch, *, user: User, row_version: int | None = None) -> None:
    """Have a plan written, at once or in the background. Raises NotAllowed, Conflict; Refused while the plan
    has errors, or would write nothing. ``row_version``: of the import whose plan was looked at; Stale if
    somebody chose otherwise since. None: whichever it is at.
    """
    require_open(batch, user)
    if row_version is not None:
        require_unchanged(batch, row_version, *CHOSEN)
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
    batch.report = {"confirmed_by": user.get_username()}
    ImportBatch.objects.filter(pk=batch.pk).update(report=batch.report)
    ask(batch, Work.APPLY)
