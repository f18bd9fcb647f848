"""What is remembered of archives: who asked for one, with what in it. The rest is events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.accounts.models import User
from apps.keeping.models import ProjectArchive
from apps.ledger.documents import Document, track
from apps.projects.roles import Act
from apps.projects.selectors import require_each
from apps.projects.tracked import PERSON, PROJECT


def _may_plan(rows: Sequence[Any], user: User) -> None:
    require_each(user, Act.PLAN, {row.project_id for row in rows})


track(
    Document(
        model=ProjectArchive,
        kind="archive",
        label=("project__code", "takes"),
        references={"project": PROJECT, "by": PERSON},
        left_out=(
            *("run", "asked_at", "beat_at", "done", "total", "key", "state", "problem"),
            *("bytes", "sha256", "files", "missing", "finished_at", "expires_at"),
        ),
        steered=("takes", "materials"),
        permit=_may_plan,
    )
)
