"""What is remembered of prompts: the texts that somebody has written by hand."""

from __future__ import annotations

from collections.abc import Sequence

from apps.accounts.models import User
from apps.ledger.documents import Document, Reference, track
from apps.productions.locking import require_unlocked
from apps.productions.models import Shot
from apps.projects.roles import Act
from apps.projects.selectors import require_rows
from apps.prompts.models import PromptEdit

SHOT = Reference(model=Shot, by=("sequence__code", "code"), joined="_", within="project")


def _may_write(edits: Sequence[PromptEdit], user: User) -> None:
    shots = Shot.objects.filter(pk__in={edit.shot_id for edit in edits})
    require_rows(user, Act.PLAN, shots, shot="pk")
    for shot in shots.exclude(locked_by="").select_related("sequence"):
        require_unlocked(shot)


track(
    Document(
        model=PromptEdit,
        kind="prompt_edit",
        label=("shot__sequence__code", "shot__code", "channel"),
        project="shot__project",
        references={"shot": SHOT},
        permit=_may_write,
    )
)
