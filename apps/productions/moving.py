"""Give many shots another status at once: as a bulk change that can be undone, or as a part of one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.common.machines import Move, move_each
from apps.common.show import spoken
from apps.ledger.models import Batch
from apps.ledger.services.recording import changing
from apps.productions import states
from apps.productions.automations import Happening, reached
from apps.productions.bulk import MOST_SHOTS
from apps.productions.done import Done, as_one
from apps.productions.models import Shot, ShotStatus
from apps.productions.services import act_of_move
from apps.productions.shades import give_shade
from apps.productions.statuses import require_allowed
from apps.projects.models import Project
from apps.projects.selectors import require_rows


def move_shots(shots: Iterable[Shot], *, to: str, user: User) -> Done:
    """Move many shots to one of the machine's own statuses, in a number of statements that does not grow.

    Those from where the machine has no such move stay, and those that somebody moved since they were read.
    Raises NotAllowed if one of them is not theirs to move, Refused for too many at once; then none is.
    """
    movable = [shot for shot in shots if to in states.SHOT.moves[str(shot.status_id)]]
    if len(movable) > MOST_SHOTS:
        told = _("at most %d shots at a time") % MOST_SHOTS
        raise Refused(Problem("shots", str(len(movable)), told, code="too_many"))
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


def move_along(shots: Sequence[Shot], steps: Sequence[str], *, user: User) -> set[UUID]:
    """Move shots that are in the first of these states through the others, as a part of the caller's change;
    return the keys of those that came to the end. What they only pass through sets off nothing. Raises
    NotAllowed if a step is not theirs to make.
    """
    happened: list[Happening] = []
    for to in steps[1:]:
        _require(shots, ShotStatus.objects.get(pk=to), user)
        happened = _step(shots, to, user)
        shots = list(Shot.objects.filter(pk__in=[one.shot for one in happened]))
    reached(happened)
    return {shot.pk for shot in shots}


def show_as(keys: Collection[UUID], row: ShotStatus, *, user: User) -> set[UUID]:
    """Show shots that are in its state as this status, as a part of the caller's change; return the keys of
    those that were not shown so before. Raises NotAllowed.
    """
    shots = list(Shot.objects.filter(pk__in=keys, status_id=row.state))
    _require(shots, row, user)
    actor = user.get_username()
    shown = give_shade([shot.pk for shot in shots], row, actors={shot.pk: actor for shot in shots})
    reached([Happening(shot=one.pk, project=one.project_id, actor=actor) for one in shots if one.pk in shown])
    return shown


def _require(shots: Iterable[Shot], row: ShotStatus, user: User) -> None:
    by_act = defaultdict(list)
    for shot in shots:
        by_act[act_of_move(str(shot.status_id), row.state)].append(shot)
    for act, some in by_act.items():
        require_rows(user, act, Shot.objects.filter(pk__in=[shot.pk for shot in some]), shot="pk")
    if not row.is_artist_allowed:
        projects = {shot.project_id for some in by_act.values() for shot in some}
        for project in Project.objects.filter(pk__in=projects):
            require_allowed(row, user, project)


def _move(shots: Mapping[UUID, Shot], to: str, user: User, batch: Batch) -> int:
    with changing(Shot, shots, actor=user, verb="status", batch=batch, lists=False):
        happened = _step(shots.values(), to, user)
        reached(happened)
    return len(happened)


def _step(shots: Iterable[Shot], to: str, user: User) -> list[Happening]:
    """Move shots from where they were read; tell of those that nobody else moved."""
    by_state: dict[str, dict[UUID, Shot]] = defaultdict(dict)
    for shot in shots:
        by_state[str(shot.status_id)][shot.pk] = shot
    actor = user.get_username()
    happened: list[Happening] = []
    for now, some in sorted(by_state.items()):
        moves = [Move(row=shot, actor=actor, changes={"studio_status": None}) for shot in some.values()]
        moved = move_each(states.SHOT, moves, from_=(now,), to=to)
        happened += [Happening(shot=key, project=some[key].project_id, actor=actor) for key in moved]
    return happened
