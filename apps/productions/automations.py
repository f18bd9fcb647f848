"""When … then …: what automations do to shots, in the transaction of what set them off.

So nothing is lost when a process dies: what happened and what followed are written together or not at all.
Each deed is an event row whose reason is the automation's name. An automation does something to a shot at
most once in a chain, so chains end however they are written; one that would go round is told.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from apps.common.machines import Move, move_each
from apps.common.models import StateEvent
from apps.ledger.services.recording import changing
from apps.productions.locking import lock_shots
from apps.productions.models import Automation, Deed, Shot, ShotStatus, Trigger
from apps.productions.models import Sequence as ShotSequence
from apps.productions.shades import give_shade
from apps.productions.states import LEFT_ALONE, OMITTED, SHOT, way

logger = logging.getLogger(__name__)

EVENTS: Final = "automation"
"""The machine of events that tell of a deed which moves nothing: what was told, what was stopped."""
NOTIFIED: Final = "notified"
STOPPED: Final = "stopped"


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Something that sets automations off, of one shot. ``stage`` and ``take`` where it is about a take;
    ``why``: what happened, for the event.
    """

    shot: UUID
    project: UUID
    actor: str
    stage: str = ""
    take: UUID | None = None
    why: str = ""


CarryOut = Callable[[Automation, Sequence[Happening]], Iterable[UUID]]
"""Does it to these shots; returns those to which it did something."""

_deeds: dict[str, CarryOut] = {}


def add_deed(deed: str, carry_out: CarryOut) -> None:
    """Have an app above carry out a deed, within the transaction."""
    _deeds[deed] = carry_out


def happened(trigger: str, what: Sequence[Happening]) -> set[UUID]:
    """Carry out every automation this sets off, and those that these do; return the shots that moved.

    A constant number of queries for each automation that fits.
    """
    if not what:
        return set()
    with transaction.atomic(savepoint=False):
        chain = _Chain()
        chain.run(trigger, what)
        return chain.moved


def reached(what: Sequence[Happening]) -> set[UUID]:
    """Shots were moved to their status by somebody: carry out what that sets off."""
    if not what:
        return set()
    with transaction.atomic(savepoint=False):
        chain = _Chain()
        chain.shots_reached(what)
        return chain.moved


class _Chain:
    """One happening and all that follows from it. The rows are read once."""

    def __init__(self) -> None:
        rows = Automation.objects.filter(active=True).select_related("target", "status")
        self.rows = list(rows.order_by("order", "name"))
        self.moved: set[UUID] = set()
        self._done: set[tuple[UUID, UUID]] = set()

    def run(self, trigger: str, what: Sequence[Happening]) -> None:
        for row in self.rows:
            if row.trigger == trigger:
                self._carry_out(row, [one for one in what if _fits(row, one)])

    def shots_reached(self, what: Sequence[Happening]) -> None:
        """Set off what waits for the status these shots have now."""
        waiting = [row for row in self.rows if row.trigger == Trigger.SHOT_REACHED]
        for_all = [row for row in self.rows if row.trigger == Trigger.SEQUENCE_REACHED]
        if not waiting and not for_all:
            return
        rows = Shot.objects.filter(pk__in=[one.shot for one in what]).order_by()
        stands = {
            key: (state, label, sequence)
            for key, state, label, sequence in rows.values_list(
                "pk", "status_id", "studio_status_id", "sequence_id"
            )
        }
        for row in waiting:
            here = [one for one in what if _fits(row, one) and row.status_id in stands[one.shot][:2]]
            self._carry_out(row, here)
        for row in for_all:
            here = [one for one in what if _fits(row, one) and row.status_id in stands[one.shot][:2]]
            self._carry_out(row, list(_whole_sequences(row, here, stands)))

    def _carry_out(self, row: Automation, what: Sequence[Happening]) -> None:
        again = [one for one in what if (row.pk, one.shot) in self._done]
        once = [one for one in what if (row.pk, one.shot) not in self._done]
        self._done |= {(row.pk, one.shot) for one in once}
        if again:
            logger.warning("automation goes round", extra={"automation": row.name, "shots": len(again)})
            _tell(row, again, STOPPED)
        if not once:
            return
        if row.deed == Deed.MOVE:
            moved = _move(row, once)
            self.moved |= moved
            self.shots_reached([one for one in once if one.shot in moved])
        elif row.deed == Deed.LOCK:
            _lock(once)
        elif row.deed == Deed.NOTIFY:
            _tell(row, once, NOTIFIED)
        elif row.deed in _deeds:
            _deeds[row.deed](row, once)


def _fits(row: Automation, one: Happening) -> bool:
    return row.project_id in (None, one.project) and row.stage in ("", one.stage)


def _whole_sequences(
    row: Automation, what: Iterable[Happening], stands: Mapping[UUID, tuple[str, str | None, UUID]]
) -> Iterator[Happening]:
    """Those of which every shot of the sequence has the status; its shots one by one, but for omitted ones.

    The sequence is locked first: of two that reach it at once, the second sees both.
    """
    touched = {stands[one.shot][2]: one for one in what}
    list(ShotSequence.objects.filter(pk__in=touched).order_by("pk").select_for_update(no_key=True))
    shots: dict[UUID, list[UUID]] = defaultdict(list)
    others: set[UUID] = set()
    rows = Shot.objects.filter(sequence__in=touched).exclude(status_id=OMITTED).order_by("pk")
    for sequence, key, state, label in rows.values_list("sequence_id", "pk", "status_id", "studio_status_id"):
        shots[sequence].append(key)
        if row.status_id not in (state, label):
            others.add(sequence)
    for sequence, one in touched.items():
        if sequence not in others:
            yield from (replace(one, shot=key, take=None) for key in shots[sequence])


def _move(row: Automation, what: Sequence[Happening]) -> set[UUID]:
    """Move shots to the automation's status, step by legal step; return those that have it now by this."""
    target = row.target
    assert target is not None  # noqa: S101 - by a constraint of the table
    sources = row.from_states or [state for state in SHOT.states if state not in LEFT_ALONE]
    by_shot = {one.shot: one for one in what}
    here = Shot.objects.filter(pk__in=by_shot, status_id__in=sources).values_list("pk", "status_id")
    stands = {key: str(now) for key, now in here}
    ways = {key: way(now, target.state) for key, now in stands.items() if now != target.state}
    to_go = {key: found for key, found in ways.items() if found}
    there = [] if target.is_own else [key for key, now in stands.items() if now == target.state]
    if not to_go and not there:
        return set()
    actors = {key: by_shot[key].actor for key in (*to_go, *there)}
    with changing(Shot, actors, actor=None, actors=actors, verb="status", lists=False):
        moved = _step_by_step(row, target, to_go, by_shot)
        data = {key: _facts(row, by_shot[key]) for key in there}
        return moved | give_shade(there, target, actors=actors, reason=row.name, data=data)


def _step_by_step(
    row: Automation,
    target: ShotStatus,
    ways: Mapping[UUID, Sequence[str]],
    by_shot: Mapping[UUID, Happening],
) -> set[UUID]:
    """Move shots along their ways of states, which begin where they stand; return those that arrived."""
    moved: set[UUID] = set()
    for left in range(max(map(len, ways.values()), default=1), 1, -1):
        steps: dict[str, tuple[set[str], list[UUID]]] = {}
        for shot, states in ways.items():
            if len(states) >= left:
                sources, keys = steps.setdefault(states[-left + 1], (set(), []))
                sources.add(states[-left])
                keys.append(shot)
        for to, (from_, keys) in steps.items():
            last = left == 2
            moves = [
                Move(
                    row=Shot(pk=key),
                    actor=by_shot[key].actor,
                    reason=row.name,
                    data=_facts(row, by_shot[key]),
                    changes={} if not last or target.is_own else {"studio_status": target},
                )
                for key in keys
            ]
            done = move_each(SHOT, moves, from_=tuple(sorted(from_)), to=to)
            if last:
                moved |= done
    return moved


def _lock(what: Sequence[Happening]) -> None:
    """Lock the plans of shots that nobody has locked, in the name of whoever set this off."""
    by: dict[str, list[UUID]] = defaultdict(list)
    for one in what:
        by[one.actor].append(one.shot)
    for actor, shots in by.items():
        lock_shots(shots, actor=actor)


def _facts(row: Automation, one: Happening) -> dict[str, Any]:
    facts = {"automation": str(row.pk), "why": one.why}
    return {name: value for name, value in facts.items() if value}


def _tell(row: Automation, what: Sequence[Happening], word: str) -> None:
    StateEvent.objects.bulk_create(
        StateEvent(
            story=one.shot,
            machine=EVENTS,
            subject=one.shot,
            to_state=word,
            actor=one.actor,
            reason=row.name,
            data=_facts(row, one),
        )
        for one in what
    )
