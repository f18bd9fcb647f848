"""What is remembered of imports: what people chose of a file. What one wrote is a bulk change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.ledger.documents import BOOKKEEPING, Computed, Document, track
from apps.projects.roles import Act
from apps.projects.selectors import require_each
from apps.projects.tracked import PROJECT
from apps.sheets.models import ImportBatch
from apps.sheets.services.choosing import CHOSEN


def _may_plan(batches: Sequence[ImportBatch], user: User) -> None:
    require_each(user, Act.PLAN, {batch.project_id for batch in batches})


def _chosen(name: str, label: str | Promise) -> Computed:
    """A column as it is, under the words that the page has for it."""

    def read(told: Any) -> Any:
        return told

    def write(told: Any) -> Mapping[str, Any]:
        return {name: told}

    return Computed(columns=(name,), read=read, write=write, label=label)


track(
    Document(
        model=ImportBatch,
        kind="import",
        label=("file_name",),
        references={"project": PROJECT},
        left_out=tuple(
            column.name
            for column in ImportBatch._meta.concrete_fields
            if column.name not in {"project", *CHOSEN} | BOOKKEEPING
        ),
        computed={
            "mapping": _chosen("mapping", _("Columns")),
            "options": _chosen("options", _("What is to be taken")),
        },
        steered=("project", *CHOSEN),  # the plan is made of them: choose again
        permit=_may_plan,
    )
)
