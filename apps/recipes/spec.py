"""What a step of a recipe asks for, as plain data: rows, runs and requests all speak of it in this form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.renders.services.steps import Step

MOST_STEPS: Final = 12


class Gate(models.TextChoices):
    """What must happen after a step before the next one begins."""

    NONE = "none", _("goes on by itself")
    APPROVAL = "approval", _("waits for an approved take")


@dataclass(frozen=True, kw_only=True)
class StepSpec:
    """One step. ``role``: the template's input that the file of the step before fills; "": the one that fits.

    Sizes in pixels; None and "" mean the template's own.
    """

    template: str
    role: str = ""
    takes: int = 1
    width: int | None = None
    height: int | None = None
    precision: str = ""
    gate: str = Gate.NONE

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, every field."""
        return asdict(self) | {"gate": str(self.gate)}

    def as_step(self, *, after: int | None, given: Mapping[UUID, UUID], takes: int | None = None) -> Step:
        """The same as a request's step: after another of it, or from the jobs given for each shot."""
        return Step(
            template=self.template,
            takes=takes or self.takes,
            width=self.width,
            height=self.height,
            precision=self.precision,
            start_from=after,
            role=self.role,
            given=given,
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


def chain(
    specs: Sequence[StepSpec], start: int, end: int, given: Mapping[UUID, UUID] | None = None
) -> list[Step]:
    """The steps from ``start`` to before ``end`` as one request: each from the one before it."""
    return [
        spec.as_step(after=place - 1 if place else None, given={} if place else given or {})
        for place, spec in enumerate(specs[start:end])
    ]


def with_one_take(specs: Iterable[StepSpec]) -> list[StepSpec]:
    """The same with a single take each: what one take is made of does not depend on how many there are."""
    return [replace(spec, takes=1) for spec in specs]
