"""What rendering does to a shot's status: work begins, work comes back. Signed-off shots are left alone."""

from __future__ import annotations

from collections.abc import Iterable

from apps.common.machines import Move, move_all, move_each
from apps.productions.models import Shot
from apps.productions.states import DRAFT, IN_PROGRESS, READY, REVIEW, SHOT


def shots_are_rendering(shots: Iterable[Shot], *, actor: str) -> int:
    """Jobs were submitted: draft and ready shots are in progress now. Returns how many changed."""
    rows = Shot.objects.filter(pk__in=[shot.pk for shot in shots])
    return move_all(
        SHOT, rows, from_=(DRAFT, READY), to=IN_PROGRESS, actor=actor, reason="a render was submitted"
    )


def shot_has_take(shot: Shot, *, actor: str) -> bool:
    """A take came back: a shot in progress (or ready) waits for review now."""
    return shots_have_takes([(shot, actor)]) > 0


def shots_have_takes(came: Iterable[tuple[Shot, str]]) -> int:
    """Takes came back, each by whom: shots in progress (or ready) wait for review now. Returns how many."""
    moves = {shot.pk: Move(row=shot, actor=actor, reason="a take came back") for shot, actor in came}
    return len(move_each(SHOT, list(moves.values()), from_=(IN_PROGRESS, READY), to=REVIEW))
