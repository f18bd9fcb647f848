"""What is remembered of templates (versions never change) and of drafts: what was filled in of a manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.accounts.models import User
from apps.ledger.documents import BOOKKEEPING, Document, Reference, track
from apps.workflows.models import WorkflowImport, WorkflowTemplate, WorkflowTemplateVersion
from apps.workflows.services.importing import closed
from apps.workflows.services.managing import require_import, require_manage
from apps.workflows.states import ImportState


def _may_manage(templates: Sequence[Any], user: User) -> None:
    require_manage(user)


def _may_fill_in(drafts: Sequence[WorkflowImport], user: User) -> None:
    require_import(user)
    for draft in drafts:
        if draft.state != ImportState.DRAFT:
            raise closed(draft)


track(
    Document(
        model=WorkflowTemplate,
        kind="workflow_template",
        label=("slug",),
        project="",
        references={"current": Reference(model=WorkflowTemplateVersion, by=("number",), of="")},
        left_out=("origin", "chosen_by"),
        steered=("slug", "kind", "active", "current"),
        permit=_may_manage,
    )
)
track(
    Document(
        model=WorkflowImport,
        kind="workflow_import",
        label=("file_name",),
        project="",
        left_out=tuple(
            column.name
            for column in WorkflowImport._meta.concrete_fields
            if column.name not in {"catalogue", "manifest"} | BOOKKEEPING
        ),
        steered=("catalogue",),
        permit=_may_fill_in,
    )
)
