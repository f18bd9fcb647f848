"""Give many shots another status at once, as a bulk change that can be undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import transaction

from apps.accounts.models import User
from apps.common.machines import Move, move_each
from apps.common.show import spoken
from apps.ledger.models import Batch
from apps.ledger.services.recording import changing
from apps.productions import states
from apps.productions.automations import Happening, reached
from apps.productions.done import Done, as_one
from apps.productions.models import Shot, ShotStatus
from apps.productions.services import act_of_move
from apps.productions.statuses import require_allowed
from apps.projects.models import Project
from apps.projects.selectors import require_rows


def move_shots(shots: Iterable[Shot], *, to: str, user: User) -> Done:
    """Move many shots to one of the machine's own statuses, in a number of statements that does not grow.

    Those from where the machine has no such move stay, and those that somebody moved since they were read.
    Raises NotAllowed if one of them is not theirs to move; then none is.
    """
    movable = [shot for shot in shots if to in states.SHOT.moves[str(shot.status_id)]]
    row = ShotStatus.objects.get(pk=to)
    _require(movable, row, user)
    by_project: dict[UUID, dict[UUID, Shot]] = defaultdict(dict)
    for shot in movable:
        by_project[shot.project_id][shot.pk] = shot
    count, batches = 0, []
    with transaction.atomic():
        for project, some in sorted(by_project.items()):
            with as_one(
                project, user=user, shots=len(some), what=spoken(row, "name"), verb="status"
            ) as batch:
                if moved := _move(some, to, user, batch):
                    batches.append(batch.pk)
                    count += moved
    return Done(count, tuple(batches))


def _require(shots: Iterable[Shot], row: ShotStatus, user: User) -> None:
    by_act = defaultdict(list)
    for shot in shots:
        by_act[act_of_move(str(shot.status_id), row.pk)].append(shot)
    for act, some in by_act.items():
        require_rows(user, act, Shot.objects.filter(pk__in=[shot.pk for shot in some]), shot="pk")
    if not row.is_artist_allowed:
        projects = {shot.project_id for some in by_act.values() for shot in some}
        for project in Project.objects.filter(pk__in=projects):
            require_allowed(row, user, project)


def _move(shots: Mapping[UUID, Shot], to: str, user: User, batch: Batch) -> int:
    by_state = defaultdict(list)
    for shot in shots.values():
        by_state[str(shot.status_id)].append(shot)
    actor = user.get_username()
    moved: set[UUID] = set()
    with changing(Shot, shots, actor=user, verb="status", batch=batch, lists=False):
        for now, some in sorted(by_state.items()):
            moves = [Move(row=shot, actor=actor, changes={"studio_status": None}) for shot in some]
            moved |= move_each(states.SHOT, moves, from_=(now,), to=to)
        reached([Happening(shot=key, project=shots[key].project_id, actor=actor) for key in moved])
    return len(moved)
