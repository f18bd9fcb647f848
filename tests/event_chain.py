"""What the event table must be, whatever happened: legal moves, no gap, up to where each row stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final
from uuid import UUID

from django.db import models

from apps.common.machines import Machine
from apps.common.models import StateEvent
from apps.nodes.models import Node
from apps.nodes.states import DESIRED, HEALTH, NODE, SOFTWARE
from apps.productions.models import Shot
from apps.productions.states import SHOT
from apps.renders.models import Attempt, Job, NodeBlock
from apps.renders.states import ATTEMPT, BLOCK, JOB, BlockState
from apps.review.models import Take
from apps.review.states import MEDIA, REVIEW

MACHINES: Final[dict[str, tuple[Machine, type[models.Model]]]] = {
    machine.name: (machine, model)
    for machine, model in (
        (JOB, Job),
        (ATTEMPT, Attempt),
        (NODE, Node),
        (DESIRED, Node),
        (HEALTH, Node),
        (SOFTWARE, Node),
        (BLOCK, NodeBlock),
        (SHOT, Shot),
        (MEDIA, Take),
        (REVIEW, Take),
    )
}

SILENTLY_BORN: Final[dict[str, str]] = {BLOCK.name: BlockState.CLEAR}
"""Where rows of a machine stand from birth: a pair of node and template is clear long before it has a row."""


class EventChain:
    """Reads the event table step by step. Rows that are there already may have been born without a word.

    ``of``: the machines to look at; ``since_birth``: begin with the first event, and let no row be silent.
    """

    def __init__(self, *, of: Collection[str] = tuple(MACHINES), since_birth: bool = False) -> None:
        self._machines = {name: MACHINES[name] for name in of}
        self._read = 0
        self._stands: dict[tuple[str, UUID], str] = {}
        if since_birth:
            return
        self._read = StateEvent.objects.order_by("id").values_list("id", flat=True).last() or 0
        for machine, model in self._machines.values():
            self._stands |= {(machine.name, key): state for key, state in _states(machine, model)}

    def check(self) -> list[StateEvent]:
        """Read what is new; every event is a legal move that begins where the last one ended, and every row
        stands where its last event says. Returns the new events.
        """
        events = StateEvent.objects.filter(id__gt=self._read, machine__in=self._machines)
        told = list(events.order_by("id"))
        for event in told:
            self._follow(event)
            self._read = event.pk
        for machine, model in self._machines.values():
            self._compare(machine, _states(machine, model))
        return told

    def _follow(self, event: StateEvent) -> None:
        machine, _model = MACHINES[event.machine]
        key = (event.machine, event.subject)
        before = self._stands.get(key, SILENTLY_BORN.get(event.machine, ""))
        assert event.from_state == before, (
            f"{event} begins where nothing ended: it stood at {before or 'birth'}"
        )
        assert event.to_state in machine.moves[before], f"{event} is no legal move of {machine.name}"
        self._stands[key] = event.to_state

    def _compare(self, machine: Machine, rows: Iterable[tuple[UUID, str]]) -> None:
        for key, state in rows:
            told = self._stands.get((machine.name, key), SILENTLY_BORN.get(machine.name, ""))
            assert state == told, f"{machine.name} {key} is {state}; its events end at {told or 'nothing'}"


def _states(machine: Machine, model: type[models.Model]) -> Iterable[tuple[UUID, Any]]:
    return model._default_manager.order_by().values_list("pk", machine.field)
