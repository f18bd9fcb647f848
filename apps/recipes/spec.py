"""What a step of a recipe asks for, as plain data: rows, runs and requests all speak of it in this form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.renders.services.steps import Step

MOST_STEPS: Final = 12

Outputs = Mapping[int, Mapping[UUID, UUID]]
"""By the place of a step, from 0: for each shot the job whose take goes on from there."""


class Gate(models.TextChoices):
    """What must happen after a step before the next one begins."""

    NONE = "none", _("goes on by itself")
    APPROVAL = "approval", _("waits for an approved take")


@dataclass(frozen=True, kw_only=True)
class StepSpec:
    """One step. ``role``: the template's input that the file of the step before fills; "": the one that fits.

    ``also``: other inputs, by role, and the number of the earlier step, from 1, whose take's file fills each.
    Sizes in pixels; None and "" mean the template's own.
    """

    template: str
    role: str = ""
    takes: int = 1
    width: int | None = None
    height: int | None = None
    precision: str = ""
    gate: str = Gate.NONE
    also: Mapping[str, int] = field(default_factory=dict, hash=False)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, every field."""
        return asdict(self) | {"gate": str(self.gate), "also": dict(self.also)}

    def as_step(self, *, start: int, place: int, outputs: Outputs) -> Step:
        """The same as step ``place`` of a request that begins with step ``start`` (both from 0).

        It starts from the steps before it in the request, else from their ``outputs``.
        """
        sources = {role: number - 1 for role, number in self.also.items()}
        return Step(
            template=self.template,
            takes=self.takes,
            width=self.width,
            height=self.height,
            precision=self.precision,
            start_from=place - start - 1 if place > start else None,
            role=self.role,
            given=outputs.get(place - 1, {}) if place == start else {},
            also={role: source - start for role, source in sources.items() if source >= start},
            also_given={role: outputs.get(source, {}) for role, source in sources.items() if source < start},
        )


def specs_from(rows: Iterable[Mapping[str, Any]]) -> list[StepSpec]:
    """Read what ``as_json`` wrote."""
    return [StepSpec(**row) for row in rows]


def as_json(specs: Iterable[StepSpec]) -> list[dict[str, Any]]:
    """Write specs as a run keeps them."""
    return [spec.as_json() for spec in specs]


def segment_end(specs: Sequence[StepSpec], start: int) -> int:
    """The place behind the first gate at or after ``start``: what is submitted together ends there."""
    for place in range(start, len(specs)):
        if specs[place].gate == Gate.APPROVAL:
            return place + 1
    return len(specs)


def chain(specs: Sequence[StepSpec], start: int, end: int, outputs: Outputs | None = None) -> list[Step]:
    """The steps from ``start`` to before ``end`` as one request: each from the one before it."""
    return [
        specs[place].as_step(start=start, place=place, outputs=outputs or {}) for place in range(start, end)
    ]


def with_one_take(specs: Iterable[StepSpec]) -> list[StepSpec]:
    """The same with a single take each: what one take is made of does not depend on how many there are."""
    return [replace(spec, takes=1) for spec in specs]
