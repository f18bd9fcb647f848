"""What is remembered of limits."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.ledger.documents import Children, Document, Reference, track
from apps.renders.models import Limit
from apps.renders.services.limits import require_setting
from apps.workflows.models import WorkflowTemplate


def _may_set(limits: Sequence[Limit], user: User) -> None:
    require_setting(user, "change")


track(
    Document(
        model=Limit,
        kind="limit",
        label=("name",),
        project="",
        children={
            "templates": Children(
                model=Limit.templates.through,
                parent="limit",
                key=("workflowtemplate",),
                references={"workflowtemplate": Reference(model=WorkflowTemplate, by=("slug",), of="")},
                flat=True,
                label=_("templates"),
            )
        },
        permit=_may_set,
    )
)
